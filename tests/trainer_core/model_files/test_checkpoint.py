"""PyTorch checkpoints, read without being unpickled."""

from __future__ import annotations

import os
import time
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from trainer_core.errors import ModelFileError
from trainer_core.model_files.checkpoint import read_checkpoint


class Payload:
    """An object whose pickle makes a file when it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f'echo run > "{self.marker}"',)


def save(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


@pytest.mark.parametrize(
    "wrap",
    [
        lambda weights: weights,
        lambda weights: {"state_dict": weights, "epoch": 3, "global_step": 840000},
        lambda weights: {"state_dict": OrderedDict(weights), "lr": np.float64(1e-4).item()},
    ],
    ids=["bare", "lightning", "ordered"],
)
def test_tensors_are_found_where_programs_put_them(
    tmp_path: Path, wrap: Callable[[Any], Any]
) -> None:
    weights = {"a.weight": torch.ones(2, 3), "b": torch.ones(4, dtype=torch.float16)}
    entries = read_checkpoint(save(tmp_path / "m.ckpt", wrap(weights))).entries
    assert {name: (e.dtype, e.shape) for name, e in entries.items()} == {
        "a.weight": ("F32", (2, 3)),
        "b": ("F16", (4,)),
    }


def test_places_hold_the_tensors_bytes(tmp_path: Path) -> None:
    weights = {"a": torch.arange(6.0), "b": torch.arange(3).to(torch.bfloat16)}
    path = save(tmp_path / "m.ckpt", weights)
    content = path.read_bytes()
    for name, entry in read_checkpoint(path).entries.items():
        expected = weights[name].view(torch.uint8).numpy().tobytes()
        assert content[entry.offset : entry.offset + entry.num_bytes] == expected


def test_what_training_programs_add_is_harmless(tmp_path: Path) -> None:
    extras = {
        "scores": np.float32(0.5),
        "device": torch.device("cpu"),
        "shape": torch.Size([1, 2]),
        "tags": {"a", "b"},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(2)}}}],
    }
    path = save(tmp_path / "m.ckpt", {"state_dict": {"w": torch.ones(1)}, **extras})
    assert list(read_checkpoint(path).entries) == ["w"]


@pytest.mark.parametrize("place", ["beside", "inside"])
def test_a_hostile_checkpoint_is_refused_by_name_and_not_run(tmp_path: Path, place: str) -> None:
    marker = tmp_path / "marker"
    weights: dict[str, Any] = {"w": torch.ones(1)}
    outer: dict[str, Any] = {"state_dict": weights}
    (outer if place == "beside" else weights)["x"] = Payload(marker)
    path = save(tmp_path / "hostile.ckpt", outer)
    with pytest.raises(ModelFileError, match=r"hostile\.ckpt was refused: it asks to run \w+\.sys"):
        read_checkpoint(path)
    assert not marker.exists()
    torch.load(path, weights_only=False)  # what would have happened
    assert marker.exists()


def test_a_truncated_checkpoint_is_damage(tmp_path: Path) -> None:
    path = save(tmp_path / "m.ckpt", {"w": torch.ones(1000)})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelFileError, match=r"m\.ckpt is damaged or cut short"):
        read_checkpoint(path)


def rewritten(path: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """Write the archive again; ``change`` returns a record's new content, None to leave it out."""
    other = path.with_name(f"changed-{path.name}")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return other


def test_a_missing_block_of_numbers_is_damage_that_names_the_tensor(tmp_path: Path) -> None:
    path = save(tmp_path / "m.ckpt", {"some.weight": torch.ones(3)})
    broken = rewritten(path, lambda name, old: None if name.endswith("data/0") else old)
    with pytest.raises(ModelFileError, match=r"damaged or cut short: some\.weight"):
        read_checkpoint(broken)


def test_a_tensor_larger_than_its_block_is_damage(tmp_path: Path) -> None:
    path = save(tmp_path / "m.ckpt", {"some.weight": torch.ones(3)})
    broken = rewritten(path, lambda name, old: old[:8] if name.endswith("data/0") else old)
    with pytest.raises(ModelFileError, match=r"damaged or cut short: some\.weight"):
        read_checkpoint(broken)


def test_garbage_in_place_of_the_pickle_is_damage(tmp_path: Path) -> None:
    path = save(tmp_path / "m.ckpt", {"w": torch.ones(3)})
    broken = rewritten(path, lambda name, old: b"xyz" if name.endswith("data.pkl") else old)
    with pytest.raises(ModelFileError, match="damaged or cut short"):
        read_checkpoint(broken)


def test_another_zip_archive_is_no_checkpoint(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.ckpt", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ModelFileError, match="is a zip archive, but no PyTorch checkpoint"):
        read_checkpoint(tmp_path / "m.ckpt")


def with_understated_record(path: Path, content: bytes, stated_bytes: int) -> Path:
    """Write an archive whose description unpacks to ``content``, but says that it is smaller."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", content)
    archived = bytearray(path.read_bytes())
    entry = archived.index(b"PK\x01\x02")  # of the list at its end; the size is 24 bytes on
    archived[entry + 24 : entry + 28] = stated_bytes.to_bytes(4, "little")
    path.write_bytes(archived)
    return path


def test_a_record_larger_than_it_says_is_not_unpacked(tmp_path: Path) -> None:
    path = with_understated_record(tmp_path / "bomb.ckpt", bytes(128 * 2**20), stated_bytes=1000)

    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match=r"bomb\.ckpt is damaged or cut short"):
            read_checkpoint(path)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 8 * 2**20


def test_a_description_of_more_than_64_mib_is_none(tmp_path: Path) -> None:
    path = tmp_path / "m.ckpt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(64 * 2**20 + 1))

    with pytest.raises(ModelFileError, match="but no PyTorch checkpoint"):
        read_checkpoint(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_record_packed_as_pytorch_never_does_is_damage(tmp_path: Path, method: int) -> None:
    path = tmp_path / "m.ckpt"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("archive/data.pkl", b"x")

    with pytest.raises(ModelFileError, match="packed in an unusual way"):
        read_checkpoint(path)


def test_tables_in_tables_a_thousand_times_each_are_read_at_once(tmp_path: Path) -> None:
    tables: dict[str, Any] = {"w": torch.ones(1)}
    for _ in range(3):
        tables = {f"k{number}": tables for number in range(1000)}
    start = time.process_time()
    entries = read_checkpoint(save(tmp_path / "m.ckpt", tables)).entries
    assert list(entries) == ["k0.k0.k0.w"]
    assert time.process_time() - start < 5  # looking at 1000 ** 3 tables takes minutes
