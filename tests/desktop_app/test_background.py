import gc
import threading
import time
import weakref

import pytest
import shiboken6
from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal
from PySide6.QtWidgets import QWidget

from desktop_app import background
from desktop_app.background import Gate, LatestJob, Threads


@pytest.fixture
def latest(qapp):
    job = LatestJob()
    yield job
    if shiboken6.isValid(job):
        job.close()


def test_work_is_done_in_a_thread_and_comes_back_to_ours(latest, qtbot):
    here = QThread.currentThread()
    with qtbot.waitSignal(latest.finished) as blocker:
        latest.start(lambda job: QThread.currentThread())
    assert blocker.args[0] is not here
    assert not latest.is_running


def test_only_the_newest_result_is_delivered(latest, qtbot):
    may_end = threading.Event()
    results = []
    latest.finished.connect(results.append)
    latest.start(lambda job: may_end.wait(5) and "old")
    latest.start(lambda job: "new")
    may_end.set()
    qtbot.waitUntil(lambda: results == ["new"])


def test_what_is_overtaken_before_it_began_is_never_begun(latest, qtbot):
    is_busy, may_end, begun = threading.Event(), threading.Event(), []
    latest.start(lambda job: is_busy.set() or may_end.wait(5))
    assert is_busy.wait(5)  # else the thread would be free for the next
    latest.start(begun.append)
    with qtbot.waitSignal(latest.finished):
        latest.start(lambda job: None)
        may_end.set()
    assert begun == []


def test_reports_arrive_in_order_before_the_result(latest, qtbot):
    heard = []
    latest.reported.connect(heard.append)
    latest.finished.connect(heard.append)

    def work(job):
        for number in range(3):
            job.report(number)
        return "done"

    with qtbot.waitSignal(latest.finished):
        latest.start(work)
    assert heard == [0, 1, 2, "done"]


def test_a_cancelled_job_can_see_it_and_is_not_heard(latest, qtbot):
    began, seen = threading.Event(), threading.Event()

    def work(job):
        began.set()
        while not job.is_cancelled:
            pass
        seen.set()

    latest.start(work)
    assert began.wait(5)
    with qtbot.assertNotEmitted(latest.finished, wait=50):
        latest.close()
    assert seen.is_set()


def test_a_defect_in_the_work_is_logged_and_gives_nothing(latest, qtbot, caplog):
    with qtbot.waitSignal(latest.finished) as blocker:
        latest.start(lambda job: 1 / 0)
    assert blocker.args == [None]
    qtbot.waitUntil(lambda: "ZeroDivisionError" in caplog.text)


def test_it_can_be_destroyed_while_it_works(latest, qtbot):
    began, may_end = threading.Event(), threading.Event()

    def work(job):
        began.set()
        may_end.wait(5)
        job.report("too late")

    latest.start(work)
    assert began.wait(5)
    may_end.set()
    shiboken6.delete(latest)  # waits for the thread; the report must not crash


def test_garbage_with_qt_objects_is_never_collected_in_a_thread(latest, qtbot):
    # A timer that is destroyed in another thread than its own crashes the app.
    owner = QObject()
    owner.timer = QTimer(owner)
    owner.timer.start(1000)
    owner.cycle = owner
    ended_in = []
    weakref.finalize(owner, lambda: ended_in.append(threading.current_thread()))
    del owner
    with qtbot.waitSignal(latest.finished):
        latest.start(lambda job: [[[]] for _ in range(100_000)])
    gc.collect()
    assert ended_in == [threading.current_thread()]


def test_garbage_is_collected_while_a_thread_waits_for_long(latest, qtbot):
    may_end = threading.Event()
    latest.start(lambda job: may_end.wait(20))
    owner = QObject()
    owner.cycle = owner
    is_alive = weakref.ref(owner)
    del owner
    kept = []

    def is_gone() -> bool:
        kept.extend([] for _ in range(gc.get_threshold()[0]))  # what the program makes meanwhile
        return is_alive() is None

    qtbot.waitUntil(is_gone)
    assert latest.is_running
    may_end.set()
    qtbot.waitUntil(lambda: not latest.is_running)


def test_a_thread_that_hangs_is_left_behind(latest, qtbot):
    may_end = threading.Event()
    latest._patience.setInterval(50)
    results = []
    latest.finished.connect(results.append)
    latest.start(lambda job: may_end.wait(20) and "old")
    latest.start(lambda job: "new")
    qtbot.waitUntil(lambda: results == ["new"])
    may_end.set()
    qtbot.wait(50)
    assert results == ["new"]


def test_nobody_waits_for_work_that_only_reads(qapp, qtbot):
    may_end, began = threading.Event(), threading.Event()
    reading = LatestJob(only_reads=True)
    reading.start(lambda job: began.set() or may_end.wait(20))
    assert began.wait(5)
    closing = time.monotonic()
    reading.close()
    background._finish()  # as at the end of the program
    assert time.monotonic() - closing < 1
    may_end.set()
    shiboken6.delete(reading)


def test_a_thread_that_hangs_is_waited_for_once(qapp, monkeypatch, qtbot):
    monkeypatch.setattr(background, "_PATIENCE_S", 0.3)
    may_end, began = threading.Event(), threading.Event()
    writing = LatestJob()
    writing.start(lambda job: began.set() or may_end.wait(20))
    assert began.wait(5)
    writing.close()
    ending = time.monotonic()
    background._finish()
    assert time.monotonic() - ending < 0.2
    may_end.set()
    shiboken6.delete(writing)


def test_what_is_written_is_waited_for_at_the_end_of_the_program(qapp):
    written = []
    writing = LatestJob()
    writing.start(lambda job: time.sleep(0.2) or written.append("all"))
    shiboken6.delete(writing)
    background._finish()
    assert written == ["all"]


def test_the_collector_works_again_after_the_work(latest, qtbot):
    assert gc.isenabled()
    with qtbot.waitSignal(latest.finished):
        latest.start(lambda job: None)
    qtbot.waitUntil(gc.isenabled)


class Holder(QWidget):
    """A widget whose events pass through Python, as those of the views do."""

    def event(self, event):
        return super().event(event)


def test_destroying_an_owner_does_not_wait_for_its_thread(qapp, qtbot):
    may_end, has_ended = threading.Event(), threading.Event()
    holder = Holder()
    latest = LatestJob(holder)
    latest.start(lambda job: may_end.wait(20) and has_ended.set())
    holder.deleteLater()
    qtbot.waitUntil(lambda: not shiboken6.isValid(holder), timeout=5_000)
    assert not has_ended.is_set()
    may_end.set()
    assert has_ended.wait(5)


def test_the_thread_of_a_destroyed_owner_ends(qapp, qtbot):
    before = threading.enumerate()
    job = LatestJob()
    with qtbot.waitSignal(job.finished):
        job.start(lambda _: None)
    assert len(threading.enumerate()) == len(before) + 1
    shiboken6.delete(job)
    qtbot.waitUntil(lambda: threading.enumerate() == before)


def test_a_thread_emits_nothing_itself(qapp, qtbot):
    # Emitting waits for one of Qt's locks while it holds Python's; destroying does the reverse.
    class Owner(QObject):
        told = Signal()

    owner, threads, heard_in = Owner(), Threads(1), []
    gate = Gate(owner)
    owner.told.connect(
        lambda: heard_in.append(threading.current_thread()), Qt.ConnectionType.DirectConnection
    )
    threads.run(lambda: gate.emit(owner.told))
    qtbot.waitUntil(lambda: bool(heard_in))
    threads.close()
    assert heard_in == [threading.main_thread()]
