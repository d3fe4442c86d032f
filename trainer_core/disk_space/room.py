"""How much room there is where a run writes, and what is said where it does not suffice."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer_core.disk_space.needs import CACHE, Need
from trainer_core.errors import OutputError
from trainer_core.files.links import is_link
from trainer_core.files.run_folder import RunFolder
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.texts import T, size_text, text


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk of a folder: what tells it from others, and its free bytes."""

    number: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Demand:
    """What a run needs on one disk, the largest need first, and what is free there."""

    needs: tuple[Need, ...]
    free_bytes: int

    @property
    def num_bytes(self) -> int:
        """The sum of the needs."""
        return sum(need.num_bytes for need in self.needs)

    @property
    def is_met(self) -> bool:
        """True if there is room for all of them."""
        return self.num_bytes <= self.free_bytes


def disk_of(folder: Path) -> Disk | None:
    """Look at the disk that ``folder`` is on or would be made on; None if it does not say.

    Of a disk with quotas it is the whole disk's room that is known.
    """
    for place in (folder, *folder.parents):
        try:
            return Disk(place.stat().st_dev, shutil.disk_usage(place).free)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError):
            return None
    return None


def demands(
    needs: Sequence[Need], look: Callable[[Path], Disk | None] = disk_of
) -> tuple[Demand, ...]:
    """Return what is needed disk by disk; what nobody knows the disk of is left out."""
    by_disk: dict[int, tuple[list[Need], int]] = {}
    for need in needs:
        disk = look(need.folder)
        if disk is not None:
            by_disk.setdefault(disk.number, ([], disk.free_bytes))[0].append(need)
    return tuple(
        Demand(tuple(sorted(found, key=lambda need: -need.num_bytes)), free)
        for found, free in by_disk.values()
    )


def without_present(needs: Sequence[Need], folder: RunFolder) -> list[Need]:
    """Return what a run that goes on needs beside what it has written already."""
    present = sum(map(_size, [*folder.weights(), *folder.state_folders(), folder.path]))
    return [
        need._replace(num_bytes=max(0, need.num_bytes - present))
        if need.folder == folder.output_dir
        else need
        for need in needs
    ]


def space_problems(demands: Sequence[Demand]) -> list[Problem]:
    """Return a warning for each disk that has too little room: it may be emptied meanwhile."""
    return [_problem(demand) for demand in demands if not demand.is_met]


def _problem(demand: Demand) -> Problem:
    largest = demand.needs[0]
    template = T("Problems", "This run needs up to {needed} in {folder}, and {free} are free.")
    message = text(
        template,
        needed=size_text(demand.num_bytes),
        folder=largest.folder,
        free=size_text(demand.free_bytes),
    )
    words = text(T("Problems", "Free some space, choose another folder, or keep fewer files."))
    if largest.setting == CACHE:
        words = text(
            T("Problems", "Free some space, or turn off {param}."), param="cache_latents_to_disk"
        )
    return Problem(largest.setting, Severity.WARNING, message, Suggestion(words), kind=OutputError)


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder, as far as they can be seen."""
    try:
        if path.is_dir() and not is_link(path):
            return sum(map(_size, path.iterdir()))
        return path.lstat().st_size
    except OSError:
        return 0
