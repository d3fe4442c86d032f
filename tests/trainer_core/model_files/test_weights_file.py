"""One door to weights files, told apart by their content."""

from __future__ import annotations

import hashlib
import os
import pickle
import random
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from trainer_core.errors import ModelFileError
from trainer_core.model_files.weights_file import legacy_hash, read_index, sha256


@pytest.mark.parametrize("name", ["m.safetensors", "m.ckpt", "m"])
def test_the_content_decides_not_the_name(tmp_path: Path, name: str) -> None:
    save_file({"w": np.ones(2, dtype=np.float32)}, tmp_path / name)
    assert list(read_index(tmp_path / name).entries) == ["w"]
    torch.save({"v": torch.ones(2)}, tmp_path / name)
    assert list(read_index(tmp_path / name).entries) == ["v"]


def test_a_header_whose_length_begins_like_a_pickle_is_read(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    header = b'{"__metadata__": {"x": "%s"}}' % (b"y" * 100)
    path.write_bytes((0x80).to_bytes(8, "little") + header.ljust(0x80))
    assert read_index(path).metadata == {"x": "y" * 100}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        (b"", "is empty"),
        (pickle.dumps({"a": 1}, 2), "is a bare pickle"),
        (b"garbage that is no model at all", "is neither a .safetensors file nor"),
    ],
)
def test_what_is_no_model_is_said(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "model.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelFileError, match=rf"model\.safetensors {message}") as caught:
        read_index(path)
    assert caught.value.hint is not None


@pytest.mark.skipif(os.name == "nt", reason="Windows says of such a path that it is not found")
def test_a_path_below_a_file_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(ModelFileError, match=r"m\.ckpt cannot be read: Not a directory"):
        read_index(tmp_path / "file" / "m.ckpt")


def test_hashes_are_those_that_web_interfaces_show(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000  # 1.28 MB: the window of the old hash is cut
    (tmp_path / "m").write_bytes(content)
    assert sha256(tmp_path / "m") == hashlib.sha256(content).hexdigest()
    window = content[1_048_576 : 1_048_576 + 65_536]
    assert (
        legacy_hash(BytesIO((tmp_path / "m").read_bytes()))
        == hashlib.sha256(window).hexdigest()[:8]
    )


def test_the_old_hash_of_a_small_file_is_that_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"small")
    assert legacy_hash(BytesIO((tmp_path / "m").read_bytes())) == "e3b0c442"


@pytest.mark.parametrize("layout", ["safetensors", "checkpoint"])
def test_whatever_is_damaged_no_other_error_escapes(tmp_path: Path, layout: str) -> None:
    path = tmp_path / "m"
    if layout == "safetensors":
        save_file({"a": np.ones((3, 4), np.float32), "b": np.ones(2, np.float16)}, path)
    else:
        torch.save({"state_dict": {"a": torch.ones(3, 4), "b": torch.ones(2, 2).T}}, path)
    whole = path.read_bytes()
    dice = random.Random(0)
    refused = 0
    for _ in range(500):
        broken = bytearray(whole)
        for _ in range(dice.choice([1, 3])):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        path.write_bytes(broken)
        try:
            read_index(path)
        except ModelFileError:
            refused += 1
    assert refused > 100
