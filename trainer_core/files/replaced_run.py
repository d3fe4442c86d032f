"""What an overwritten run left, kept in one folder until the run that replaces it has completed.

``<name>.replaced`` lies beside the weights and holds everything as it lay there: weights, states,
and the records of ``<name>.run``. It is called ``<name>.replaced.part`` while things are moved in
or out; a killed process leaves it so, and the next one moves everything back.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from typing_extensions import TypedDict  # what pydantic asks for

from trainer_core.files.form import read_record
from trainer_core.files.links import is_link, is_taken
from trainer_core.files.presence import is_folder
from trainer_core.files.reading import open_regular
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.writing import (
    discard,
    move,
    publish_bytes,
    publish_folder,
    publish_text,
)

_SUFFIX = ".replaced"
_PART = ".part"
_MARK, _FORMAT = "replaced.json", "loom-replaced/1"  # by which a folder is known as ours
_MARK_BYTES, _LOG_BYTES = 2**16, 16 * 2**20


class _Mark(TypedDict):
    """What the mark of a folder of ours says."""

    format: Literal["loom-replaced/1"]
    name: str


@dataclass(frozen=True, slots=True)
class ReplacedRun:
    """What the runs that were overwritten in a place left; its run's lock must be held."""

    folder: RunFolder

    def is_any(self) -> bool:
        """Tell whether something is kept, or was being moved when a process was killed."""
        return bool(self._kept() or self._halfway())

    def set_aside(self) -> None:
        """Move weights, states and records of the name into a folder of their own.

        Raises:
            OutputError: Something cannot be moved; then everything is where it was.
        """
        free = next(path for path in self._names() if not self._is_used(path))
        part = _part(free)
        mark = json.dumps({"format": _FORMAT, "name": self.folder.name})
        publish_folder(part, lambda aside: publish_text(aside / _MARK, mark))
        try:
            for path in (*self.folder.weights(), *self.folder.state_folders()):
                move(path, part / path.name)
            for path in self.folder.records():
                move(path, part / self.folder.path.name / path.relative_to(self.folder.path))
            move(part, free)
        except BaseException:
            self._move_back(part)
            raise

    def recover(self) -> bool:
        """Put right what a killed process left: put back what nothing has replaced yet.

        Returns:
            Whether something was put back.

        Raises:
            OutputError: Something cannot be moved.
        """
        halfway = self._halfway()
        for part in halfway:
            self._move_back(part)
        return self.put_back() or bool(halfway)

    def comes_back(self) -> bool:
        """Tell whether something is set aside that no run has saved anything in place of."""
        return bool(self._kept()) and not (self.folder.weights() or self.folder.state_folders())

    def put_back(self) -> bool:
        """Move what was set aside last to where it was, unless its successor has saved anything.

        The log of the successor goes on in the one that comes back; its other records go.

        Returns:
            Whether something was put back.

        Raises:
            OutputError: Something cannot be moved.
        """
        kept = self._kept()
        if not self.comes_back():
            return False
        self._join_logs(kept[-1])
        for path in self.folder.records():
            discard(path)
        part = _part(kept[-1])
        move(kept[-1], part)
        self._move_back(part)
        return True

    def let_go(self) -> None:
        """Remove everything that was set aside.

        Raises:
            OutputError: Something cannot be removed.
        """
        for path in self._kept():
            discard(path)

    # ------------------------------------------------------------- the folders

    def _names(self) -> list[Path]:
        first = self.folder.output_dir / f"{self.folder.name}{_SUFFIX}"
        return [first, *(first.with_name(f"{first.name}-{n}") for n in range(2, 1000))]

    def _is_used(self, path: Path) -> bool:
        return is_taken(path) or is_taken(_part(path))

    def _kept(self) -> list[Path]:
        """Return what is set aside, oldest first."""
        return [path for path in self._found() if not path.name.endswith(_PART)]

    def _halfway(self) -> list[Path]:
        return [path for path in self._found() if path.name.endswith(_PART)]

    def _found(self) -> list[Path]:
        name = re.escape(f"{self.folder.name}{_SUFFIX}")
        pattern = re.compile(rf"{name}(-(?P<number>\d+))?({re.escape(_PART)})?")
        found: list[tuple[int, Path]] = []
        with contextlib.suppress(OSError, ValueError):
            for path in self.folder.output_dir.iterdir():
                match = pattern.fullmatch(path.name)
                if match is not None and _is_ours(path, self.folder.name):
                    found.append((int(match["number"] or 1), path))
        return [path for _, path in sorted(found)]

    # ------------------------------------------------------------- moving

    def _move_back(self, part: Path) -> None:
        """Move everything out again; what would replace something stays in the folder."""
        inner = part / self.folder.path.name
        for path in (path for path in _inside(part) if path.name not in (_MARK, inner.name)):
            _move_to_free(path, self.folder.output_dir / path.name)
        samples = inner / self.folder.samples.name
        for path in (path for path in _inside(inner) if path != samples):
            _move_to_free(path, self.folder.path / path.name)
        for path in _inside(samples):
            _move_to_free(path, self.folder.samples / path.name)
        rest = {*_inside(part), *_inside(inner), *_inside(samples)}
        if rest <= {part / _MARK, inner, samples}:
            discard(part)

    def _join_logs(self, kept: Path) -> None:
        old = kept / self.folder.path.name / self.folder.log_file.name
        with contextlib.suppress(OSError):  # there is none
            new = _end_of(self.folder.log_file)
            before = _end_of(old) if is_taken(old) else b""
            publish_bytes(old, before + new, replace=True)


def _part(path: Path) -> Path:
    return path.with_name(path.name + _PART)


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if is_folder(folder) else []


def _move_to_free(source: Path, target: Path) -> None:
    if not is_taken(target):
        move(source, target)
    elif source.is_file() and target.samefile(source):
        discard(source)  # a process was killed between giving the new name and taking the old


def _end_of(log: Path) -> bytes:
    with open_regular(log) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_BYTES))
        return file.read()


def is_replaced_name(name: str, final: str) -> bool:
    """Tell whether ``final`` is what a folder of replaced runs called ``name`` is called."""
    pattern = rf"{re.escape(name + _SUFFIX)}(-\d+)?({re.escape(_PART)})?"
    return re.fullmatch(pattern, final) is not None


def _is_ours(path: Path, name: str) -> bool:
    """Tell by its mark whether a folder is one of ours, for runs of this name."""
    if is_link(path) or not is_folder(path):
        return False
    with contextlib.suppress(OSError, ValueError):
        return read_record(path / _MARK, _Mark, _MARK_BYTES)["name"] == name
    return False
