"""Keeps unsaved changes aside while they are unsaved, so that a crash does not take them."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from desktop_app.background import Gate, Threads
from desktop_app.document import Document
from desktop_app.document_file.recovery import RecoveryFile, Unsaved
from desktop_app.document_file.typed_value import TypedValue
from trainer_core.errors import TrainerError
from trainer_core.settings.document import replaced

_PAUSE_MS = 3000
_logger = logging.getLogger(__name__)


class Autosave(QObject):
    """Writes the document's unsaved changes a moment after they were made."""

    failed = Signal(object)  # TrainerError: they could not be written

    def __init__(self, document: Document, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._place = RecoveryFile.fresh(folder)
        self._is_kept = False
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self.keep_now)
        self._threads = Threads(1)  # one: what is removed must not be written again afterwards
        self._gate = Gate(self)
        self._typed = TypedValue(document, self)
        self._is_closed = False
        self._typed.changed.connect(self._on_changed)
        document.changed.connect(self._on_changed)
        document.name_changed.connect(self._on_changed)

    def keep_now(self) -> None:
        """Put the changes aside without waiting, if there are any."""
        self._pause.stop()
        if self._has_unsaved():
            self._run(partial(self._place.write, self._unsaved()))
            self._is_kept = True

    def take_over(self, place: RecoveryFile) -> None:
        """Keep the changes as this window's own; they came from ``place``, which is removed."""
        self._pause.stop()
        self._is_kept = self._has_unsaved()
        steps = [partial(self._place.write, self._unsaved())] if self._is_kept else []
        # One piece of work: what fails to be written here is not removed there.
        self._run(partial(_run_all, [*steps, place.discard, place.release]))

    def close(self) -> None:
        """Drop what is kept: the changes were saved, or are not wanted."""
        self._is_closed = True
        self._forget()
        self._threads.close()
        self._place.release()

    def _on_changed(self) -> None:
        if not self._has_unsaved():
            self._forget()
        elif not self._pause.isActive():  # not put off by further changes
            self._pause.start()

    def _has_unsaved(self) -> bool:
        return not self._is_closed and (self._document.is_dirty or bool(self._typed.values()))

    def _forget(self) -> None:
        self._pause.stop()
        if self._is_kept:
            self._run(self._place.discard)
            self._is_kept = False

    def _unsaved(self) -> Unsaved:
        document, now = self._document, datetime.datetime.now().astimezone()
        file = document.as_file
        file.raw = replaced(file.raw, self._typed.values())
        return Unsaved(file, document.path, document.stamp, now)

    def _run(self, work: Callable[[], object]) -> None:
        self._threads.run(partial(_run_or_report, work, partial(self._gate.emit, self.failed)))


def _run_or_report(work: Callable[[], object], fail: Callable[[object], None]) -> None:
    try:
        work()
    except TrainerError as error:
        _logger.warning("unsaved changes: %s", error)
        fail(error)


def _run_all(steps: Sequence[Callable[[], object]]) -> None:
    for step in steps:
        step()
