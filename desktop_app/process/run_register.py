"""The runs that this app started or watched, in a file, and what has become of them since."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QLockFile
from typing_extensions import TypedDict  # what pydantic asks for

from desktop_app.process.event_file import events_in
from desktop_app.process.outcome import Outcome, ProcessEnd, outcome_of
from trainer_core.files.form import read_record
from trainer_core.files.presence import is_folder
from trainer_core.files.reading import open_regular
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.run_lock import LockHolder, lock_holder
from trainer_core.files.writing import publish_text
from trainer_core.protocol.codec import MAX_LINE_BYTES
from trainer_core.protocol.messages import Event, Failed, Finished, Hello, StepDone

_KEPT = 50
_MAX_BYTES = 2**20
_PATIENCE_MS = 5_000  # for another window that writes just now
_TAIL_BYTES = 2 * MAX_LINE_BYTES  # the last events of a run, at least one


@dataclass(frozen=True, slots=True)
class KnownRun:
    """One run: its ``.run`` folder, the run file it was started from, and whether its end is known.

    Attributes:
        folder: Where it keeps its records.
        document: The run file that was open when it was started; None if that had no name.
        is_end_known: Whether somebody was told how it ended; ``is_told`` in the file.
    """

    folder: Path
    document: Path | None = None
    is_end_known: bool = False


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run that is at work (``holder``), or that has ended since nobody looked (``outcome``)."""

    known: KnownRun
    holder: LockHolder | None = None
    outcome: Outcome | None = None

    @property
    def folder(self) -> RunFolder:
        """Its folder."""
        return RunFolder.at(self.known.folder)


class _Entry(TypedDict):
    """A run in the register's file."""

    folder: str
    document: str | None
    is_told: bool


class _Register(TypedDict):
    """The register's file."""

    runs: list[_Entry]


class RunRegister:
    """`KnownRun`s in a JSON file, newest first; several windows may write it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def runs(self) -> list[KnownRun]:
        """Return what is registered; a damaged file counts as empty."""
        try:
            content = read_record(self._path, _Register, _MAX_BYTES)
        except (OSError, ValueError):
            return []
        return [_known(run) for run in content["runs"]]

    def note(self, folder: Path, document: Path | None = None) -> None:
        """Put a run first: it is at work. Without ``document`` it keeps the one it had.

        Raises:
            OutputError: The register cannot be written.
        """
        with self._locked():
            runs = self.runs()
            before = next((run for run in runs if run.folder == folder), KnownRun(folder))
            noted = KnownRun(folder, document or before.document)
            others = [run for run in runs if run.folder != folder]
            self._write([noted, *others][:_KEPT])

    def mark_end_known(self, folder: Path) -> None:
        """Take note that somebody knows how the run ended.

        Raises:
            OutputError: The register cannot be written.
        """
        self._change(
            lambda run: replace(run, is_end_known=run.is_end_known or run.folder == folder)
        )

    def find(self) -> list[FoundRun]:
        """Return the runs that are at work or have ended since, newest first.

        Those that are gone from the disk are nobody's concern any more.
        """
        existing = (run for run in self.runs() if is_folder(run.folder))
        found = [_found(run) for run in existing]
        return [run for run in found if run.holder is not None or run.outcome is not None]

    def _change(self, change: Callable[[KnownRun], KnownRun]) -> None:
        with self._locked():
            runs = self.runs()
            changed = [change(run) for run in runs]
            if changed != runs:
                self._write(changed)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other windows from writing between our reading and writing, if that can be."""
        lock = QLockFile(str(self._path.with_suffix(".lock")))
        lock.tryLock(_PATIENCE_MS)
        try:
            yield
        finally:
            lock.unlock()

    def _write(self, runs: Sequence[KnownRun]) -> None:
        entries = [
            {
                "folder": str(run.folder),
                "document": str(run.document) if run.document else None,
                "is_told": run.is_end_known,
            }
            for run in runs
        ]
        publish_text(self._path, json.dumps({"runs": entries}, indent=1), replace=True)


def _known(entry: _Entry) -> KnownRun:
    document = entry["document"]
    return KnownRun(Path(entry["folder"]), Path(document) if document else None, entry["is_told"])


def _found(run: KnownRun) -> FoundRun:
    folder = RunFolder.at(run.folder)
    holder = lock_holder(folder.lock_file)
    if holder is not None or run.is_end_known:
        return FoundRun(run, holder)
    return FoundRun(run, outcome=past_outcome(folder))


def past_outcome(folder: RunFolder) -> Outcome:
    """Return how a run ended at which no trainer is at work any more."""
    last_word, step = None, None
    for event in _last_events(folder.event_file):
        match event:
            case Hello():
                last_word = None  # what went on was told again
            case Finished() | Failed():
                last_word = event
            case StepDone():
                step = event.step
    state = folder.newest_state()
    end = ProcessEnd(None, has_crashed=last_word is None)
    return outcome_of(end, last_word, folder.log_file, state=state, step=step)


def _last_events(path: Path) -> list[Event]:
    try:
        with open_regular(path) as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL_BYTES))
            return events_in(file.read())
    except OSError:
        return []
