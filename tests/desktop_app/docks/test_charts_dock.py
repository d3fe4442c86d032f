import pytest
from PySide6.QtWidgets import QLabel, QSlider

from desktop_app.docks.charts import ChartsDock
from trainer_core.protocol.messages import StepDone


@pytest.fixture
def view(workspace, qtbot):
    view = ChartsDock().build(workspace)
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.show()
    return view


def feed(workspace, first, last):
    for number in range(first, last + 1):
        rates = {"text_encoder": 5e-5, "unet": 1e-4}
        event = StepDone(step=number, epoch=1, loss=1 / number, learning_rates=rates)
        workspace.metrics.feed(event)


def points(plot):
    return [0 if item.xData is None else len(item.xData) for _, item in plot._curves]


def words(view):
    return " ".join(label.text() for label in view.findChildren(QLabel) if label.isVisible())


def test_before_a_run_it_says_what_will_be_here(view):
    assert "appear here" in words(view)


def test_a_run_is_drawn_on_a_timer_not_per_message(view, workspace, qtbot):
    feed(workspace, 1, 50)
    assert points(view.loss) == [0, 0]
    qtbot.waitUntil(lambda: points(view.loss) == [50, 50])
    assert points(view.rates) == [50, 50]
    assert view.loss.x_range == view.rates.x_range == (1, 50)


def test_the_curves_are_named_with_their_newest_values(view, workspace, qtbot):
    feed(workspace, 1, 4)
    qtbot.waitUntil(lambda: "0.25" in words(view))
    assert "U-Net <b>0.0001</b>" in words(view)
    assert "Text encoder <b>5e-05</b>" in words(view)


def test_out_of_sight_nothing_is_drawn_until_it_is_shown_again(view, workspace, qtbot):
    view.hide()
    feed(workspace, 1, 10)
    assert not view._timer.isActive()
    view.show()
    assert points(view.loss) == [10, 10]


def test_the_slider_smooths_more_or_less(view, workspace, qtbot):
    feed(workspace, 1, 10)
    slider = view.findChild(QSlider)
    slider.setValue(slider.minimum())
    assert workspace.metrics.smoothing_steps == 1
    slider.setValue(slider.maximum())
    assert workspace.metrics.smoothing_steps == 1000
    qtbot.waitUntil(lambda: "1000 steps" in words(view))


def test_zooming_one_plot_moves_both_and_the_button_brings_all_back(view, workspace, qtbot):
    feed(workspace, 1, 100)
    qtbot.waitUntil(lambda: points(view.loss) == [100, 100])
    view.loss._item.getViewBox().sigRangeChangedManually.emit([True, False])
    view.loss._item.setXRange(20, 30, padding=0)
    assert view._show_all.isEnabled()
    qtbot.waitUntil(lambda: points(view.rates) == [13, 13])
    view._show_all.click()
    assert view.loss.x_range == view.rates.x_range == (1, 100)
    assert not view._show_all.isEnabled()


def test_a_new_run_begins_empty(view, workspace, qtbot):
    feed(workspace, 1, 10)
    qtbot.waitUntil(lambda: points(view.loss) == [10, 10])
    workspace.metrics.clear()
    qtbot.waitUntil(lambda: "appear here" in words(view))
