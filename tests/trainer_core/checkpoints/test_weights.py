"""Weight files hold exactly what was given, and no other file is taken for one."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save, save_file
from torch import Tensor

from trainer_core.catalogue.adapters import ADAPTERS
from trainer_core.checkpoints.weights import read_adapter, read_tensors, write_lora, write_tensors
from trainer_core.errors import ModelFileError, NumericError, OutputError
from trainer_core.files import writing as file_writing

DATA = Path(__file__).parents[2] / "data"
MARKS = ADAPTERS["Standard"].marks
DTYPES = {"float": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
MIB = 0x100000


def one_module(value: float = 1.0) -> dict[str, Tensor]:
    return {
        "lora_unet_a.lora_down.weight": torch.full((2, 3), value),
        "lora_unet_a.lora_up.weight": torch.full((5, 2), -value),
        "lora_unet_a.alpha": torch.tensor(1.0),
    }


def full_size_lora() -> dict[str, Tensor]:
    """Return a LoRA for SD1.5 with every matrix drawn from N(0, 0.02)."""
    recorded = json.loads((DATA / "lora_keys_sd15.json").read_text(encoding="utf-8"))
    generator = torch.Generator().manual_seed(1)
    tensors: dict[str, Tensor] = {}
    for module, _, down, up in recorded["variants"]["dim8_alpha1"]["modules"]:
        tensors[f"{module}.alpha"] = torch.tensor(1.0)
        for part, shape in (("lora_down", down), ("lora_up", up)):
            tensors[f"{module}.{part}.weight"] = 0.02 * torch.randn(shape, generator=generator)
    return tensors


@pytest.mark.parametrize("precision", ["float", "fp16", "bf16"])
def test_a_full_size_lora_is_read_by_the_safetensors_library(
    tmp_path: Path, precision: str
) -> None:
    tensors = full_size_lora()
    path = tmp_path / "cat.safetensors"

    write_lora(path, tensors, metadata={"ss_steps": "1"}, precision=precision)
    read = load_file(path)

    assert set(read) == set(tensors)
    assert len(read) == 792
    for name, tensor in tensors.items():
        torch.testing.assert_close(read[name], tensor.to(DTYPES[precision]), rtol=0, atol=0)


def test_metadata_is_read_back_with_both_hashes(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"

    write_lora(path, one_module(), metadata={"ss_training_comment": "貓\n"}, precision="float")
    metadata = read_adapter(path, MARKS).metadata

    assert metadata["ss_training_comment"] == "貓\n"
    assert set(metadata) == {"ss_training_comment", "sshs_model_hash", "sshs_legacy_hash"}


def test_hashes_equal_the_recorded_ones_of_the_same_tensors(tmp_path: Path) -> None:
    recorded = json.loads((DATA / "metadata.json").read_text(encoding="utf-8"))["hash_examples"][0]
    stored = read_tensors(DATA / recorded["file"])
    path = tmp_path / "a.safetensors"

    write_lora(path, stored.tensors, metadata=recorded["metadata_given"], precision="float")

    assert read_tensors(path).metadata == stored.metadata
    assert len(path.read_bytes()) == recorded["file_size"]


def test_the_legacy_hash_is_that_of_the_file_with_training_metadata_only(tmp_path: Path) -> None:
    # vectors/README.md: 64 KiB at 1 MiB, before other metadata and the hashes are added.
    tensors = {name: tensor.to(torch.float16) for name, tensor in full_size_lora().items()}
    plain = save(tensors, metadata={"ss_steps": "1"})
    expected = hashlib.sha256(plain[MIB : MIB + 0x10000]).hexdigest()[:8]
    path = tmp_path / "a.safetensors"

    write_lora(
        path, tensors, metadata={"ss_steps": "1", "modelspec.title": "cat"}, precision="fp16"
    )

    assert read_adapter(path, MARKS).metadata["sshs_legacy_hash"] == expected


def test_weights_that_do_not_fit_into_fp16_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"

    with pytest.raises(NumericError, match=r"lora_unet_a\.lora_down\.weight reach 70000\.0") as it:
        write_lora(path, one_module(70000.0), metadata={}, precision="fp16")

    assert "bf16" in str(it.value.hint)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("precision", ["float", "bf16"])
def test_the_same_weights_fit_into_the_wider_formats(tmp_path: Path, precision: str) -> None:
    path = tmp_path / "a.safetensors"

    write_lora(path, one_module(65536.0), metadata={}, precision=precision)

    assert read_adapter(path, MARKS).tensors["lora_unet_a.lora_down.weight"].max() == 65536.0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(tmp_path: Path, value: float) -> None:
    path = tmp_path / "a.safetensors"
    write_lora(path, one_module(), metadata={}, precision="float")
    before = path.read_bytes()

    with pytest.raises(NumericError, match=r"lora_unet_a\.lora_down\.weight are not finite"):
        write_lora(path, one_module(value), metadata={}, precision="float", replace=True)

    assert path.read_bytes() == before


def test_views_and_weights_that_require_gradients_are_written(tmp_path: Path) -> None:
    shared = torch.arange(6.0, requires_grad=True)
    tensors = {
        "lora_unet_a.lora_down.weight": shared.view(2, 3),
        "lora_unet_a.lora_up.weight": shared.view(2, 3).T,
    }
    path = tmp_path / "a.safetensors"

    write_lora(path, tensors, metadata={}, precision="float")

    assert read_adapter(path, MARKS).tensors["lora_unet_a.lora_up.weight"].tolist() == [
        [0, 3],
        [1, 4],
        [2, 5],
    ]


def test_an_existing_file_is_refused_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_lora(path, one_module(), metadata={}, precision="float")

    with pytest.raises(OutputError, match="exists already"):
        write_lora(path, one_module(2.0), metadata={}, precision="float")
    write_lora(path, one_module(3.0), metadata={}, precision="float", replace=True)

    assert read_adapter(path, MARKS).tensors["lora_unet_a.lora_down.weight"].max() == 3.0


@pytest.mark.parametrize("damage", ["last byte", "header", "cut"])
def test_a_file_that_reads_back_otherwise_is_never_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    def bad_disk(part: Path, write: object) -> None:
        buffer = io.BytesIO()
        write(buffer)
        content = bytearray(buffer.getvalue())
        if damage == "last byte":
            content[-1] ^= 1
        elif damage == "header":
            content = content.replace(b"lora_unet_a.lora_up", b"lora_unet_b.lora_up")
        else:
            content = content[:-1]
        part.write_bytes(content)

    monkeypatch.setattr(file_writing, "_fill", bad_disk)

    with pytest.raises(OutputError, match=r"a\.safetensors reads back otherwise"):
        write_lora(tmp_path / "a.safetensors", one_module(), metadata={}, precision="float")

    assert list(tmp_path.iterdir()) == []


def test_metadata_that_reads_back_otherwise_is_never_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bad_disk(part: Path, write: object) -> None:
        buffer = io.BytesIO()
        write(buffer)
        part.write_bytes(buffer.getvalue().replace(b"hello", b"jello"))

    monkeypatch.setattr(file_writing, "_fill", bad_disk)

    with pytest.raises(OutputError, match="__metadata__"):
        write_tensors(tmp_path / "a.safetensors", one_module(), metadata={"ss_a": "hello"})


def test_tensors_are_written_in_the_type_they_have_whatever_their_values(tmp_path: Path) -> None:
    tensors = {
        "steps": torch.tensor(3, dtype=torch.int64),
        "bytes": torch.arange(4, dtype=torch.uint8),
        "moments": torch.tensor([float("nan"), -0.0], dtype=torch.bfloat16),
        "empty": torch.zeros(0, 3),
    }
    path = tmp_path / "a.safetensors"

    write_tensors(path, tensors, metadata={})
    read = read_tensors(path).tensors

    for name, tensor in tensors.items():
        torch.testing.assert_close(read[name], tensor, rtol=0, atol=0, equal_nan=True)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux lists mappings")
def test_files_are_closed_after_writing_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "closed.safetensors"

    write_lora(path, one_module(), metadata={}, precision="float")
    held = read_adapter(path, MARKS)

    assert "closed.safetensors" not in Path("/proc/self/maps").read_text()
    assert held.tensors


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"There is no file .*gone\.safetensors"):
        read_adapter(tmp_path / "gone.safetensors", MARKS)


def as_pickle(path: Path) -> None:
    torch.save(one_module(), path)


def as_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "b")


def as_garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 100)


def as_empty(path: Path) -> None:
    path.write_bytes(b"")


def as_truncated(path: Path) -> None:
    path.write_bytes(save(one_module())[:-3])


def as_bad_header(path: Path) -> None:
    header = b'{"a": [1, 2'
    path.write_bytes(struct.pack("<Q", len(header)) + header)


@pytest.mark.parametrize(
    "make", [as_pickle, as_zip, as_garbage, as_empty, as_truncated, as_bad_header]
)
def test_a_file_that_is_no_whole_safetensors_file_is_refused(tmp_path: Path, make: object) -> None:
    path = tmp_path / "bad.safetensors"
    make(path)

    with pytest.raises(
        ModelFileError, match=r"bad\.safetensors is (damaged|cut short|not a safetensors file)"
    ):
        read_adapter(path, MARKS)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("model.diffusion_model.input_blocks.0.0.weight", "is a base model, not a LoRA"),
        ("lora_unet_a.hada_w1_a", "is not a LoRA of this kind"),
        ("lora_unet_a.dora_scale", "is not a LoRA of this kind"),
        ("unet.down_blocks.0.to_q.lora_A.weight", "a LoRA"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_a_key_that_shows_it(
    tmp_path: Path, key: str, words: str
) -> None:
    path = tmp_path / "other.safetensors"
    save_file({**one_module(), key: torch.zeros(2, 2)}, path)

    with pytest.raises(ModelFileError, match=words) as caught:
        read_adapter(path, MARKS)

    assert key in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"lora_unet_a.lora_up.weight": torch.full((5, 2), float("nan"))},
            r"lora_unet_a\.lora_up\.weight is not finite",
        ),
        (dict.fromkeys(one_module()), "holds no weights"),
    ],
)
def test_a_lora_that_is_not_whole_is_refused(
    tmp_path: Path, change: dict[str, Tensor | None], words: str
) -> None:
    path = tmp_path / "a.safetensors"
    changed = one_module() | change
    save_file({name: tensor for name, tensor in changed.items() if tensor is not None}, path)

    with pytest.raises(ModelFileError, match=words):
        read_adapter(path, MARKS)


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_a_lora_in_8_bit_is_read_as_it_is(tmp_path: Path, dtype: torch.dtype) -> None:
    path = tmp_path / "a.safetensors"
    save_file({name: tensor.to(dtype) for name, tensor in one_module().items()}, path)

    read = read_adapter(path, MARKS).tensors
    for name, tensor in one_module().items():  # 1 and -1 are exact in 8 bits
        assert read[name].dtype == dtype
        assert torch.equal(read[name].float(), tensor)


def test_a_lora_in_8_bit_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    broken = torch.full((5, 2), float("nan")).to(torch.float8_e4m3fn)
    save_file({**one_module(), "lora_unet_a.lora_up.weight": broken}, path)

    with pytest.raises(ModelFileError, match=r"lora_unet_a\.lora_up\.weight is not finite"):
        read_adapter(path, MARKS)
