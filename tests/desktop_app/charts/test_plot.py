import numpy as np
import pytest
from helpers.mouse import point_at, turn_wheel
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication

from desktop_app.charts.plot import Curve, StepPlot
from desktop_app.models.runs.series import Series
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


def middle(plot: StepPlot):
    return plot._plot.viewport().rect().center()


def drawn_points(plot: StepPlot) -> int:
    return sum(len(item.xData) for _, item in plot._curves)


def test_wanted_steps_are_shown(plot):
    plot.set_curves([Curve(series_of(100), RED)])
    plot.show_steps(20, 60)
    assert plot.x_range == (20, 60)
    assert drawn_points(plot) == 43  # with a neighbour on each side


@pytest.mark.parametrize("last", [1.0, 2.0, 3.5, 7.0, 40.0])
def test_only_whole_steps_are_marked(plot, last: float):
    plot.set_curves([Curve(series_of(50), RED)])
    plot.show_steps(0.0, last)
    axis = plot._item.getAxis("bottom")
    ticks = [tick for _, ticks in axis.tickValues(0.0, last, 400) for tick in ticks]
    assert ticks
    assert all(tick == round(tick) for tick in ticks)


def test_both_axes_have_titles(plot):
    plot.set_name("Loss", "Step")
    for name, title in (("left", "Loss"), ("bottom", "Step")):
        axis = plot._item.getAxis(name)
        assert axis.label.isVisible()
        assert axis.label.toPlainText().strip() == title
    plot.set_steps_shown(False)
    assert not plot._item.getAxis("bottom").label.isVisible()
    plot.set_name("A title that is longer than the plot is high", "Step")
    assert not plot._item.getAxis("left").label.isVisible()  # it would be cut


def test_a_single_point_can_be_drawn(plot):
    plot.set_curves([Curve(series_of(1), RED)])
    plot.show_steps(1, 1)
    first, last = plot.x_range
    assert first <= 1 < last


def test_the_wheel_zooms_and_says_where_to(plot, qtbot):
    plot.set_curves([Curve(series_of(100), RED)])
    plot.show_steps(1, 100)
    with qtbot.waitSignal(plot.moved_by_hand) as moved:
        turn_wheel(plot._plot.viewport(), middle(plot), 240)
    first, last = moved.args
    assert 1 < first < last < 100
    assert plot.x_range == (first, last)


def test_no_zoom_goes_below_one_step(plot):
    plot.set_curves([Curve(series_of(100), RED)])
    plot.show_steps(1, 3)
    for _ in range(20):
        turn_wheel(plot._plot.viewport(), middle(plot), 1200)
    first, last = plot.x_range
    assert last - first == pytest.approx(1)


def test_a_double_click_asks_for_everything(plot, qtbot):
    with qtbot.waitSignal(plot.reset_wanted):
        qtbot.mouseDClick(plot._plot.viewport(), Qt.MouseButton.LeftButton, pos=middle(plot))


@pytest.mark.parametrize(
    ("key", "first", "last"),
    [
        (Qt.Key.Key_Plus, 40 - 20 / 1.5, 40 + 20 / 1.5),
        (Qt.Key.Key_Minus, 40 - 20 * 1.5, 40 + 20 * 1.5),
        (Qt.Key.Key_Left, 12, 52),  # by a fifth of what is in sight
        (Qt.Key.Key_Right, 28, 68),
    ],
)
def test_keys_zoom_and_move(plot, qtbot, key, first, last):
    plot.show_steps(20, 60)
    with qtbot.waitSignal(plot.moved_by_hand) as blocker:
        qtbot.keyClick(plot._plot, key)
    assert blocker.args == pytest.approx([first, last])


def test_a_key_goes_on_from_the_one_before(plot, qtbot):
    plot.show_steps(20, 60)
    qtbot.keyClick(plot._plot, Qt.Key.Key_Right)
    qtbot.keyClick(plot._plot, Qt.Key.Key_Right)
    assert plot.x_range == pytest.approx((36, 76))


def test_home_asks_for_everything(plot, qtbot):
    with qtbot.waitSignal(plot.reset_wanted):
        qtbot.keyClick(plot._plot, Qt.Key.Key_Home)


def test_keys_zoom_no_further_than_one_step(plot, qtbot):
    plot.show_steps(20, 21)
    with qtbot.waitSignal(plot.moved_by_hand) as blocker:
        qtbot.keyClick(plot._plot, Qt.Key.Key_Plus)
    assert blocker.args == pytest.approx([20, 21])


def test_the_step_under_the_pointer_is_told_until_it_leaves(plot, qtbot):
    plot.set_curves([Curve(series_of(100), RED)])
    plot.show_steps(0, 100)
    viewport = plot._plot.viewport()
    view = plot._item.getViewBox().sceneBoundingRect()
    with qtbot.waitSignal(plot.pointed) as pointed:
        point_at(viewport, view.center().toPoint())
    assert pointed.args[0] == pytest.approx(50, abs=1)
    with qtbot.waitSignal(plot.pointed) as pointed:
        QApplication.sendEvent(viewport, QEvent(QEvent.Type.Leave))
    assert pointed.args == [None]


def test_beside_the_curves_the_pointer_is_at_no_step(plot, qtbot):
    plot.set_curves([Curve(series_of(100), RED)])
    with qtbot.waitSignal(plot.pointed) as pointed:
        point_at(plot._plot.viewport(), middle(plot) * 0)
    assert pointed.args == [None]


def test_another_step_comes_under_a_pointer_that_rests(plot, qtbot):
    plot.set_curves([Curve(series_of(100), RED)])
    plot.show_steps(0, 100)
    view = plot._item.getViewBox().sceneBoundingRect()
    point_at(plot._plot.viewport(), view.center().toPoint())
    with qtbot.waitSignal(plot.pointed) as pointed:
        plot.show_steps(0, 200)
    assert pointed.args[0] == pytest.approx(100, abs=2)


def test_a_line_stands_at_the_step_pointed_at(plot):
    plot.point_at(12.0)
    assert plot._cursor.isVisible()
    assert plot._cursor.value() == 12
    plot.point_at(None)
    assert not plot._cursor.isVisible()


def test_heights_fit_what_is_in_range(plot):
    series = Series()
    x = np.arange(1.0, 101)
    series.replace(x, np.where(x < 50, 1.0, 9.0) + 0.1 * np.sin(x))
    plot.set_curves([Curve(series, RED)])
    plot.show_steps(1, 100)
    low, high = plot._item.viewRange()[1]
    assert low < 1
    assert high > 9
    plot.show_steps(60, 90)
    low, high = plot._item.viewRange()[1]
    assert 8 < low < 9 < high < 10


def test_a_million_points_become_a_few_per_pixel(plot):
    plot.set_curves([Curve(series_of(1_000_000), RED)])
    plot.show_steps(1, 1_000_000)
    assert drawn_points(plot) <= 2 * 400 + 2


class Paints(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, widget):
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched, event):  # noqa: N802 - Qt's name
        self.count += event.type() is QEvent.Type.Paint
        return False


def test_other_steps_are_painted_once(plot, qtbot):
    plot.set_curves([Curve(series_of(1000), RED)])
    plot.show_steps(1, 500)
    qtbot.wait(50)  # until the window has settled
    paints = Paints(plot._plot.viewport())
    plot.show_steps(3, 777)
    qtbot.wait(50)
    assert paints.count == 1


def test_a_wild_curve_is_drawn_thin_because_qt_takes_seconds_otherwise(plot):
    wild, calm = Series(), Series()
    x = np.arange(1.0, 801)
    wild.replace(x, np.where(x % 2 == 0, 0.0, 1.0))
    calm.replace(x, x / 800)
    plot.set_curves([Curve(wild, RED, width=2), Curve(calm, RED, width=2)])
    plot.show_steps(1, 800)
    widths = [item.opts["pen"].width() for _, item in plot._curves]
    assert widths == [1, 2]


def test_steps_and_heights_stand_on_the_themes_ground(plot):
    shown = plot._plot.backgroundBrush().color().name()
    assert shown == tokens.current().chart_background
