"""Which runs the app knows of: noted when they begin and end, looked for at the start."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop_app.background import Job, LatestJob, Threads
from desktop_app.document import Document
from desktop_app.process.outcome import Ending, Outcome
from desktop_app.process.run_control import RunControl
from desktop_app.process.run_register import FoundRun, RunRegister
from trainer_core.errors import TrainerError
from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.messages import Event, Hello


class KnownRuns(QObject):
    """Keeps a `RunRegister` of the workspace's runs, in a thread: disks may be slow."""

    found = Signal(list)  # of FoundRun: what is at work, or has ended since nobody looked

    def __init__(
        self, run: RunControl, document: Document, path: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._run = run
        self._document = document
        self._register = RunRegister(path)
        self._writing = Threads(1)  # one after the other
        self._looking = LatestJob(self, only_reads=True)
        self._looking.finished.connect(self._on_looked)
        run.event_received.connect(self._on_event)
        run.ended.connect(self._on_ended)

    def find(self) -> None:
        """Look for runs that are at work or have ended since; `found` tells."""
        self._looking.start(partial(_find, self._register))  # the thread must not hold this object

    def mark_end_known(self, folder: RunFolder) -> None:
        """Take note that somebody knows how the run in ``folder`` ended."""
        self._write(partial(self._register.mark_end_known, folder.path))

    def close(self) -> None:
        """Wait until everything is written."""
        self._looking.close()
        self._writing.close()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Hello) and event.run_folder and self._run.is_running:
            folder = self._run.folder
            document = None if self._run.is_attached else self._document.path
            if folder is not None:
                self._write(partial(self._register.note, folder.path, document))

    def _on_ended(self, outcome: Outcome) -> None:
        if self._run.folder is not None and outcome.ending is not Ending.OUT_OF_SIGHT:
            self.mark_end_known(self._run.folder)

    def _on_looked(self, found: object) -> None:
        self.found.emit(found or [])

    def _write(self, write: Callable[[], object]) -> None:
        self._writing.run(partial(_write_if_possible, write))


def _find(register: RunRegister, _job: Job) -> list[FoundRun]:
    return register.find()


def _write_if_possible(write: Callable[[], object]) -> None:
    with contextlib.suppress(TrainerError):  # a full disk: the run is not found again, no more
        write()
