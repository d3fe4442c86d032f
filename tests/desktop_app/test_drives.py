"""Looks at drives, of which some do not answer."""

import threading
import time
from pathlib import Path

import pytest
import shiboken6

from desktop_app.drives import DriveLooks, drive_of

LIMIT_S = 0.2


@pytest.fixture
def release():
    """Set when a drive answers again; at the latest at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def looks(qapp, release):
    made = DriveLooks(limit_s=LIMIT_S)
    yield made
    made.close()
    shiboken6.delete(made)


@pytest.fixture
def heard(looks):
    """Keys with their answers, and with None for a silence."""
    told = []
    looks.answered.connect(lambda key, answer: told.append((key, answer)))
    looks.silent.connect(lambda key: told.append((key, None)))
    return told


def test_an_answer_comes_from_a_thread(looks, heard, qtbot):
    looks.look("a", Path("/mnt/a"), threading.current_thread)
    assert looks.is_looking("a")
    qtbot.waitUntil(lambda: bool(heard))
    assert heard[0][1] is not threading.current_thread()
    assert not looks.is_looking("a")


def test_a_silent_drive_is_told_of_and_heard_when_it_answers(looks, heard, release, qtbot):
    began = time.monotonic()
    looks.look("a", Path("/net/dead/a"), release.wait)
    qtbot.waitUntil(lambda: heard == [("a", None)])
    assert time.monotonic() - began >= LIMIT_S
    release.set()
    qtbot.waitUntil(lambda: heard == [("a", None), ("a", True)])


def test_a_silent_drive_holds_up_no_other(looks, heard, release, qtbot):
    looks.look("dead", Path("/dead/a"), release.wait)
    looks.look("alive", Path("/alive/a"), lambda: "here")
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [("alive", "here")]


def test_what_hangs_by_a_link_lets_its_neighbours_answer(looks, heard, release, qtbot):
    looks.look("link", Path("/home/me/link"), release.wait)
    for number in range(5):
        looks.look(number, Path("/home/me/file"), lambda: "here")
    qtbot.waitUntil(lambda: [pair for pair in heard if pair[1]] == [(n, "here") for n in range(5)])


def test_a_dead_drive_takes_few_threads_and_all_of_it_is_silent(looks, heard, release, qtbot):
    before = set(threading.enumerate())  # those of others may end meanwhile
    for number in range(20):
        looks.look(number, Path("/net/dead") / str(number), release.wait)
    qtbot.waitUntil(lambda: len(heard) == 20)
    assert {answer for _, answer in heard} == {None}
    assert len(set(threading.enumerate()) - before) <= 4
    release.set()
    qtbot.waitUntil(lambda: len(heard) == 40)
    qtbot.waitUntil(lambda: not set(threading.enumerate()) - before)


def test_a_look_that_hangs_is_not_begun_again(looks, heard, release, qtbot):
    looks.look("a", Path("/net/dead/a"), release.wait)
    qtbot.waitUntil(lambda: bool(heard))
    looks.look("a", Path("/net/dead/a"), lambda: "again")
    release.set()
    qtbot.waitUntil(lambda: heard == [("a", None), ("a", True)])


def test_a_look_is_taken_though_the_answer_of_a_silent_one_is_not_heard_yet(
    looks, heard, release, qtbot
):
    before = set(threading.enumerate())
    looks.look("late", Path("/net/dead/a"), release.wait)
    qtbot.waitUntil(lambda: heard == [("late", None)])
    release.set()
    while set(threading.enumerate()) - before:  # its thread ends, and no event is handled
        time.sleep(0.01)
    looks.look("new", Path("/net/dead/b"), lambda: "here")
    qtbot.waitUntil(lambda: heard == [("late", None), ("late", True), ("new", "here")])
    assert not looks.is_looking("new")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_look_with_a_defect_ends_no_other(looks, heard, qtbot):
    looks.look("broken", Path("/a"), lambda: 1 / 0)
    looks.look("whole", Path("/a"), lambda: "here")
    qtbot.waitUntil(lambda: heard == [("broken", None), ("whole", "here")])


@pytest.mark.parametrize(
    ("path", "drive"),
    [
        ("/home/me/a.png", "/home"),
        ("/net/host/share/a", "/net/host"),
        ("/mnt/nas", "/mnt/nas/"),
        ("/mnt/nas/pictures/a.png", "/mnt/nas/pictures"),
        ("/mnt/nasal/a.png", "/mnt"),
    ],
)
@pytest.mark.skipif("os.name == 'nt'")
def test_drives_are_told_apart_by_where_they_are_mounted(path, drive):
    assert drive_of(Path(path), ["/net", "/mnt/nas"]) == drive
