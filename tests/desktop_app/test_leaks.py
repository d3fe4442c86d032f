"""Docks, dialogs and windows that come and go leave nothing behind.

A new dialog is one line in `DIALOGS`.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import shiboken6
from helpers.answers import Answers
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication, QDialog

from desktop_app.docks.catalogue import DOCKS
from desktop_app.preferences import Preferences
from desktop_app.questions import Answer, Question, ask
from desktop_app.run_view.start_sheet import StartSheet
from desktop_app.window.main_window import MainWindow
from desktop_app.workspace import Workspace
from trainer_core.catalogue.entry import implementation

pytestmark = pytest.mark.slow

TIMES = 50
STAYS_S = 5.0

# How each dialog is opened; some wait until they are closed, others return at once.
DIALOGS: dict[str, Callable[[MainWindow], object]] = {
    "question": lambda window: ask(
        window, Question("Title", "Message", "Details", (Answer("yes", "Yes"),))
    ),
    "start sheet": lambda window: window.commands["start"].trigger(),
    "preferences": lambda window: window.commands["preferences"].trigger(),
    "welcome": lambda window: window.commands["welcome"].trigger(),
    "shortcuts": lambda window: window.commands["shortcuts"].trigger(),
    "name of a layout": lambda window: window.commands["save_layout"].trigger(),
    "about": lambda window: window.commands["about"].trigger(),
}


class Census(NamedTuple):
    """What is there; two of them can be compared."""

    widgets: Counter[str]  # of Qt, by class
    objects: Counter[str]  # of the app's Python, by class
    timers: int  # that run or could run
    threads: int
    files: int


def census() -> Census:
    """Count what is left once everything that was given up is gone."""
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)
        gc.collect()
    alive = gc.get_objects()
    own = (f"{type(thing).__module__}.{type(thing).__qualname__}" for thing in alive)
    roots = [*QApplication.topLevelWidgets(), *(t for t in alive if type(t) is Workspace)]
    return Census(
        Counter(widget.metaObject().className() for widget in QApplication.allWidgets()),
        Counter(name for name in own if name.startswith("desktop_app.")),
        len({timer for root in roots if shiboken6.isValid(root) for timer in _timers(root)}),
        threading.active_count(),
        len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0,  # noqa: PTH208
    )


def growth(before: Census, after: Census) -> dict[str, object]:
    """Return what there is more of, by kind; what went away since was on its way out before."""
    changes: dict[str, object] = {}
    for kind, was, now in zip(Census._fields, before, after, strict=True):
        if isinstance(was, Counter) and isinstance(now, Counter):
            names = was.keys() | now.keys()
            changes |= {name: now[name] - was[name] for name in names if now[name] > was[name]}
        elif now > was:
            changes[kind] = now - was
    return changes


def _timers(root: QObject) -> list[QTimer]:
    return root.findChildren(QTimer)


def settle() -> None:
    """Let the window do what it put off."""
    for _ in range(2):
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)


def left_by(do: Callable[[], object], times: int = TIMES) -> dict[str, object]:
    """Do something once and count, then again and again; return what came since and stays."""
    do()
    settle()
    before = census()
    for _ in range(times - 1):
        do()
        settle()
    left = growth(before, census())
    patience = time.monotonic() + STAYS_S
    while left and time.monotonic() < patience:  # a thread may still be at its last work
        left = growth(before, census())
    return left


def wait_for_a_person(sheet: StartSheet) -> bool:
    """Show the sheet as the app does."""
    return QDialog.exec(sheet) == QDialog.DialogCode.Accepted


@pytest.fixture(scope="module", autouse=True)
def _only_what_comes_from_now_on() -> Iterator[None]:
    """Keep the objects of all other tests out of the counts: to go through them takes seconds."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def window(workspace: Workspace, answers: Answers, qtbot) -> Iterator[MainWindow]:
    window = MainWindow(workspace, ask=answers, confirm=wait_for_a_person, leave=lambda _: None)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    for name in window.docks.widgets:  # some are built only now
        window.docks.raise_dock(name)
        settle()
    yield window
    workspace.document.new()  # closing asks nothing then


@pytest.mark.parametrize("name", [dock.name for dock in DOCKS])
def test_a_dock_that_is_closed_and_shown_again_leaves_nothing(name: str, window: MainWindow):
    dock = window.docks.widgets[name]

    def close_and_show() -> None:
        dock.close()
        settle()
        window.docks.raise_dock(name)

    assert left_by(close_and_show) == {}


@pytest.mark.parametrize("name", [dock.name for dock in DOCKS])
def test_a_dock_that_floats_and_comes_back_leaves_nothing(name: str, window: MainWindow):
    dock = window.docks.widgets[name]

    def float_and_dock() -> None:
        dock.setFloating(True)
        settle()
        dock.setFloating(False)

    assert left_by(float_and_dock) == {}


def test_layouts_that_are_changed_restored_and_reset_leave_nothing(window: MainWindow):
    widgets = window.docks.widgets
    first = window.docks.state()

    def change_and_reset() -> None:
        window.tabifyDockWidget(widgets["log"], widgets["charts"])
        settle()
        window.docks.restore(first)
        settle()
        for dock in widgets.values():
            dock.setFloating(True)
        settle()
        window.docks.reset()

    assert left_by(change_and_reset) == {}


@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog_that_is_closed_leaves_nothing(name: str, window: MainWindow, qtbot):
    def open_and_close() -> None:
        closed = []

        def close() -> None:
            for widget in QApplication.topLevelWidgets():
                if isinstance(widget, QDialog) and widget.isVisible():
                    closed.append(widget.reject())

        closing = QTimer(interval=1)
        closing.timeout.connect(close)
        closing.start()
        DIALOGS[name](window)
        qtbot.waitUntil(lambda: bool(closed))

    assert left_by(open_and_close) == {}


def test_a_window_that_is_closed_leaves_nothing(tmp_path: Path, answers: Answers, qtbot):
    preferences = Preferences(tmp_path / "preferences.ini")
    for dock in DOCKS:  # what the modules hold themselves, whenever they are imported
        implementation(dock.view)

    def open_and_close() -> None:
        workspace = Workspace(preferences, tmp_path)
        window = MainWindow(workspace, ask=answers, leave=lambda _: None)
        with qtbot.waitExposed(window):
            window.show()
        window.docks.raise_dock("charts")
        workspace.filter.set_words("seed")
        settle()
        assert window.close()
        shiboken6.delete(window)
        shiboken6.delete(workspace)

    assert left_by(open_and_close, times=6) == {}
