"""Docks that are filled after the window was painted, or once they are seen."""

from collections.abc import Iterator

import pytest
from helpers.answers import Answers
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from desktop_app.docks.catalogue import DOCKS
from desktop_app.window.main_window import MainWindow
from desktop_app.workspace import Workspace

SOON = {dock.name for dock in DOCKS if dock.built == "soon"}
SEEN = {dock.name for dock in DOCKS if dock.built == "seen"}


@pytest.fixture
def window(workspace: Workspace, answers: Answers, qtbot) -> Iterator[MainWindow]:
    """A window that is not shown yet."""
    made = MainWindow(workspace, ask=answers, leave=lambda _: None)
    qtbot.addWidget(made)
    yield made
    workspace.document.new()


def unfilled(window: MainWindow) -> set[str]:
    return {name for name, dock in window.docks.widgets.items() if _is_empty(dock.widget())}


def _is_empty(content: QWidget) -> bool:
    return not content.children()


def show_at(window: MainWindow, width: int) -> None:
    window.resize(width, 720)
    window.show()


def test_what_is_out_of_sight_waits_for_the_first_paint(window: MainWindow, qtbot):
    show_at(window, 1280)
    assert unfilled(window) == SOON | SEEN
    with qtbot.waitSignal(window.docks.late.completed):
        window.repaint()
    assert unfilled(window) == SEEN


def test_everything_is_there_before_a_key_reaches_the_window(window: MainWindow):
    show_at(window, 1280)
    window.repaint()
    assert unfilled(window) == SOON | SEEN
    key = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_F5, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, key)
    assert unfilled(window) == SEEN


def test_a_window_that_is_not_painted_is_filled_too(window: MainWindow, qtbot):
    window.showMinimized()
    qtbot.waitUntil(lambda: unfilled(window) == SEEN)


def test_what_a_kept_layout_has_in_front_is_there_when_it_is_shown(
    window: MainWindow, workspace: Workspace, answers: Answers, qtbot
):
    show_at(window, 1280)
    for name in ("training", "charts"):
        window.docks.raise_dock(name)
    QApplication.processEvents()
    workspace.preferences.keep_layout("docks", window.docks.state())
    again = MainWindow(workspace, ask=answers, leave=lambda _: None)
    qtbot.addWidget(again)
    show_at(again, 1280)
    assert unfilled(again) == (SOON | SEEN) - {"training", "charts"}


@pytest.mark.parametrize("name", sorted(SOON | SEEN - {"tools"}))
def test_a_dock_is_filled_when_it_comes_to_the_front(window: MainWindow, name: str):
    show_at(window, 1280)
    window.docks.widgets[name].raise_()
    assert name not in unfilled(window)


def test_moving_the_docks_about_fills_only_what_is_seen_then(window: MainWindow, qtbot):
    show_at(window, 1280)
    window.docks.late.complete()
    window.layouts.use_built_in("watch")
    qtbot.waitUntil(lambda: window.docks.focus.is_in_sight("charts"))
    assert unfilled(window) == {"tools"}


def test_a_narrow_window_asks_every_dock_how_much_room_it_needs(window: MainWindow):
    show_at(window, 760)
    assert unfilled(window) == SEEN


def test_tab_goes_through_the_docks_in_their_order(window: MainWindow):
    show_at(window, 1280)
    window.docks.late.complete()
    docks, found, field = window.docks.widgets, [], window.nextInFocusChain()
    while field is not None and field is not window:
        if field.focusPolicy() & Qt.FocusPolicy.TabFocus:
            found += [name for name, dock in docks.items() if dock.isAncestorOf(field)]
        field = field.nextInFocusChain()
    order = list(dict.fromkeys(found))
    assert order == [name for name in docks if name in order]
    assert {"pictures", "training", "sampling", "output", "dataset"} <= set(order)
