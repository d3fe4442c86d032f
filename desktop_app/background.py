"""Work in threads: results come back as signals, and only the newest request counts."""

from __future__ import annotations

import atexit
import gc
import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache, partial
from queue import SimpleQueue
from weakref import WeakSet

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal, SignalInstance

_logger = logging.getLogger(__name__)


_PATIENCE_S = 5.0  # with a thread that has to let go, but waits for a drive that is away
_GRACE_S = 0.3  # at the end of the program, with threads that may be left behind


class Threads:
    """Threads for background work, started when first needed.

    Python's, not Qt's: a `QThreadPool` waits for its threads when it is destroyed, and Qt destroys
    children while Python holds its lock, which those threads need to finish. No executor's: the
    end of the program waits for its threads, and one may wait for a drive that is away.

    Args:
        count: The most threads at a time.
        only_reads: Nothing is lost with what they do: nobody waits for them when they are closed.
    """

    def __init__(self, count: int, *, only_reads: bool = False) -> None:
        self._count = count
        self._only_reads = only_reads
        self._work: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        _all_threads.add(self)

    def __del__(self) -> None:
        for _ in self._threads:  # whoever owned them is gone without closing them
            self._work.put(None)

    def run(self, work: Callable[[], object]) -> None:
        """Do ``work`` in one of the threads; see `_Mailbox` for what that takes."""
        if len(self._threads) < self._count:
            thread = threading.Thread(
                target=_work_off, args=(self._work,), name="background", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        _mailbox().hold()
        self._work.put(work)

    def close(self, *, wait: bool = True) -> None:
        """End the threads, once everything is done; wait for that, or leave it to them.

        A thread that has not ended after some seconds is left to itself too.
        """
        threads, self._threads = self._threads, []
        work, self._work = self._work, SimpleQueue()
        for _ in threads:
            work.put(None)
        if self._only_reads:
            _reading.update(threads)
        elif wait:
            _join(threads, _PATIENCE_S)
        else:
            _ending.update(threads)


_all_threads: WeakSet[Threads] = WeakSet()
_ending: WeakSet[threading.Thread] = WeakSet()  # nobody has waited for them yet
_reading: WeakSet[threading.Thread] = WeakSet()  # nobody has to


def _join(threads: Iterable[threading.Thread], patience_s: float) -> None:
    until = time.monotonic() + patience_s
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0.0))


@atexit.register
def _finish() -> None:
    """Let what is being written come to its end before the program does."""
    for threads in list(_all_threads):
        threads.close(wait=False)
    _join(list(_ending), _PATIENCE_S)
    _join(list(_reading), _GRACE_S)


def run_apart(work: Callable[[], object]) -> None:
    """Do ``work`` in a thread of its own, for which nobody waits."""
    _mailbox().hold()
    threading.Thread(
        target=_work_and_release, args=(work,), name="background-apart", daemon=True
    ).start()


def _work_off(queue: SimpleQueue[Callable[[], object] | None]) -> None:
    while (work := queue.get()) is not None:
        _work_and_release(work)
        del work


def _work_and_release(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:  # the top of a thread: a defect is logged, the app goes on
        _logger.exception("background work failed")
    finally:
        del work  # whatever it held goes before the collector may come
        _mailbox().post(_mailbox().release)


class _Mailbox(QObject):
    """Carries calls from threads to the GUI thread, which looks for them while threads work.

    No thread emits a signal: it would hold Python's lock while it waits for one of Qt's, and the
    GUI thread, where it destroys an object, holds one of Qt's while it waits for Python's.

    Python's cycle collector is off meanwhile. It runs in whatever thread happens to allocate, and
    destroys Qt objects there that hang in reference cycles; Qt crashes when timers or socket
    notifiers end in another thread than theirs. What is overdue is collected here, because a
    thread may wait for a drive for hours.
    """

    _LOOK_EVERY = 10  # ms

    def __init__(self) -> None:
        super().__init__(QCoreApplication.instance())
        self._calls: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._works = 0
        self._collects = False
        self._timer = QTimer(self, interval=self._LOOK_EVERY)
        self._timer.timeout.connect(self._make_calls)

    def hold(self) -> None:
        """Look for calls, and keep the collector off, until `release` was called as often."""
        if self._works == 0:
            self._collects = gc.isenabled()
            gc.disable()
            self._timer.start()
        self._works += 1

    def release(self) -> None:
        """Let the collector work again, in the GUI thread's time, once nobody holds it."""
        self._works -= 1
        if self._works == 0:
            self._timer.stop()
            if self._collects:
                gc.collect(0)  # what is overdue, before another thread can come upon it
                gc.enable()

    def post(self, call: Callable[[], object]) -> None:
        """Let the GUI thread make a call soon; from a thread at work."""
        self._calls.put(call)

    def _make_calls(self) -> None:
        while not self._calls.empty():
            self._calls.get()()
        if self._collects and self._works:
            _collect_if_due()


def _collect_if_due() -> None:
    """Collect what Python's collector would have collected by now, the oldest that is due."""
    due = [
        count > limit > 0 for count, limit in zip(gc.get_count(), gc.get_threshold(), strict=True)
    ]
    if any(due):
        gc.collect(max(generation for generation, is_due in enumerate(due) if is_due))


@cache
def _mailbox() -> _Mailbox:
    """Return the one mailbox, made in the GUI thread when threads are first needed."""
    return _Mailbox()


class Gate:
    """Has the signals of an object emitted for threads, in the GUI thread, while it is there."""

    def __init__(self, owner: QObject) -> None:
        self._is_open = True
        owner.destroyed.connect(self.close)

    def emit(self, signal: SignalInstance, *arguments: object) -> None:
        """Have a signal of the owner emitted, unless it is too late then."""
        _mailbox().post(partial(self._let_through, signal, *arguments))

    def close(self) -> None:
        """Let nothing through any more."""
        self._is_open = False

    def _let_through(self, signal: SignalInstance, *arguments: object) -> None:
        if self._is_open:
            signal.emit(*arguments)


class Job:
    """One request: the work looks at ``is_cancelled`` and may report on its way."""

    def __init__(self, report: Callable[[Job, object], None]) -> None:
        self.is_cancelled = False
        self.has_begun = False
        self._report = report

    def report(self, part: object) -> None:
        """Send a part of the result to the GUI thread."""
        if not self.is_cancelled:
            self._report(self, part)


class LatestJob(QObject):
    """Runs one job at a time; a new one cancels the one before, whose results are dropped.

    Signals are emitted in the thread that owns this object. The work must not touch Qt objects.

    Args:
        parent: Qt's owner.
        only_reads: Nothing is lost with the work: nobody waits for its thread.
    """

    reported = Signal(object)
    finished = Signal(object)  # what the work returned

    _reported_in_thread = Signal(object, object)
    _finished_in_thread = Signal(object, object)

    def __init__(self, parent: QObject | None = None, *, only_reads: bool = False) -> None:
        super().__init__(parent)
        self._threads = Threads(1, only_reads=only_reads)
        self._gate = Gate(self)
        self._job: Job | None = None
        self._task: Callable[[], object] | None = None  # what the job does
        self._patience = QTimer(self, singleShot=True, interval=round(_PATIENCE_S * 1000))
        self._patience.timeout.connect(self._on_impatient)
        self._reported_in_thread.connect(self._on_reported)
        self._finished_in_thread.connect(self._on_finished)
        self.destroyed.connect(partial(self._threads.close, wait=False))

    @property
    def is_running(self) -> bool:
        """True while the newest job has not finished."""
        return self._job is not None

    def start(self, work: Callable[[Job], object]) -> None:
        """Do ``work`` in the thread, instead of whatever is being done."""
        self.cancel()
        self._job = job = Job(partial(self._gate.emit, self._reported_in_thread))
        # The thread must not hold this object: its last reference could end there.
        finish = partial(self._gate.emit, self._finished_in_thread, job)
        self._task = partial(_run_job, job, work, finish)
        self._threads.run(self._task)
        self._patience.start()

    def cancel(self) -> None:
        """Drop the job at hand and its results."""
        self._patience.stop()
        if self._job is not None:
            self._job.is_cancelled = True
            self._job = self._task = None

    def leave_thread(self) -> None:
        """Leave the job at hand to its thread, which hangs; the next one is done in another."""
        self._threads.close(wait=False)

    def close(self) -> None:
        """Drop the job at hand; wait until its thread has let go of it, unless it only reads."""
        self.cancel()
        self._threads.close()

    def _on_impatient(self) -> None:
        """Leave the thread to itself if it has not come to the newest job yet, and take another."""
        if self._job is not None and self._task is not None and not self._job.has_begun:
            self._threads.close(wait=False)
            self._threads.run(self._task)

    def _on_reported(self, job: Job, part: object) -> None:
        if job is self._job:
            self.reported.emit(part)

    def _on_finished(self, job: Job, result: object) -> None:
        if job is self._job:
            self._patience.stop()
            self._job = self._task = None
            self.finished.emit(result)


def _run_job(job: Job, work: Callable[[Job], object], finish: Callable[[object], None]) -> None:
    if job.is_cancelled or job.has_begun:  # by another thread, when this one did not come to it
        return
    job.has_begun = True
    result = None
    try:
        result = work(job)
    finally:
        if not job.is_cancelled:
            finish(result)
