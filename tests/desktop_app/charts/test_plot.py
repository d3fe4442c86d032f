import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from desktop_app.charts.plot import Curve, StepPlot
from desktop_app.charts.series import Series
from desktop_app.theme import tokens

RED = "#ff0000"


def series_of(count: int, height: float = 1.0) -> Series:
    series = Series()
    x = np.arange(1.0, count + 1)
    series.replace(x, height * np.sin(x / 10))
    return series


@pytest.fixture
def plot(qtbot) -> StepPlot:
    plot = StepPlot()
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    plot.show()
    return plot


def zoom_in(plot: StepPlot) -> None:
    """Turn the wheel over the middle of the plot."""
    viewport = plot._plot.viewport()
    middle = viewport.rect().center()
    event = QWheelEvent(
        QPointF(middle),
        QPointF(viewport.mapToGlobal(middle)),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)


def drawn_points(plot: StepPlot) -> int:
    return sum(len(item.xData) for _, item in plot._curves)


def test_everything_is_shown_and_followed(plot):
    series = series_of(100)
    plot.set_curves([Curve(series, RED)])
    assert plot.x_range == (1, 100)
    series.append(150, 0)
    plot.redraw()
    assert plot.x_range == (1, 150)


def test_a_single_point_can_be_drawn(plot):
    plot.set_curves([Curve(series_of(1), RED)])
    first, last = plot.x_range
    assert first <= 1 < last


def test_zooming_keeps_the_range_until_everything_is_wanted(plot, qtbot):
    series = series_of(100)
    plot.set_curves([Curve(series, RED)])
    with qtbot.waitSignal(plot.moved_by_hand):
        zoom_in(plot)
    zoomed = plot.x_range
    assert zoomed[1] - zoomed[0] < 99
    series.append(200, 0)
    plot.redraw()
    assert plot.x_range == zoomed
    plot.show_all()
    assert plot.x_range == (1, 200)


def test_heights_fit_what_is_in_range(plot):
    series = Series()
    x = np.arange(1.0, 101)
    series.replace(x, np.where(x < 50, 1.0, 9.0) + 0.1 * np.sin(x))
    plot.set_curves([Curve(series, RED)])
    low, high = plot._item.viewRange()[1]
    assert low < 1
    assert high > 9
    plot._item.setXRange(60, 90)
    plot.stop_following()
    plot.redraw()
    low, high = plot._item.viewRange()[1]
    assert 8 < low < 9 < high < 10


def test_a_million_points_become_a_few_per_pixel(plot):
    plot.set_curves([Curve(series_of(1_000_000), RED)])
    assert drawn_points(plot) <= 2 * 400 + 2


def test_a_wild_curve_is_drawn_thin_because_qt_takes_seconds_otherwise(plot):
    wild, calm = Series(), Series()
    x = np.arange(1.0, 801)
    wild.replace(x, np.where(x % 2 == 0, 0.0, 1.0))
    calm.replace(x, x / 800)
    plot.set_curves([Curve(wild, RED, width=2), Curve(calm, RED, width=2)])
    widths = [item.opts["pen"].width() for _, item in plot._curves]
    assert widths == [1, 2]


def test_linked_plots_show_the_same_steps(plot, qtbot):
    other = StepPlot(from_zero=True)
    qtbot.addWidget(other)
    other.resize(400, 200)
    other.show()
    other.link_steps(plot)
    for drawn in (plot, other):
        drawn.set_curves([Curve(series_of(100), RED)])
    zoom_in(plot)
    other.stop_following()
    assert other.x_range == pytest.approx(plot.x_range)
    assert other.x_range[1] < 100


def test_steps_and_heights_stand_on_the_themes_ground(plot):
    shown = plot._plot.backgroundBrush().color().name()
    assert shown == tokens.current().chart_background
