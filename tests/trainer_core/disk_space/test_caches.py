"""What a cache takes is counted, and only what no run has used for so long goes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import torch

from trainer_core.disk_space.caches import cache_content, clear
from trainer_core.pipeline.cache_files import CacheFiles

DAY_S = 24 * 60 * 60


@pytest.fixture
def files(tmp_path: Path) -> CacheFiles:
    """Entries "0" to "3", used so many days ago, 400 bytes of numbers each."""
    made = CacheFiles(tmp_path / "latents", "cache.cache_latents_to_disk", "{reason}")
    for days in range(4):
        made.write(str(days), {"a": torch.zeros(100)})
        then = time.time() - days * DAY_S - 60
        os.utime(made.path(str(days)), (then, then))
    return made


def keys(files: CacheFiles) -> set[str]:
    return {path.stem for path in files.folder.rglob("*.safetensors")}


def test_every_entry_is_counted_and_nothing_else(files: CacheFiles) -> None:
    (files.folder / "0" / ".0.safetensors.12345678.part").write_bytes(b"being written")
    content = cache_content(files.folder)
    assert {entry.path.stem for entry in content.entries} == {"0", "1", "2", "3"}
    sizes = sum(path.stat().st_size for path in files.folder.rglob("*.safetensors"))
    assert content.num_bytes == sizes > 4 * 400


def test_what_was_not_used_for_so_long_goes(files: CacheFiles) -> None:
    unused = cache_content(files.folder).unused(2)
    told: list[tuple[int, int]] = []
    assert clear(unused, lambda *at: told.append(at) is None) == unused.num_bytes
    assert keys(files) == {"0", "1"}
    assert told == [(0, 2)]


def test_what_a_run_has_read_is_used(files: CacheFiles) -> None:
    assert files.read("3") is not None
    unused = cache_content(files.folder).unused(1)
    assert {entry.path.stem for entry in unused.entries} == {"1", "2"}


def test_what_a_run_uses_between_look_and_clearing_stays(files: CacheFiles) -> None:
    unused = cache_content(files.folder).unused(2)
    assert files.read("2") is not None
    clear(unused)
    assert keys(files) == {"0", "1", "2"}


def test_it_can_be_broken_off(files: CacheFiles) -> None:
    assert clear(cache_content(files.folder).unused(1), lambda done, total: False) == 0
    assert keys(files) == {"0", "1", "2", "3"}


def test_nothing_is_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert cache_content(tmp_path / "nowhere").entries == []
