"""Docks are floated, split, torn off, folded, and put side by side."""

from collections.abc import Iterator

import pytest
from helpers.answers import Answers
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QTabBar, QWidget

from desktop_app.window.main_window import MainWindow
from desktop_app.workspace import Workspace

RIGHT, BELOW = Qt.Orientation.Horizontal, Qt.Orientation.Vertical


@pytest.fixture
def window(workspace: Workspace, answers: Answers, qtbot) -> Iterator[MainWindow]:
    made = MainWindow(workspace, ask=answers, leave=lambda _: None)
    qtbot.addWidget(made)
    made.resize(1280, 720)
    with qtbot.waitExposed(made):
        made.show()
    # Tabs lose their title bars once everything has its place.
    qtbot.waitUntil(lambda: made.docks.widgets["dataset"].titleBarWidget() is not None)
    yield made
    workspace.document.new()


def dock(window: MainWindow, name: str) -> QDockWidget:
    return window.docks.widgets[name]


def tabs(window: MainWindow, name: str) -> set[str]:
    return {each.objectName() for each in window.tabifiedDockWidgets(dock(window, name))}


def bar_and_tab(window: MainWindow, name: str) -> tuple[QTabBar, int]:
    title = dock(window, name).windowTitle()
    return next(
        (bar, tab)
        for bar in window.docks._handles.bars()
        if bar.isVisible()
        for tab in range(bar.count())
        if bar.tabText(tab) == title
    )


def in_sight(window: MainWindow, *names: str) -> bool:
    return all(map(window.docks.focus.is_in_sight, names))


@pytest.mark.parametrize("name", ["dataset", "charts", "run"])
@pytest.mark.parametrize("direction", [RIGHT, BELOW])
def test_a_tab_that_is_split_off_stands_beside_the_others(
    window: MainWindow, name: str, direction: Qt.Orientation, qtbot
):
    others = tabs(window, name)
    window.docks.raise_dock(name)
    window.docks.split(name, direction)
    qtbot.waitUntil(lambda: in_sight(window, name))
    assert tabs(window, name) == set()
    assert tabs(window, sorted(others)[0]) == others - {sorted(others)[0]}
    qtbot.waitUntil(lambda: any(in_sight(window, other) for other in others))
    front = next(other for other in others if in_sight(window, other))
    here, there = dock(window, name).geometry(), dock(window, front).geometry()
    qtbot.waitUntil(lambda: not here.intersects(there))
    if direction == RIGHT:
        assert here.left() > there.right()
    else:
        assert here.top() > there.bottom()


def test_docks_are_split_again_and_again(window: MainWindow, qtbot):
    window.docks.split("charts", BELOW)
    window.docks.split("samples", RIGHT)
    window.docks.split("run", BELOW)
    names = ("dataset", "charts", "samples", "run")
    qtbot.waitUntil(lambda: in_sight(window, *names))
    assert not any(map(window.docks.can_split, names))


def test_a_closed_dock_comes_back_as_a_tab_after_a_split(window: MainWindow, qtbot):
    window.docks.split("charts", BELOW)
    assert dock(window, "tools").isHidden()
    window.docks.focus.go_to("tools")
    qtbot.waitUntil(lambda: in_sight(window, "tools", "charts"))
    assert "dataset" in tabs(window, "tools")


def test_a_tab_floats_while_the_others_stay(window: MainWindow, qtbot):
    others = tabs(window, "charts")
    window.docks.float_or_return("charts")
    assert dock(window, "charts").isFloating()
    assert not any(dock(window, other).isHidden() for other in others)
    qtbot.waitUntil(lambda: in_sight(window, "charts"))
    window.docks.float_or_return("charts")
    assert not dock(window, "charts").isFloating()
    assert tabs(window, "charts") == others


def test_the_menu_of_a_tab_is_about_its_dock(window: MainWindow, qtbot):
    bar, tab = bar_and_tab(window, "samples")
    place = bar.tabRect(tab).center()
    reason = QContextMenuEvent.Reason.Mouse
    QApplication.sendEvent(bar, QContextMenuEvent(reason, place, bar.mapToGlobal(place)))
    menu = window.docks._handles.menu
    assert menu.isVisible()
    assert menu.split_right.isEnabled()
    menu.close_action.trigger()
    menu.close()
    assert dock(window, "samples").isHidden()


def test_a_floating_dock_is_put_back_by_its_menu(window: MainWindow):
    menu = window.docks._handles.menu
    menu.turn_to("charts")
    menu.float_action.trigger()
    menu.turn_to("charts")
    assert not menu.split_right.isEnabled()
    assert menu.float_action.text().startswith("&Put back")
    menu.float_action.trigger()
    assert not dock(window, "charts").isFloating()


def test_a_double_click_on_a_tab_floats_its_dock(window: MainWindow, qtbot):
    bar, tab = bar_and_tab(window, "charts")
    qtbot.mouseDClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(tab).center())
    assert dock(window, "charts").isFloating()


def drag_tab(window: MainWindow, name: str, way: QPoint, qtbot) -> None:
    bar, tab = bar_and_tab(window, name)
    start = bar.mapToGlobal(bar.tabRect(tab).center())
    left = Qt.MouseButton.LeftButton
    qtbot.mousePress(bar, left, pos=bar.mapFromGlobal(start))
    holder: QWidget = bar
    for part in range(1, 11):
        place = start + way * (part / 10)
        holder = QWidget.mouseGrabber() or bar
        qtbot.mouseMove(holder, holder.mapFromGlobal(place))
    qtbot.mouseRelease(holder, left, pos=holder.mapFromGlobal(start + way))


def test_tabs_are_torn_off_with_the_mouse_one_after_another(window: MainWindow, qtbot):
    for name in ("charts", "samples"):  # the second one passes over the first
        drag_tab(window, name, QPoint(-900, 200), qtbot)
        qtbot.waitUntil(lambda name=name: dock(window, name).isFloating())
    window.docks.reset()
    assert not dock(window, "charts").isFloating()


def test_a_tab_that_is_only_clicked_stays(window: MainWindow, qtbot):
    drag_tab(window, "charts", QPoint(2, 0), qtbot)
    assert not dock(window, "charts").isFloating()
    assert in_sight(window, "charts")


def test_charts_and_samples_part_when_the_window_becomes_wide(window: MainWindow, qtbot):
    window.docks.raise_dock("charts")
    window.resize(1700, 720)
    qtbot.waitUntil(lambda: in_sight(window, "charts", "samples"))
    window.resize(1280, 720)
    qtbot.waitUntil(lambda: "samples" in tabs(window, "charts"))


def test_docks_that_somebody_arranged_stay_where_they_are(window: MainWindow, qtbot):
    window.docks.split("run", BELOW)
    window.resize(1700, 720)
    qtbot.wait(100)
    assert "samples" in tabs(window, "charts")


def test_problems_without_any_take_one_line(window: MainWindow, workspace: Workspace, qtbot):
    problems, log = dock(window, "problems"), dock(window, "log")

    def height() -> int:
        """Return what the dock takes, with what is empty below it."""
        return window.statusBar().geometry().top() - problems.geometry().top()

    qtbot.wait(200)  # the sizes that are given once the window is laid out
    qtbot.waitUntil(lambda: 60 < height() == problems.height())
    before, two_lines = height(), 2 * problems.fontMetrics().height()
    some = list(workspace.document.problems)
    workspace.problems.set_problems([])
    qtbot.waitUntil(lambda: height() < two_lines)
    log.raise_()
    qtbot.waitUntil(lambda: log.height() == before)
    problems.raise_()
    qtbot.waitUntil(lambda: height() < two_lines)
    workspace.problems.set_problems(some)
    qtbot.waitUntil(lambda: height() >= before)
