"""What runs have kept to begin sooner, how much of the disk it takes, and what of it can go.

Everything here can be made again. An entry counts as used when a run reads or writes it; what no
run has used for a while, none needs.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_DAY_S = 24 * 60 * 60.0
_ENDING = ".safetensors"
_TOLD_EVERY = 100  # entries


class CacheEntry(NamedTuple):
    """A file of a cache: its size, and when a run used it last, as Unix time."""

    path: Path
    num_bytes: int
    used_at: float


@dataclass(frozen=True, slots=True)
class CacheContent:
    """What lies in the folder of one cache."""

    folder: Path
    entries: Sequence[CacheEntry] = ()

    @property
    def num_bytes(self) -> int:
        """What all entries take."""
        return sum(entry.num_bytes for entry in self.entries)

    def unused(self, days: int, now: float | None = None) -> CacheContent:
        """Return what no run has used for so many days."""
        limit = (time.time() if now is None else now) - days * _DAY_S
        old = [entry for entry in self.entries if entry.used_at < limit]
        return CacheContent(self.folder, old)


def cache_content(folder: Path, is_cancelled: Callable[[], bool] = lambda: False) -> CacheContent:
    """Look at a cache; nothing is in a folder that cannot be read.

    Args:
        folder: Of the cache.
        is_cancelled: Asked now and then whether to break off.
    """
    found: list[CacheEntry] = []
    for entry in _files(folder):
        if len(found) % _TOLD_EVERY == 0 and is_cancelled():
            break
        found.append(entry)
    return CacheContent(folder, found)


def clear(
    content: CacheContent, progress: Callable[[int, int], bool] = lambda done, total: True
) -> int:
    """Remove entries, but for those that were used since they were looked at.

    Args:
        content: What is to go.
        progress: Told now and then how many are done, and of how many; False breaks off.

    Returns:
        The bytes that were freed. What cannot be removed stays.
    """
    freed, total = 0, len(content.entries)
    for number, entry in enumerate(content.entries):
        if number % _TOLD_EVERY == 0 and not progress(number, total):
            break
        with contextlib.suppress(OSError):
            if entry.path.stat().st_mtime <= entry.used_at:
                entry.path.unlink()
                freed += entry.num_bytes
    return freed


def _files(folder: Path) -> Iterator[CacheEntry]:
    paths = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    for path in paths:
        if path.suffix == _ENDING and not path.name.startswith("."):
            with contextlib.suppress(OSError):
                facts = path.stat()
                yield CacheEntry(path, facts.st_size, facts.st_mtime)
