"""Hashes equal the recorded ones of a stored file, and their definition."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pytest

from trainer_core.checkpoints.hashes import WeightHashes
from trainer_core.model_files.weights_file import legacy_hash, sha256

DATA = Path(__file__).parents[2] / "data"
EXAMPLE = json.loads((DATA / "metadata.json").read_text(encoding="utf-8"))["hash_examples"][0]
HASH_OF_NOTHING = "e3b0c442"


@pytest.mark.parametrize("piece_bytes", [1, 1000, 1 << 22])
def test_the_hash_of_the_tensors_equals_the_recorded_one(piece_bytes: int) -> None:
    content = (DATA / EXAMPLE["file"]).read_bytes()
    first_byte = 8 + int.from_bytes(content[:8], "little")
    hashes = WeightHashes(b"")

    for begin in range(first_byte, len(content), piece_bytes):
        hashes.update(content[begin : begin + piece_bytes])

    assert hashes.entries()["sshs_model_hash"] == EXAMPLE["sshs_model_hash"]


@pytest.mark.parametrize("header_bytes", [8, 0x0FFFF8, 0x108000, 0x110000])
@pytest.mark.parametrize("piece_bytes", [0x3001, 0x10000, 0x200000])
def test_the_legacy_hash_is_that_of_header_and_tensors_together(
    header_bytes: int, piece_bytes: int
) -> None:
    content = bytes(number % 251 for number in range(0x120000))
    hashes = WeightHashes(content[:header_bytes])

    for begin in range(header_bytes, len(content), piece_bytes):
        hashes.update(content[begin : begin + piece_bytes])

    assert hashes.entries()["sshs_legacy_hash"] == legacy_hash(io.BytesIO(content))


def test_the_hashes_of_the_whole_file_equal_the_recorded_ones() -> None:
    path = DATA / EXAMPLE["file"]
    with path.open("rb") as file:
        assert legacy_hash(file) == EXAMPLE["model_file_hash_old_8_digits"]
    assert sha256(path) == EXAMPLE["model_file_sha256"]


def test_the_legacy_hash_takes_64_kib_at_1_mib() -> None:
    content = bytes(number % 251 for number in range(0x120000))
    expected = hashlib.sha256(content[0x100000:0x110000]).hexdigest()[:8]

    assert legacy_hash(io.BytesIO(content)) == expected


def test_the_legacy_hash_of_a_small_file_is_that_of_nothing() -> None:
    assert legacy_hash(io.BytesIO(bytes(0x100000))) == HASH_OF_NOTHING
