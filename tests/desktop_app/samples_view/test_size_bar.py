"""How large samples are shown."""

import pytest

from desktop_app.preferences import Preferences
from desktop_app.samples_view.grid import SampleGrid
from desktop_app.samples_view.size_bar import SizeBar


@pytest.fixture
def grid(samples, draw, qtbot) -> SampleGrid:
    grid = SampleGrid(samples)
    qtbot.addWidget(grid)
    grid.resize(900, 400)
    grid.show()
    for step in range(10, 60, 10):
        draw(0, step)
    return grid


@pytest.fixture
def bar(grid: SampleGrid, preferences: Preferences, qtbot) -> SizeBar:
    bar = SizeBar(grid, preferences)
    qtbot.addWidget(bar)
    return bar


def used_width(grid: SampleGrid) -> int:
    return grid.horizontalHeader().length() + grid.verticalHeader().width()


@pytest.mark.parametrize("width", [800, 900, 1200])
def test_all_steps_fit_into_the_width_and_use_it(grid: SampleGrid, bar: SizeBar, width: int, qtbot):
    grid.resize(width, 400)
    assert width - 40 <= used_width(grid) <= width
    qtbot.waitUntil(lambda: grid.horizontalScrollBar().maximum() == 0)


def test_the_slider_decides_until_the_width_is_to_be_fitted(
    grid: SampleGrid, bar: SizeBar, preferences: Preferences
):
    fitting = grid.side
    bar.slider.setValue(300)
    assert (grid.side, bar.fit.isChecked()) == (300, False)
    assert preferences.sample_side == 300
    bar.fit.click()
    assert (grid.side, bar.fit.isChecked()) == (fitting, True)
    assert bar.slider.value() == fitting
    assert preferences.sample_side == 0


def test_a_size_that_was_chosen_is_kept(
    grid: SampleGrid, bar: SizeBar, preferences: Preferences, qtbot
):
    bar.slider.setValue(200)
    again = SizeBar(grid, preferences)
    qtbot.addWidget(again)
    assert (again.slider.value(), again.fit.isChecked()) == (200, False)
