"""Where a run's results go when its output folder cannot take them."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from trainer_core.files.own_folders import data_folder
from trainer_core.files.presence import is_folder

_NEAREST = 3


def other_places(output_dir: Path) -> Callable[[], Iterator[Path]]:
    """Look at the disks now, and return what later yields folders to write to, nearest first.

    These are the output folder and those above it, then the program's own, then one for temporary
    files. Of the first, only those on the disk that they are on now: a folder under which a disk
    is no longer mounted would hide what is written once the disk is back.
    """
    above = (output_dir, *output_dir.parents)
    known = {place: disk for place in above if (disk := _disk(place)) is not None}

    def places() -> Iterator[Path]:
        unchanged = (place for place, disk in known.items() if _disk(place) == disk)
        yield from itertools.islice(unchanged, _NEAREST)
        yield data_folder() / "rescued"
        yield Path(tempfile.gettempdir())

    return places


def _disk(place: Path) -> int | None:
    try:
        return place.stat().st_dev if is_folder(place) else None
    except OSError:
        return None
