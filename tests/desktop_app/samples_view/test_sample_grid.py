from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor

from desktop_app.samples_view.grid import SampleGrid


@pytest.fixture
def grid(samples, qtbot):
    grid = SampleGrid(samples)
    qtbot.addWidget(grid)
    grid.resize(600, 420)  # three steps wide
    with qtbot.waitExposed(grid):
        grid.show()
    return grid


def centre(grid, row, column) -> QPoint:
    return grid.visualRect(grid.model().index(row, column)).center()


def colour_of(grid, row, column) -> QColor:
    return grid.viewport().grab().toImage().pixelColor(centre(grid, row, column))


def settle(grid, qtbot):
    qtbot.waitUntil(lambda: not grid._look_around.isActive() and grid.loader.is_idle)


def last_is_visible(grid) -> bool:
    cell = grid.model().index(0, grid.model().columnCount() - 1)
    return grid.viewport().rect().contains(grid.visualRect(cell))


def test_pictures_appear_as_they_are_drawn(grid, draw, qtbot):
    draw(0, 10)
    draw(1, 10)
    settle(grid, qtbot)
    assert colour_of(grid, 0, 0) == QColor("#c02020")
    assert colour_of(grid, 1, 0) == QColor("#20a040")


def test_the_newest_step_stays_in_sight(grid, draw, qtbot):
    for step in range(10, 110, 10):
        draw(0, step)
    qtbot.waitUntil(lambda: last_is_visible(grid))


def test_who_has_scrolled_back_is_left_there(grid, draw, qtbot):
    for step in range(10, 110, 10):
        draw(0, step)
    qtbot.waitUntil(lambda: last_is_visible(grid))
    grid.horizontalScrollBar().setValue(0)
    most = grid.horizontalScrollBar().maximum()
    draw(0, 110)
    qtbot.waitUntil(lambda: grid.horizontalScrollBar().maximum() > most)
    assert grid.horizontalScrollBar().value() == 0


def test_only_what_can_be_seen_is_loaded(grid, draw, qtbot):
    events = [draw(0, step) for step in range(10, 210, 10)]
    qtbot.waitUntil(lambda: last_is_visible(grid))
    settle(grid, qtbot)
    grid.loader.forget()
    grid.resize(601, 420)
    settle(grid, qtbot)
    loaded = [grid.loader.thumbnail(Path(event.path)) is not None for event in events]
    assert loaded[-1]
    assert not any(loaded[:12])


def test_a_picture_drawn_again_is_read_again(grid, draw, qtbot):
    draw(0, 10)
    settle(grid, qtbot)
    draw(0, 10, colour="#ffffff")
    settle(grid, qtbot)
    assert colour_of(grid, 0, 0) == QColor("#ffffff")


def test_another_run_with_the_same_file_names_shows_its_own_pictures(grid, draw, samples, qtbot):
    draw(0, 10)
    settle(grid, qtbot)
    samples.clear()
    draw(0, 10, colour="#ffffff")
    settle(grid, qtbot)
    assert colour_of(grid, 0, 0) == QColor("#ffffff")


def test_a_click_and_the_enter_key_ask_for_the_picture(grid, draw, qtbot):
    event = draw(0, 10)
    with qtbot.waitSignal(grid.picture_wanted) as clicked:
        qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=centre(grid, 0, 0))
    grid.setCurrentIndex(grid.model().index(0, 0))
    with qtbot.waitSignal(grid.picture_wanted) as entered:
        qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert clicked.args == entered.args == [event]


def test_an_empty_cell_asks_for_nothing(grid, draw, qtbot):
    draw(0, 10)
    draw(1, 20)
    with qtbot.assertNotEmitted(grid.picture_wanted):
        qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=centre(grid, 0, 1))


def test_the_prompts_stand_beside_their_rows(grid, draw, samples, qtbot):
    draw(0, 10)
    header = grid.verticalHeader()
    before = header.viewport().grab().toImage()
    samples.clear()
    assert header.isVisible()
    assert header.viewport().grab().toImage() != before
    assert header.width() == header.sizeHint().width()


def test_five_steps_fit_into_a_narrow_column(grid, draw, qtbot):
    grid.resize(540, 420)
    for step in range(10, 60, 10):
        draw(0, step)
    qtbot.waitUntil(lambda: grid.model().columnCount() == 5)
    qtbot.waitUntil(lambda: grid.horizontalScrollBar().maximum() == 0)
