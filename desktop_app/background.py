"""Work in a thread of its own, of which only the newest request counts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QThreadPool, Signal, SignalInstance

_logger = logging.getLogger(__name__)


class Gate:
    """Lets threads emit the signals of an object only as long as it is not being destroyed."""

    def __init__(self, owner: QObject) -> None:
        self._lock = threading.Lock()
        self._is_open = True
        owner.destroyed.connect(self.close)

    def emit(self, signal: SignalInstance, *arguments: object) -> None:
        """Emit a signal of the owner, unless it is too late."""
        with self._lock:
            if self._is_open:
                signal.emit(*arguments)

    def close(self) -> None:
        """Let nothing through any more."""
        with self._lock:
            self._is_open = False


class Job:
    """One request: the work looks at ``is_cancelled`` and may report on its way."""

    def __init__(self, report: Callable[[Job, object], None]) -> None:
        self.is_cancelled = False
        self._report = report

    def report(self, part: object) -> None:
        """Send a part of the result to the GUI thread."""
        if not self.is_cancelled:
            self._report(self, part)


class LatestJob(QObject):
    """Runs one job at a time; a new one cancels the one before, whose results are dropped.

    Signals are emitted in the thread that owns this object. The work must not touch Qt objects.
    """

    reported = Signal(object)
    finished = Signal(object)  # what the work returned

    _reported_in_thread = Signal(object, object)
    _finished_in_thread = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._gate = Gate(self)
        self._job: Job | None = None
        self._reported_in_thread.connect(self._on_reported)
        self._finished_in_thread.connect(self._on_finished)

    @property
    def is_running(self) -> bool:
        """True while the newest job has not finished."""
        return self._job is not None

    def start(self, work: Callable[[Job], object]) -> None:
        """Do ``work`` in the thread, instead of whatever is being done."""
        self.cancel()
        self._job = job = Job(partial(self._gate.emit, self._reported_in_thread))
        self._pool.start(lambda: self._run(job, work))

    def cancel(self) -> None:
        """Drop the job at hand and its results."""
        if self._job is not None:
            self._job.is_cancelled = True
            self._job = None

    def close(self) -> None:
        """Drop the job at hand and wait until its thread has let go of it."""
        self.cancel()
        self._pool.waitForDone()

    def _run(self, job: Job, work: Callable[[Job], object]) -> None:
        if job.is_cancelled:
            return
        try:
            result = work(job)
        except Exception:  # the top of a thread: a defect is logged, the app goes on
            _logger.exception("background work failed")
            result = None
        if not job.is_cancelled:
            self._gate.emit(self._finished_in_thread, job, result)

    def _on_reported(self, job: Job, part: object) -> None:
        if job is self._job:
            self.reported.emit(part)

    def _on_finished(self, job: Job, result: object) -> None:
        if job is self._job:
            self._job = None
            self.finished.emit(result)
