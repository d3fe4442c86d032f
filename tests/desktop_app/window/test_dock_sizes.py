import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget

from desktop_app.docks.arrangements import WIDE_PX
from desktop_app.window.main_window import MainWindow
from desktop_app.workspace import Workspace


@pytest.fixture
def window(workspace: Workspace, qtbot) -> MainWindow:
    made = MainWindow(workspace, leave=lambda _: None)
    qtbot.addWidget(made)
    made.resize(1280, 720)
    made.show()
    made.docks.late.complete()  # a page that is made later may need more width
    qtbot.wait(50)
    qtbot.waitUntil(lambda: kept(made) == edges(made))
    return made


def dock(window: MainWindow, name: str) -> QDockWidget:
    return window.docks.widgets[name]


def edges(window: MainWindow) -> tuple[int, int]:
    return dock(window, "model").width(), dock(window, "problems").height()


def kept(window: MainWindow) -> tuple[int, int]:
    """Return the sizes that are remembered of the docks at the edges."""
    sizes = window.docks._sizes
    widths, heights = sizes._widths, sizes._heights
    return widths.get(dock(window, "model"), -1), heights.get(dock(window, "problems"), -1)


def are_tabs(window: MainWindow) -> bool:
    """Tell whether samples share the place of the dataset."""
    return dock(window, "samples") in window.tabifiedDockWidgets(dock(window, "dataset"))


def middle(window: MainWindow) -> tuple[int, int]:
    return dock(window, "dataset").width(), dock(window, "dataset").height()


def test_what_the_window_grows_by_goes_to_the_middle(window: MainWindow, qtbot):
    before, (width, height) = edges(window), middle(window)
    window.resize(1500, 1080)
    qtbot.waitUntil(lambda: middle(window) == (width + 220, height + 360))
    assert edges(window) == before


def test_a_window_that_was_large_for_a_while_looks_as_before(window: MainWindow, qtbot):
    before = edges(window), middle(window)
    window.resize(1920, 1080)
    qtbot.waitUntil(lambda: middle(window) != before[1])
    window.resize(1280, 720)
    qtbot.waitUntil(lambda: (edges(window), middle(window)) == before)


def test_the_sizes_that_somebody_chose_are_those_that_stay(window: MainWindow, qtbot):
    docks = [dock(window, "dataset"), dock(window, "problems")]
    total = sum(each.height() for each in docks)
    height = edges(window)[1]
    window.resizeDocks(docks, [total - 200, 260], Qt.Orientation.Vertical)
    qtbot.waitUntil(lambda: edges(window)[1] > height and kept(window) == edges(window))
    before, width = edges(window), middle(window)[0]
    window.resize(1500, 1000)
    qtbot.waitUntil(lambda: middle(window)[0] == width + 220)
    assert edges(window) == before


def test_chosen_sizes_stay_where_a_window_becomes_wide_enough_for_two_columns(
    window: MainWindow, qtbot
):
    docks = [dock(window, "dataset"), dock(window, "problems")]
    total = sum(each.height() for each in docks)
    window.resizeDocks(docks, [total - 200, 260], Qt.Orientation.Vertical)
    window.resizeDocks([dock(window, "model")], [520], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: kept(window) == edges(window) and edges(window)[0] > 470)
    # To the pixel that Qt gives to the one or the other of two neighbours.
    before = pytest.approx(edges(window), abs=1)

    window.resize(WIDE_PX, 1000)
    qtbot.waitUntil(lambda: not are_tabs(window) and edges(window) == before)
    qtbot.wait(50)  # whatever comes later changes nothing more
    assert edges(window) == before
    columns = middle(window)[0] / dock(window, "samples").width()
    assert columns == pytest.approx(3 / 2, rel=0.02)

    window.resize(WIDE_PX - 100, 1000)
    qtbot.waitUntil(lambda: are_tabs(window) and edges(window) == before)
    qtbot.wait(50)
    assert edges(window) == before
