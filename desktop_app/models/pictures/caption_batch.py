"""Many captions changed at once: written in a thread, one step of undo together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from desktop_app.background import Gate, Threads
from desktop_app.translation import shown
from trainer_core.dataset.caption_files import CaptionFile, put
from trainer_core.errors import TrainerError
from trainer_core.texts import T

_NAMED = 3
_REPORT_EVERY = 20  # files: each takes some milliseconds to be safe on the disk


@dataclass(frozen=True, slots=True)
class CaptionChange:
    """The caption file of a picture before and after."""

    picture: Path
    before: CaptionFile
    after: CaptionFile

    @property
    def reverse(self) -> CaptionChange:
        """The way back."""
        return CaptionChange(self.picture, self.after, self.before)


@dataclass(slots=True)
class BatchResult:
    """What came of many changes: those that were made, and why the others were not."""

    done: list[CaptionChange] = field(default_factory=list)
    errors: list[TrainerError] = field(default_factory=list)

    @property
    def unwritten(self) -> str:
        """How many captions could not be written, and the first reasons; "" if all were."""
        if not self.errors:
            return ""
        named = [shown(error.message) for error in self.errors[:_NAMED]]
        count = len(self.errors)
        head = shown(T("App", "Captions that were not written: {count}"), count=count)
        return "\n".join([head, *named, *["…"] * (count > _NAMED)])


class CaptionBatch(QObject):
    """Makes changes one batch after the other; those of undo and redo too."""

    progressed = Signal(int, int)  # how many files are written, of how many
    rewritten = Signal(object)  # dict of CaptionFiles by pictures, as they are now
    finished = Signal(object)  # BatchResult

    _written = Signal(object, object)  # in the GUI thread, for a thread: the step, its result

    def __init__(self, undo_stack: QUndoStack, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._undo_stack = undo_stack
        self._threads = Threads(1)
        self._gate = Gate(self)
        self._waiting = 0
        self._written.connect(self._on_written)

    @property
    def is_busy(self) -> bool:
        """True while files are being written."""
        return self._waiting > 0

    def make(self, changes: Sequence[CaptionChange], title: str) -> None:
        """Write the captions; what could be written becomes one step of undo."""
        step = _BatchStep(self, list(changes), title)
        self.write(changes, partial(self._finish_step, step))

    def write(
        self, changes: Sequence[CaptionChange], then: Callable[[BatchResult], object]
    ) -> None:
        """Write the captions in the thread, then say what came of it, in the GUI thread."""
        self._waiting += 1
        report = partial(self._gate.emit, self.progressed)
        done = partial(self._gate.emit, self._written, then)
        self._threads.run(partial(_write, tuple(changes), report, done))

    def close(self) -> None:
        """Wait until everything is written; more can be written afterwards."""
        self._threads.close()

    def _on_written(self, then: Callable[[BatchResult], object], result: BatchResult) -> None:
        self._waiting -= 1
        then(result)
        self.rewritten.emit({change.picture: change.after for change in result.done})
        self.finished.emit(result)

    def _finish_step(self, step: _BatchStep, result: BatchResult) -> None:
        if result.done:
            step.changes = result.done
            self._undo_stack.push(step)


def _write(
    changes: Sequence[CaptionChange],
    report: Callable[[int, int], object],
    done: Callable[[BatchResult], object],
) -> None:
    result = BatchResult()
    try:
        for number, change in enumerate(changes, start=1):
            try:
                put(change.after, instead_of=change.before)
            except TrainerError as error:
                result.errors.append(error)
            else:
                result.done.append(change)
            if number % _REPORT_EVERY == 0 or number == len(changes):
                report(number, len(changes))
    finally:
        done(result)  # of a defect too: somebody waits for it


class _BatchStep(QUndoCommand):
    """The captions before and after; they were written before the step is pushed."""

    def __init__(self, batch: CaptionBatch, changes: list[CaptionChange], title: str) -> None:
        super().__init__(title)
        self._batch = batch
        self._is_new = True
        self.changes = changes

    def redo(self) -> None:
        if self._is_new:
            self._is_new = False
        else:
            self._batch.write(self.changes, self._keep_done)

    def undo(self) -> None:
        changes = [change.reverse for change in self.changes]
        self._batch.write(changes, self._keep_undone)

    def _keep_done(self, result: BatchResult) -> None:
        self.changes = result.done  # of the others the step says nothing true any more

    def _keep_undone(self, result: BatchResult) -> None:
        self.changes = [change.reverse for change in result.done]
