"""Headers of safetensors files, good and bad."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save_file

from trainer_core.errors import ModelFileError
from trainer_core.model_files.tensor_index import TensorEntry, read_safetensors


def write(path: Path, header: Any, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def entry(dtype: str, shape: list[Any], begin: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_names_types_shapes_and_places_are_read(tmp_path: Path) -> None:
    header = {
        "__metadata__": {"format": "pt"},
        "a": entry("F16", [2, 3], 0, 12),
        "b": entry("F32", [], 12, 16),
    }
    index = read_safetensors(write(tmp_path / "m.safetensors", header, bytes(16)))
    first_byte = 8 + len(json.dumps(header))
    assert index.entries == {
        "a": TensorEntry("F16", (2, 3), first_byte, 12),
        "b": TensorEntry("F32", (), first_byte + 12, 4),
    }
    assert index.metadata == {"format": "pt"}


def test_places_are_those_of_the_safetensors_library(tmp_path: Path) -> None:
    tensors = {"x": np.arange(6, dtype=np.float32), "y": np.arange(3, dtype=np.int64)}
    save_file(tensors, tmp_path / "m.safetensors")
    content = (tmp_path / "m.safetensors").read_bytes()
    for name, found in read_safetensors(tmp_path / "m.safetensors").entries.items():
        taken = content[found.offset : found.offset + found.num_bytes]
        assert taken == tensors[name].tobytes()


@pytest.mark.parametrize(("size", "missing"), [(2**21, 2**20), (2**21, 1), (3000, 1000)])
def test_a_file_that_ends_too_early_says_how_much_is_missing(
    tmp_path: Path, size: int, missing: int
) -> None:
    path = write(tmp_path / "m.safetensors", {"a": entry("U8", [size], 0, size)}, bytes(size))
    content = path.read_bytes()
    want = len(content)
    path.write_bytes(content[:-missing])
    words = rf"m\.safetensors is cut short: {want - missing} of {want} bytes are there\."
    with pytest.raises(ModelFileError, match=words):
        read_safetensors(path)


def test_a_file_that_ends_inside_its_header_is_cut_short(tmp_path: Path) -> None:
    path = write(tmp_path / "m.safetensors", {"a": entry("F32", [1], 0, 4)}, bytes(4))
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(ModelFileError, match="cut short"):
        read_safetensors(path)


@pytest.mark.parametrize(
    "content",
    [b"<!DOCTYPE html><html>", b"version https://git-lfs.github.com/spec/v1\n", b"\0" * 20, b"ab"],
)
def test_other_files_are_told_from_models(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(ModelFileError, match="is neither") as caught:
        read_safetensors(tmp_path / "m.safetensors")
    assert "Get it again" in str(caught.value.hint)


@pytest.mark.parametrize(
    "header",
    [
        b"{not json}",
        b'{"\xff": 1}',
        b'{"a":' * 100_000,
        {"a": 5},
        {"a": {"dtype": "F32"}},
        {"a": entry("F32", [2], 0, 4)},
        {"a": entry("F32", [-1], 0, 4)},
        {"a": entry("F32", ["x"], 0, 4)},
        {"a": entry("F32", [1], 4, 0)},
        {"a": entry("F32", [1], -4, 0)},
    ],
)
def test_a_header_that_makes_no_sense_is_damage(tmp_path: Path, header: Any) -> None:
    path = write(tmp_path / "m.safetensors", header, bytes(4))
    with pytest.raises(ModelFileError, match=r"m\.safetensors is damaged"):
        read_safetensors(path)


@pytest.mark.parametrize(
    ("header", "data"),
    [
        ({"a": entry("U8", [4], 2, 6)}, 6),  # a gap before the first tensor
        ({"a": entry("U8", [4], 0, 4), "b": entry("U8", [4], 5, 9)}, 9),  # and between two
        ({"a": entry("U8", [4], 0, 4), "b": entry("U8", [4], 2, 6)}, 6),  # overlapping
        ({"a": entry("U8", [4], 0, 4), "b": entry("U8", [4], 0, 4)}, 4),
        ({"a": entry("F12", [4], 0, 4)}, 4),  # no such type
        ({"a": entry("f32", [1], 0, 4)}, 4),
        ({"a": entry("F32", [1], 0, 5)}, 5),
        ({"a": entry("F4", [3], 0, 2)}, 2),  # half a byte too much
        ({"a": entry("U8", [1.0], 0, 1)}, 1),
        ({"a": entry("U8", [True], 0, 1)}, 1),
        ({"a": entry("U8", [2**64, 0], 0, 0)}, 0),
        ({"a": entry("U8", [2**63, 4, 0], 0, 0)}, 0),
        ({"a": {**entry("U8", [1], 0, 1), "data_offsets": [0, 1, 2]}}, 1),
        ({"a": entry("U8", [1], 0, 1), "__metadata__": {"x": 1}}, 1),
        ({"a": entry("U8", [1], 0, 1), "__metadata__": []}, 1),
        (b'{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
        (b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"z":NaN}}', 1),
        (b'{"\\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
        (b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}\0\0\0', 1),  # padded otherwise
        (b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}{}', 1),
    ],
)
def test_what_the_library_refuses_is_damage(tmp_path: Path, header: Any, data: int) -> None:
    path = write(tmp_path / "m.safetensors", header, bytes(data))
    with pytest.raises(SafetensorError):
        deserialize(path.read_bytes())
    with pytest.raises(ModelFileError, match=r"m\.safetensors is damaged"):
        read_safetensors(path)


def test_a_name_that_occurs_twice_is_damage(tmp_path: Path) -> None:
    one = b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'
    path = write(tmp_path / "m.safetensors", b"{" + one + b"," + one + b"}", bytes(1))
    with pytest.raises(ModelFileError, match="'a' occurs twice"):
        read_safetensors(path)


def test_bytes_behind_the_last_tensor_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "m.safetensors", {"a": entry("U8", [4], 0, 4)}, bytes(7))
    with pytest.raises(ModelFileError, match=r"damaged: 3 bytes follow the last tensor\."):
        read_safetensors(path)


@pytest.mark.parametrize(
    ("dtype", "sides", "num_bytes"),
    [("F4", 2, 1), ("F6_E2M3", 4, 3), ("F8_E8M0", 1, 1), ("C64", 1, 8), ("U64", 0, 0)],
)
def test_every_type_of_the_library_is_known(
    tmp_path: Path, dtype: str, sides: int, num_bytes: int
) -> None:
    header = {"a": entry(dtype, [sides], 0, num_bytes)}
    path = write(tmp_path / "m.safetensors", header, bytes(num_bytes))
    deserialize(path.read_bytes())
    assert read_safetensors(path).entries["a"].num_bytes == num_bytes


@pytest.mark.parametrize("padding", [b"   ", b"\n\t\r "])
def test_a_header_may_be_padded_with_white_space(tmp_path: Path, padding: bytes) -> None:
    text = json.dumps({"a": entry("U8", [1], 0, 1)}).encode() + padding
    path = write(tmp_path / "m.safetensors", text, bytes(1))
    deserialize(path.read_bytes())
    assert list(read_safetensors(path).entries) == ["a"]
