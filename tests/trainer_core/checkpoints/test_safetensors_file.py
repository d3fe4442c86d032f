"""Our files are byte for byte what the safetensors library writes, made in little memory."""

from __future__ import annotations

import hashlib
import io
import json
import math
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from trainer_core.checkpoints import safetensors_file
from trainer_core.checkpoints.safetensors_file import differences, read_file, write_into
from trainer_core.errors import ModelFileError

DTYPES = [
    torch.bool, torch.uint8, torch.int8, torch.float8_e5m2, torch.float8_e4m3fn, torch.int16,
    torch.uint16, torch.float16, torch.bfloat16, torch.int32, torch.uint32, torch.float32,
    torch.float64, torch.int64, torch.uint64,
]  # fmt: skip
SHAPES = {"matrix": (3, 5), "odd": (7,), "number": (), "nothing": (0, 4)}


def every_kind() -> dict[str, Tensor]:
    """Return tensors of every format and several shapes, in an order of no meaning."""
    generator = torch.Generator().manual_seed(1)
    tensors = {}
    for dtype in DTYPES:
        for name, shape in SHAPES.items():
            data = torch.randint(0, 2, (math.prod(shape) * dtype.itemsize,), generator=generator)
            tensors[f"{name}.{dtype}"] = data.to(torch.uint8).view(dtype).reshape(shape)
    names = torch.randperm(len(tensors), generator=generator).tolist()
    keys = list(tensors)
    return {keys[number]: tensors[keys[number]] for number in names}


def written(tensors: dict[str, Tensor], **options: object) -> bytes:
    file = io.BytesIO()
    write_into(file, tensors, **options)
    return file.getvalue()


def header_of(content: bytes) -> tuple[dict[str, object], bytes]:
    length = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + length]), content[8 + length :]


# ------------------------------------------------------------------ against the library


@pytest.mark.parametrize("metadata", [None, {}, {"ss_comment": '"\\/\n\x01\x7f貓\u2028'}])
def test_a_file_is_byte_for_byte_the_library_s(metadata: dict[str, str] | None) -> None:
    tensors = every_kind()

    assert written(tensors, metadata=metadata) == save(tensors, metadata=metadata)


@pytest.mark.parametrize("length", range(9))
def test_the_header_is_padded_as_the_library_does(length: int) -> None:
    tensors = {"a" * length: torch.ones(3)}

    assert written(tensors) == save(tensors)


def test_names_are_sorted_as_the_library_does() -> None:
    names = ["b", "a", "a.10", "a.2", "A", "é", "é", "\U0001f600", "\uffff", ""]
    tensors = {name: torch.tensor(float(number)) for number, name in enumerate(names)}

    assert written(tensors) == save(tensors)


def test_metadata_of_several_entries_is_the_same_in_the_order_given() -> None:
    # The library writes them in an order that changes from call to call.
    metadata = {str(number): "x" * number for number in range(20)}
    ours = written(every_kind(), metadata=metadata)
    theirs = save(every_kind(), metadata=metadata)

    assert header_of(ours) == header_of(theirs)
    assert len(ours) == len(theirs)
    assert list(header_of(ours)[0]["__metadata__"]) == list(metadata)


def test_what_was_written_says_size_and_hash_of_the_file() -> None:
    file = io.BytesIO()
    result = write_into(file, every_kind(), metadata={"a": "b"})

    assert result.size == len(file.getvalue())
    assert result.sha256 == hashlib.sha256(file.getvalue()).hexdigest()


# ------------------------------------------------------------------ pieces


def views() -> dict[str, Tensor]:
    base = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).reshape(2, 3, 4, 5)
    return {
        "plain": base,
        "turned": base.permute(3, 1, 0, 2),
        "every other": base[:, ::2, :, 1:3],
        "channels last": base.contiguous(memory_format=torch.channels_last),
        "repeated": torch.arange(4.0).expand(3, 4),
        "trained": torch.ones(5, requires_grad=True),
    }


@pytest.mark.parametrize("piece_bytes", [8, 24, 100, 1 << 22])
def test_any_view_is_written_in_row_major_order_whatever_the_size_of_pieces(
    monkeypatch: pytest.MonkeyPatch, piece_bytes: int
) -> None:
    monkeypatch.setattr(safetensors_file, "_PIECE_BYTES", piece_bytes)
    found = load(written(views()))

    for name, tensor in views().items():
        assert torch.equal(found[name], tensor)


@pytest.mark.parametrize("piece_bytes", [8, 24, 1 << 22])
def test_a_conversion_gives_what_the_whole_tensor_would(
    monkeypatch: pytest.MonkeyPatch, piece_bytes: int
) -> None:
    monkeypatch.setattr(safetensors_file, "_PIECE_BYTES", piece_bytes)
    tensors = {name: tensor / 7 for name, tensor in views().items()}
    content = written(
        tensors, dtype=torch.float16, convert=lambda name, piece: piece.to(torch.float16)
    )

    expected = {name: t.detach().to(torch.float16).contiguous() for name, t in tensors.items()}
    assert content == save(expected)


# ------------------------------------------------------------------ reading


def test_the_library_s_files_are_read_bit_by_bit(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(save(every_kind(), metadata={"a": "b"}))
    tensors, metadata = read_file(path)

    assert metadata == {"a": "b"}
    assert set(tensors) == set(every_kind())
    for name, tensor in every_kind().items():
        assert (tensors[name].dtype, tensors[name].shape) == (tensor.dtype, tensor.shape)
        assert save({name: tensors[name]}) == save({name: tensor})


def test_a_file_is_read_on_the_cpu_while_everything_else_is_outlined(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(save({"a": torch.ones(2)}))

    with torch.device("meta"):
        tensors, _ = read_file(path)

    assert tensors["a"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "header",
    [
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}},
        {name: {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]} for name in "ab"},
        {"a": {"dtype": "F3", "shape": [2], "data_offsets": [0, 8]}},
        {
            "a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]},
            "__metadata__": {"number": 1},
        },
    ],
    ids=["hole", "bytes left over", "overlap", "unknown format", "metadata that is no text"],
)
def test_what_the_library_refuses_is_refused(tmp_path: Path, header: object) -> None:
    text = json.dumps(header).encode()
    content = struct.pack("<Q", len(text)) + text + bytes(8)
    with pytest.raises(SafetensorError):
        load(content)
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)

    with pytest.raises(ModelFileError, match=r"a\.safetensors is damaged"):
        read_file(path)


def test_every_changed_bit_is_found_with_the_tensor_that_it_is_in(tmp_path: Path) -> None:
    tensors = {"a": torch.ones(2), "b": torch.ones(2)}
    file = io.BytesIO()
    result = write_into(file, tensors)
    path = tmp_path / "a.safetensors"
    for place, name in ((-1, "b"), (-8, "b"), (-9, "a"), (-16, "a")):
        content = bytearray(file.getvalue())
        content[place] ^= 0x80
        path.write_bytes(content)

        assert differences(path, result) == {name}


def test_another_type_of_the_same_bytes_is_found(tmp_path: Path) -> None:
    file = io.BytesIO()
    result = write_into(file, {"a": torch.ones(2)})
    path = tmp_path / "a.safetensors"
    path.write_bytes(file.getvalue().replace(b"F32", b"U32"))

    assert differences(path, result) == {"a"}


def test_a_type_that_safetensors_does_not_know_is_named() -> None:
    with pytest.raises(TypeError, match=r"a: torch\.complex128"):
        written({"a": torch.ones(2, dtype=torch.complex128)})


# ------------------------------------------------------------------ memory

_MEASURE = """
import sys
from pathlib import Path
import torch
from trainer_core.checkpoints.state import Position, StateFacts, read_state, write_state
from trainer_core.checkpoints.weights import read_tensors, write_lora

def rss():  # KiB
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])

case, folder = sys.argv[1], Path(sys.argv[2])
sizes = [200, 156, 100, 48, 8]  # MiB; 512 together
count = 1 << 18
tensors = {f"lora_unet_{n}.lora_up.weight": torch.full((n, count), 0.5) for n in sizes}
turned = "lora_unet_100.lora_up.weight"
tensors[turned] = tensors[turned].T
optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
facts = StateFacts("0", "a", 1, Position(1), "", {})
progress = {"schedule": {"steps": 1}, "scaler": None}
small = {"lora_unet_a.lora_up.weight": torch.ones(2, 2)}

def write(tensors, to):  # a first small run loads whatever is loaded once
    if case.startswith("state"):
        write_state(to, facts, trained=tensors, optimizer=optimizer, progress=progress)
    else:
        write_lora(to, tensors, metadata={"ss_a": "b"}, precision=case)

def read(from_):
    if case == "state-read":
        return read_state(from_).trained
    return read_tensors(from_).tensors

write(small, folder / "small")
if case == "state-read":
    read(folder / "small")
Path("/proc/self/clear_refs").write_text("5")
before = rss()
write(tensors, folder / "a")
if case == "state-read":
    del tensors
    Path("/proc/self/clear_refs").write_text("5")
    before = rss() + 512 * 1024
    held = read(folder / "a")
print((peak() - before) / 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measured on Linux only")
@pytest.mark.parametrize("case", ["float", "fp16", "state", "state-read"])
def test_512_mib_are_written_and_read_in_less_than_64_mib_beyond_them(
    tmp_path: Path, case: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, case, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 64
