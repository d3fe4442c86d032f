"""Unsaved changes kept aside: one file for each open window, gone once they are saved or dropped.

A recovery file is JSON: the text that a save would write, comments and mistakes included, with the
path and the stamp of the run file that it belongs to. The lock beside it ends with its window.
"""

from __future__ import annotations

import json
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QLockFile
from typing_extensions import TypedDict  # what pydantic asks for

from trainer_core.errors import TrainerError
from trainer_core.files.form import read_record
from trainer_core.files.writing import discard, output_error, publish_text, remove_leftovers
from trainer_core.settings import files

_FORMAT = "loom-unsaved/1"
_MAX_BYTES = 16 * 2**20
_logger = logging.getLogger(__name__)


class _Kept(TypedDict):
    """A recovery file."""

    format: Literal["loom-unsaved/1"]
    path: str | None
    stamp: str | None
    kept: str
    newline: Literal["\n", "\r\n"]
    text: str


@dataclass(frozen=True, slots=True)
class Unsaved:
    """Changes that no run file holds.

    Attributes:
        file: What a save would have written.
        path: The run file that it belongs to, None if it never had one.
        stamp: The stamp of that run file's content when it was read.
        kept: When the changes were put aside.
    """

    file: files.RunFile
    path: Path | None
    stamp: str | None
    kept: datetime


class RecoveryFile:
    """The place for one window's unsaved changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # Qt's lock takes the process id into account: one that a killed app left is no obstacle.
        self._lock = QLockFile(str(path.with_suffix(".lock")))
        self._lock.setStaleLockTime(0)  # and time alone makes none stale

    @classmethod
    def fresh(cls, folder: Path) -> RecoveryFile:
        """Return a place that no other window uses."""
        return cls(folder / f"{secrets.token_hex(8)}.json")

    def take(self) -> bool:
        """Keep other windows off; False if one of them has it."""
        return self._lock.isLocked() or self._lock.tryLock(0)

    def release(self) -> None:
        """Let other windows have it."""
        self._lock.unlock()

    def write(self, unsaved: Unsaved) -> None:
        """Keep these changes instead of those before.

        Raises:
            OutputError: They cannot be written.
        """
        content = {
            "format": _FORMAT,
            "path": None if unsaved.path is None else str(unsaved.path.absolute()),
            "stamp": unsaved.stamp,
            "kept": unsaved.kept.isoformat(),
            "newline": unsaved.file.newline,
            "text": files.dumps(unsaved.file),
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(error, self._path) from error
        self.take()
        publish_text(self._path, json.dumps(content, indent=1), replace=True)

    def read(self) -> Unsaved | None:
        """Return the changes, None if there are none that this version can read."""
        try:
            content = read_record(self._path, _Kept, _MAX_BYTES)
            file = files.loads(content["text"], str(self._path))
            file.newline = content["newline"]
            path, kept = content["path"], datetime.fromisoformat(content["kept"])
            return Unsaved(file, Path(path) if path else None, content["stamp"], kept)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TrainerError):
            _logger.warning("%s cannot be read and is left as it is", self._path, exc_info=True)
            return None

    def discard(self) -> None:
        """Remove what is kept here.

        Raises:
            OutputError: It cannot be removed.
        """
        discard(self._path)

    def clear_leftovers(self) -> None:
        """Remove what a write that was cut off left behind; only while this place is taken."""
        remove_leftovers(self._path.parent, lambda name: name == self._path.name)


def left_behind(folder: Path) -> list[tuple[RecoveryFile, Unsaved]]:
    """Return, newest first, what windows that are no more did not save; all of it is taken."""
    found = []
    for stem in {path.stem for path in folder.glob("*") if path.suffix in (".json", ".lock")}:
        place = RecoveryFile(folder / f"{stem}.json")
        if not place.take():
            continue  # its window is open
        try:
            place.clear_leftovers()
        except TrainerError as error:  # a virus scanner has it: the next start clears it
            _logger.warning("unsaved changes: %s", error)
        unsaved = place.read()
        if unsaved is None:
            place.release()
        else:
            found.append((place, unsaved))
    # Python does not compare a time that names its zone with one that does not.
    return sorted(found, key=lambda each: each[1].kept.replace(tzinfo=None), reverse=True)
