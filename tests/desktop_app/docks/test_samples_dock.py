from pathlib import Path

import pytest
import shiboken6
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from desktop_app.samples_view.view import SamplesView
from trainer_core.protocol.messages import SampleReady, StepDone

PATIENCE_MS = 20_000


@pytest.fixture
def view(workspace, qtbot):
    view = SamplesView(workspace)
    view.resize(700, 450)
    with qtbot.waitExposed(view):
        view.show()
    yield view
    shiboken6.delete(view)  # before its model, as a window does


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "run.toml"
    output = (tmp_path / "out").as_posix()
    path.write_text(f'format = "loom/2"\n[output]\noutput_dir = "{output}"\n', encoding="utf-8")
    return path


@pytest.fixture
def play(workspace, run_file, use_trainer, qtbot):
    """Run the fake trainer to its end."""

    def play(continue_=False, **options):
        use_trainer(workspace, **options)
        with qtbot.waitSignal(workspace.run.ended, timeout=PATIENCE_MS):
            workspace.run.start(run_file, continue_=continue_)

    return play


def drawn(step: int, path: Path) -> SampleReady:
    return SampleReady(step=step, epoch=1, prompt_index=0, prompt="a cat", path=str(path), seed=7)


def words(view) -> str:
    return " ".join(label.text() for label in view.findChildren(QLabel) if label.isVisible())


def columns(view) -> list[str]:
    model = view.grid.model()
    across = Qt.Orientation.Horizontal
    return [model.headerData(column, across) for column in range(model.columnCount())]


def test_without_prompts_it_leads_to_where_they_are_written(view, workspace, qtbot):
    assert "draws your prompts again and again" in words(view)
    with qtbot.waitSignal(workspace.setting_wanted) as wanted:
        view.invitation.button.click()
    assert wanted.args == ["sampling.prompt_list"]


@pytest.mark.parametrize(
    ("setting", "value"), [("sample_prompts", "prompts.txt"), ("prompt_list", ["a cat"])]
)
def test_with_prompts_it_asks_when_to_draw_them(view, workspace, setting, value, qtbot):
    workspace.document.set_value(f"sampling.{setting}", value)
    assert "no time to draw them" in words(view)
    with qtbot.waitSignal(workspace.setting_wanted) as wanted:
        view.invitation.button.click()
    assert wanted.args == ["sampling.sample_every_n_steps"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("sample_every_n_steps", 50), ("sample_every_n_epochs", 1), ("sample_at_first", True)],
)
def test_once_both_are_chosen_it_says_what_will_be_here(view, workspace, setting, value):
    workspace.document.set_value("sampling.sample_prompts", "prompts.txt")
    workspace.document.set_value(f"sampling.{setting}", value)
    assert "Samples appear here" in words(view)


def test_a_run_fills_the_grid_while_it_goes(view, play):
    play(steps=12, sample_every=4)
    assert view.grid.isVisible()
    assert columns(view) == ["Step 4", "Step 8", "Step 12"]
    assert view.grid.model().rowCount() == 2


def test_a_resumed_run_shows_what_was_drawn_before(view, play):
    play(steps=8, sample_every=4)
    play(continue_=True, steps=16, sample_every=4)
    assert columns(view) == ["Step 4", "Step 8", "Step 12", "Step 16"]


def test_a_new_run_begins_empty(view, play):
    play(steps=8, sample_every=4)
    play(steps=8)
    assert columns(view) == []
    assert view.invitation.isVisible()


def test_a_click_enlarges_and_a_button_leads_back(view, workspace, tmp_path, qtbot):
    path = tmp_path / "a.png"
    Image.new("RGB", (40, 40), "red").save(path)
    workspace.run.event_received.emit(drawn(10, path))
    cell = view.grid.visualRect(view.grid.model().index(0, 0)).center()
    qtbot.mouseClick(view.grid.viewport(), Qt.MouseButton.LeftButton, pos=cell)
    assert view.viewer.isVisible()
    assert not view.grid.isVisible()
    back = next(b for b in view.viewer.findChildren(QPushButton) if b.text() == "All samples")
    back.click()
    assert view.grid.isVisible()


def test_what_is_drawn_meanwhile_leaves_the_enlarged_picture_in_place(
    view, workspace, tmp_path, qtbot
):
    path = tmp_path / "a.png"
    Image.new("RGB", (40, 40), "red").save(path)
    workspace.run.event_received.emit(drawn(10, path))
    view.grid.picture_wanted.emit(drawn(10, path))
    workspace.run.event_received.emit(drawn(20, path))
    assert view.viewer.isVisible()


def test_a_new_run_takes_the_enlarged_picture_away(view, workspace, tmp_path):
    workspace.run.event_received.emit(drawn(10, tmp_path / "gone.png"))
    view.grid.picture_wanted.emit(drawn(10, tmp_path / "gone.png"))
    workspace.run.started.emit()
    assert view.invitation.isVisible()


def test_steps_alone_bring_no_grid(view, workspace):
    event = StepDone(step=1, epoch=1, loss=0.5, learning_rates={})
    workspace.run.event_received.emit(event)
    assert view.invitation.isVisible()
