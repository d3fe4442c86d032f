"""A base model is known by its bytes, whatever it is called."""

from __future__ import annotations

import hashlib
from pathlib import Path

from trainer_core.model_files.base_hash import BaseHash, hash_of_file


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_single_file_has_its_own_hash(tmp_path: Path) -> None:
    file = write(tmp_path / "a", b"model")

    assert BaseHash([file, file, file])() == hashlib.sha256(b"model").hexdigest()


def test_a_folder_has_the_same_hash_wherever_it_lies(tmp_path: Path) -> None:
    first = BaseHash([write(tmp_path / "a", b"unet"), write(tmp_path / "b", b"vae")])
    moved = BaseHash([write(tmp_path / "c", b"unet"), write(tmp_path / "d", b"vae")])
    other = BaseHash([write(tmp_path / "e", b"unet"), write(tmp_path / "f", b"VAE")])

    assert len(first()) == 64
    assert first() == moved() != other()


def test_what_cannot_be_read_has_no_hash(tmp_path: Path) -> None:
    assert BaseHash([tmp_path / "gone"])() == BaseHash([])() == ""


def test_only_a_single_file_can_be_begun_with_before_it_is_opened(tmp_path: Path) -> None:
    begun = hash_of_file(write(tmp_path / "a", b"model"))

    assert begun is not None
    assert begun() == hashlib.sha256(b"model").hexdigest()
    assert hash_of_file(tmp_path) is hash_of_file(tmp_path / "gone") is hash_of_file(None) is None
