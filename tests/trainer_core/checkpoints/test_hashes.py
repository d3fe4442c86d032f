"""Hashes equal the recorded ones of a stored file, and their definition."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

from trainer_core.checkpoints.hashes import sshs_model_hash
from trainer_core.model_files.weights_file import legacy_hash, sha256

DATA = Path(__file__).parents[2] / "data"
EXAMPLE = json.loads((DATA / "metadata.json").read_text(encoding="utf-8"))["hash_examples"][0]
HASH_OF_NOTHING = "e3b0c442"


def test_the_hash_of_the_tensors_equals_the_recorded_one() -> None:
    with (DATA / EXAMPLE["file"]).open("rb") as file:
        assert sshs_model_hash(file) == EXAMPLE["sshs_model_hash"]


def test_the_hash_of_the_tensors_is_the_same_in_memory() -> None:
    content = io.BytesIO((DATA / EXAMPLE["file"]).read_bytes())

    assert sshs_model_hash(content) == EXAMPLE["sshs_model_hash"]


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
