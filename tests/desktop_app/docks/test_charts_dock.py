from pathlib import Path

import pytest
from helpers.mouse import point_at, turn_wheel
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QHelpEvent, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QSlider, QToolTip

from desktop_app.charts.view import ChartsView
from desktop_app.theme import tokens
from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.messages import CheckpointSaved, SampleReady, StepDone


@pytest.fixture
def view(workspace, qtbot):
    view = ChartsView(workspace)
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.show()
    return view


def feed(workspace, first, last, *, loss=lambda number: 1 / number):
    for number in range(first, last + 1):
        event = StepDone(
            step=number,
            epoch=1,
            loss=loss(number),
            learning_rates={"text_encoder": 5e-5, "unet": 1e-4},
            grad_norm=number / 100,
            images_per_second=2.5,
            memory_mib=8123,
        )
        workspace.metrics.feed(event)


def panel(view, name):
    return next(panel for chart, panel in view._panels.items() if chart.name == name)


def plot(view, name):
    return panel(view, name).plot


def viewport(view, name):
    return plot(view, name)._plot.viewport()


def points(view, name):
    items = [item for _, item in plot(view, name)._curves]
    return [0 if item.xData is None else len(item.xData) for item in items]


def shown_charts(view):
    return [chart.name for chart, panel in view._panels.items() if panel.isVisible()]


def choose(view, name):
    next(choice for chart, choice in view._choices.items() if chart.name == name).trigger()


def words(view):
    return " ".join(label.text() for label in view.findChildren(QLabel) if label.isVisible())


def wait_drawn(qtbot, view, count):
    qtbot.waitUntil(lambda: points(view, "loss") == [count, count])


def place_of_step(view, name, step):
    """Return where a chart shows a step."""
    drawn = plot(view, name)
    rect = drawn._item.getViewBox().sceneBoundingRect()
    first, last = drawn.x_range
    place = rect.center()
    place.setX(rect.left() + (step - first) / (last - first) * rect.width())
    return place.toPoint()


def point_at_step(view, name, step):
    point_at(viewport(view, name), place_of_step(view, name, step))


def test_before_a_run_it_says_what_will_be_here(view):
    assert "appear here" in words(view)


def test_a_run_is_drawn_on_a_timer_not_per_message(view, workspace, qtbot):
    feed(workspace, 1, 50)
    assert points(view, "loss") == [0, 0]
    wait_drawn(qtbot, view, 50)
    assert points(view, "learning_rates") == [50, 50]
    assert plot(view, "loss").x_range == plot(view, "learning_rates").x_range == (1, 50)


def test_a_run_without_a_finite_loss_is_drawn_too(view, workspace, qtbot):
    feed(workspace, 1, 5, loss=lambda _: None)
    qtbot.waitUntil(lambda: points(view, "learning_rates") == [5, 5])
    assert shown_charts(view) == ["loss", "learning_rates"]


def test_the_curves_are_named_with_their_newest_values(view, workspace, qtbot):
    feed(workspace, 1, 4)
    qtbot.waitUntil(lambda: "raw&nbsp;<b>0.25</b>" in words(view))
    assert "U-Net&nbsp;<b>1e-4</b>" in words(view)
    assert "Text&nbsp;encoder&nbsp;<b>5e-5</b>" in words(view)


def test_out_of_sight_nothing_is_drawn_until_it_is_shown_again(view, workspace):
    view.hide()
    feed(workspace, 1, 10)
    assert not view._timer.isActive()
    view.show()
    assert points(view, "loss") == [10, 10]


def test_the_slider_smooths_more_or_less(view, workspace, qtbot):
    feed(workspace, 1, 10)
    slider = view.findChild(QSlider)
    slider.setValue(slider.minimum())
    assert workspace.metrics.smoothing_steps == 1
    slider.setValue(slider.maximum())
    assert workspace.metrics.smoothing_steps == 1000
    qtbot.waitUntil(lambda: "1000 steps" in words(view))


def test_a_new_run_begins_empty(view, workspace, qtbot):
    feed(workspace, 1, 10)
    wait_drawn(qtbot, view, 10)
    workspace.metrics.clear()
    qtbot.waitUntil(lambda: "appear here" in words(view))


# -------------------------------------------------------------------- which charts


def test_loss_and_learning_rates_are_shown_at_first(view, workspace, qtbot):
    feed(workspace, 1, 10)
    wait_drawn(qtbot, view, 10)
    assert shown_charts(view) == ["loss", "learning_rates"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("gradient_norm", "0.1"), ("images_per_second", "2.5"), ("memory", "8123")],
)
def test_a_chosen_chart_is_drawn_with_its_newest_value(view, workspace, qtbot, name, value):
    feed(workspace, 1, 10)
    wait_drawn(qtbot, view, 10)
    choose(view, name)
    assert points(view, name) == [10]
    assert f"<b>{value}</b>" in panel(view, name)._legend.text()
    assert plot(view, name).x_range == (1, 10)


def test_the_choice_of_charts_is_remembered(view, workspace, qtbot):
    choose(view, "learning_rates")
    choose(view, "memory")
    again = ChartsView(workspace)
    qtbot.addWidget(again)
    again.show()
    feed(workspace, 1, 10)
    wait_drawn(qtbot, again, 10)
    assert shown_charts(again) == ["loss", "memory"]


def test_all_charts_together_leave_a_low_window_low(view, workspace, qtbot):
    feed(workspace, 1, 1)
    wait_drawn(qtbot, view, 1)
    for name in ("gradient_norm", "images_per_second", "memory"):
        choose(view, name)
    view.resize(600, 200)
    assert view.height() == 200
    assert plot(view, "memory").height() >= tokens.current().thumbnail // 2


def test_the_last_chart_cannot_be_hidden(view, workspace, qtbot):
    feed(workspace, 1, 10)
    wait_drawn(qtbot, view, 10)
    choose(view, "learning_rates")
    choose(view, "loss")
    assert shown_charts(view) == ["loss"]


def test_only_the_lowest_chart_writes_the_steps(view, workspace, qtbot):
    feed(workspace, 1, 10)
    wait_drawn(qtbot, view, 10)

    def writing():
        axes = {
            chart.name: panel.plot._item.getAxis("bottom") for chart, panel in view._panels.items()
        }
        return [name for name in shown_charts(view) if axes[name].style["showValues"]]

    assert writing() == ["learning_rates"]
    choose(view, "memory")
    assert writing() == ["memory"]


# -------------------------------------------------------------------- marks


def feed_save(workspace, step):
    event = CheckpointSaved(
        kind="weights", step=step, epoch=1, path="/out/mine.safetensors", size_bytes=1
    )
    workspace.metrics.feed(event)


def test_a_save_is_marked_on_the_loss(view, workspace, qtbot):
    feed(workspace, 1, 100)
    wait_drawn(qtbot, view, 100)
    assert "◆" not in words(view)
    feed_save(workspace, 40)
    qtbot.waitUntil(lambda: "◆</span>" in panel(view, "loss")._legend.text())
    assert len(plot(view, "loss")._marks[1].steps) == 1


def tooltip_at_step(view, step, monkeypatch):
    told = []
    monkeypatch.setattr(QToolTip, "showText", lambda place, words, widget: told.append(words))
    target = viewport(view, "loss")
    place = place_of_step(view, "loss", step)
    event = QHelpEvent(QEvent.Type.ToolTip, place, target.mapToGlobal(place))
    QApplication.sendEvent(target, event)
    return told


def test_a_marks_tooltip_tells_what_happened_there(view, workspace, qtbot, monkeypatch):
    feed(workspace, 1, 100)
    feed_save(workspace, 40)
    wait_drawn(qtbot, view, 100)
    assert tooltip_at_step(view, 40, monkeypatch) == ["Step 40: mine.safetensors saved"]
    assert tooltip_at_step(view, 60, monkeypatch) == [""]


def test_samples_from_before_training_are_marked_in_sight(view, workspace, qtbot):
    at = {"step": 0, "epoch": 1, "seed": 7, "path": "/out/a.png"}
    workspace.metrics.feed(SampleReady(prompt_index=0, prompt="a cat", **at))
    feed(workspace, 1, 100)
    wait_drawn(qtbot, view, 100)
    assert plot(view, "loss").x_range == (0, 100)
    assert "■</span>" in panel(view, "loss")._legend.text()


def test_keys_move_every_chart_until_home(view, workspace, qtbot):
    feed(workspace, 1, 100)
    wait_drawn(qtbot, view, 100)
    qtbot.keyClick(plot(view, "loss")._plot, Qt.Key.Key_Plus)
    middle = (1 + 100) / 2
    zoomed = pytest.approx((middle - 99 / 3, middle + 99 / 3))
    qtbot.waitUntil(lambda: plot(view, "learning_rates").x_range == zoomed)
    qtbot.keyClick(plot(view, "learning_rates")._plot, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: plot(view, "loss").x_range == (1, 100))


# -------------------------------------------------------------------- the mouse


def zoom_in(view, name="loss"):
    viewport_ = viewport(view, name)
    turn_wheel(viewport_, viewport_.rect().center(), 240)


def test_zooming_one_chart_moves_all_and_stays_as_points_come(view, workspace, qtbot):
    feed(workspace, 1, 100)
    wait_drawn(qtbot, view, 100)
    zoom_in(view, "learning_rates")
    zoomed = plot(view, "learning_rates").x_range
    assert zoomed[1] - zoomed[0] < 99
    qtbot.waitUntil(lambda: plot(view, "loss").x_range == zoomed)
    feed(workspace, 101, 200)
    qtbot.waitUntil(lambda: "0.005" in words(view))
    assert plot(view, "loss").x_range == plot(view, "learning_rates").x_range == zoomed


def test_a_new_run_is_shown_whole_whatever_was_zoomed_before(view, workspace, qtbot):
    feed(workspace, 1, 100)
    wait_drawn(qtbot, view, 100)
    zoom_in(view)
    assert not view._stack.is_following
    workspace.run.started.emit()
    assert view._stack.is_following


def test_dragging_moves_along_the_steps(view, workspace, qtbot):
    feed(workspace, 1, 100)
    wait_drawn(qtbot, view, 100)
    target = viewport(view, "loss")
    left = Qt.MouseButton.LeftButton
    start = target.rect().center()
    qtbot.mousePress(target, left, pos=start)
    end = start
    for _ in range(5):  # a drag begins once the mouse is a few pixels away
        end = end - start * 0.1
        end.setY(start.y())
        point_at(target, end, held=left)
        qtbot.wait(15)  # moves that come faster are ignored
    qtbot.mouseRelease(target, left, pos=end)
    first, last = plot(view, "loss").x_range
    assert first > 5
    assert last - first == pytest.approx(99)


@pytest.mark.parametrize("way", ["button", "double click"])
def test_everything_comes_back_and_is_followed_again(view, workspace, qtbot, way):
    feed(workspace, 1, 100)
    wait_drawn(qtbot, view, 100)
    assert not view._show_all.isEnabled()
    zoom_in(view)
    if way == "button":
        qtbot.mouseClick(view._show_all, Qt.MouseButton.LeftButton)
    else:
        target = viewport(view, "loss")
        qtbot.mouseDClick(target, Qt.MouseButton.LeftButton, pos=target.rect().center())
    assert not view._show_all.isEnabled()
    feed(workspace, 101, 120)
    qtbot.waitUntil(lambda: plot(view, "loss").x_range == (1, 120))
    assert plot(view, "learning_rates").x_range == (1, 120)


def test_the_legends_tell_the_values_at_the_pointer(view, workspace, qtbot):
    feed(workspace, 1, 100, loss=lambda number: number / 1000)
    wait_drawn(qtbot, view, 100)
    point_at_step(view, "learning_rates", 40)
    assert "Step 40" in words(view)
    assert "raw&nbsp;<b>0.04</b>" in words(view)
    assert "U-Net&nbsp;<b>1e-4</b>" in words(view)
    QApplication.sendEvent(viewport(view, "learning_rates"), QEvent(QEvent.Type.Leave))
    assert "Step" not in words(view)
    assert "raw&nbsp;<b>0.1</b>" in words(view)


def test_a_curve_without_a_value_at_the_pointer_says_so(view, workspace, qtbot):
    feed(workspace, 1, 100, loss=lambda number: None if number == 40 else 0.5)
    wait_drawn(qtbot, view, 99)
    point_at_step(view, "loss", 40)
    assert "Step 40" in words(view)
    assert "raw&nbsp;<b>–</b>" in words(view)


# -------------------------------------------------------------------- export


def export_to(monkeypatch, path):
    """Return what the file dialog proposed; it answers with ``path``."""
    proposed = []

    def dialog(parent, title, name, name_filter):
        proposed.append(name)
        return str(path), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", dialog)
    return proposed


def test_all_values_are_saved_whatever_is_shown(view, workspace, qtbot, tmp_path, monkeypatch):
    feed(workspace, 1, 3)
    wait_drawn(qtbot, view, 3)
    proposed = export_to(monkeypatch, tmp_path / "values.csv")
    workspace.document.set_value("output.output_name", "cat")
    view._save_values.trigger()
    qtbot.waitUntil(lambda: not view._export.is_running)
    assert proposed == [str(workspace.document.folder / "cat-charts.csv")]
    heading, *lines = (tmp_path / "values.csv").read_text().splitlines()
    assert heading == (
        "step,loss,smoothed_loss,learning_rate_text_encoder,learning_rate_unet,"
        "gradient_norm,images_per_second,memory_mib"
    )
    assert len(lines) == 3
    assert lines[1].startswith("2,0.5,")
    assert lines[1].endswith(",5e-05,0.0001,0.02,2.5,8123.0")


def test_charts_are_called_by_their_run_whatever_is_open(view, workspace, tmp_path, monkeypatch):
    proposed = export_to(monkeypatch, "")
    (tmp_path / "dog.run").mkdir()
    workspace.run.attach(RunFolder(tmp_path, "dog"))
    workspace.document.set_value("output.output_name", "cat")
    view._save_picture.trigger()
    assert Path(proposed[0]).name == "dog-charts.png"
    workspace.run.leave()


def test_the_picture_is_of_the_charts_that_are_shown(view, workspace, qtbot, tmp_path, monkeypatch):
    feed(workspace, 1, 100)
    wait_drawn(qtbot, view, 100)
    export_to(monkeypatch, tmp_path / "charts.png")
    view._save_picture.trigger()
    picture = QImage(str(tmp_path / "charts.png"))
    assert picture.size() == view._stack.size() * view.devicePixelRatioF()
    colours = {picture.pixelColor(x, y).name() for x in range(600) for y in range(200)}
    assert tokens.current().chart_lines[0] in colours
