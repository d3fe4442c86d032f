"""What a run was asked and what it really used, read from the records in its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import (
    Any,
    NotRequired,  # what pydantic asks for
)

from PySide6.QtCore import QObject, Signal
from typing_extensions import TypedDict

from desktop_app.background import LatestJob
from trainer_core.errors import TrainerError
from trainer_core.files.form import Count, checked, plain_json
from trainer_core.files.reading import read_limited
from trainer_core.files.run_folder import RunFolder
from trainer_core.settings import files
from trainer_core.settings.schema import TRAIN

_MAX_BYTES = 4 * 2**20


class _Effective(TypedDict):
    """What of ``effective.json`` is read by more than its name."""

    run_id: str
    used: NotRequired[dict[str, Any]]
    trainable_parameters: NotRequired[dict[str, Count]]
    trigger_words: NotRequired[list[str]]


@dataclass(frozen=True, slots=True)
class Records:
    """Both records of a run, raw.

    Attributes:
        asked: The settings, by path ``section.name``.
        used: What those came to that were left open, likewise.
        facts: What else the trainer wrote down.
    """

    asked: Mapping[str, Any] = field(default_factory=dict)
    used: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def value(self, path: str) -> Any:
        """Return what a setting came to, raw; None if it is not known."""
        return self.used.get(path, self.asked.get(path))


class UsedSettings(QObject):
    """The records of the run at hand, read in a thread once they are there.

    Attributes:
        records: What was read; empty before that.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.records = Records()
        self._session: tuple[str, int] | None = None
        self._reading = LatestJob(self, only_reads=True)
        self._reading.finished.connect(self._on_read)

    def clear(self) -> None:
        """Forget the run."""
        self._session = None
        self._reading.cancel()
        self.records = Records()
        self.changed.emit()

    def read(self, folder: RunFolder, run_id: str, *, session: int) -> None:
        """Read the records of a run, once for every session of its trainer."""
        if self._session != (run_id, session):
            self._session = (run_id, session)
            self._reading.start(lambda job: read_records(folder, run_id))

    def close(self) -> None:
        """Drop the work at hand and wait until its thread has let go."""
        self._reading.close()

    def _on_read(self, records: Records | None) -> None:
        if records is not None:
            self.records = records
            self.changed.emit()


def read_records(folder: RunFolder, run_id: str) -> Records | None:
    """Return what the folder holds of a run; None if that is of another run, or damaged."""
    try:
        asked = files.load(folder.run_file)
        facts = plain_json(read_limited(folder.effective_file, _MAX_BYTES))
        known = checked(_Effective, facts)
    except (TrainerError, OSError, ValueError):
        return None
    if known["run_id"] != run_id:
        return None
    used = {_place_today(path): value for path, value in known.get("used", {}).items()}
    return Records(_by_path(asked.raw), used, facts)


def _place_today(path: str) -> str:
    """Return where a setting is that an earlier version wrote down at ``path``."""
    return TRAIN.path_of(path.rpartition(".")[2]) or path


def _by_path(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{section}.{name}": value
        for section, values in raw.items()
        if isinstance(values, Mapping)
        for name, value in values.items()
    }
