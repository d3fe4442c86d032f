import pytest
from PySide6.QtWidgets import QApplication, QLabel, QProgressBar, QPushButton

from desktop_app.window.status import StatusBar
from desktop_app.workspace import Workspace
from trainer_core.protocol.messages import Phase, Plan, Progress, Resumed, StepDone


@pytest.fixture
def bar(workspace: Workspace, qtbot) -> StatusBar:
    bar = StatusBar(workspace.run, workspace.record, workspace.problems)
    qtbot.addWidget(bar)
    bar.show()
    return bar


PLAN = Plan(
    pictures=15,
    showings_per_epoch=150,
    buckets=(),
    batches_per_epoch=38,
    steps_per_epoch=38,
    total_steps=380,
    epochs=10,
    warmup_steps=0,
)


def words(bar: StatusBar) -> set[str]:
    return {label.text() for label in bar.findChildren(QLabel) if label.text()}


def test_without_a_run_it_is_ready_and_says_the_version(bar: StatusBar):
    assert words(bar) == {"Nothing is running", "0.1.0"}
    assert not bar.findChildren(QProgressBar)[0].isVisible()


def test_steps_speed_and_time_left_are_shown(bar: StatusBar, workspace: Workspace, qtbot):
    workspace.run.event_received.emit(PLAN)
    for step, time_s in ((1, 0.0), (2, 2.0)):
        event = StepDone(
            time=time_s, step=step, epoch=1, loss=1.0, learning_rates={}, images_per_second=2.04
        )
        workspace.run.event_received.emit(event)
    shown = {"step 2 of 380", "2.04 images/s", "12 min 36 s left"}
    qtbot.waitUntil(lambda: shown <= words(bar))
    [progress] = bar.findChildren(QProgressBar)
    assert (progress.value(), progress.maximum()) == (2, 380)


@pytest.mark.parametrize(
    ("precision", "told"), [("bf16", "Some GPU, bf16"), ("no", "Some GPU, 32 bit")]
)
def test_what_calculates_and_how_is_shown_once_the_trainer_tells(
    bar: StatusBar, workspace: Workspace, precision: str, told: str
):
    plan = PLAN.model_copy(update={"precision": precision, "device": "Some GPU"})
    workspace.run.event_received.emit(plan)
    assert told in words(bar)


def test_the_progress_of_other_phases_is_shown(bar: StatusBar, workspace: Workspace):
    workspace.run.event_received.emit(Progress(phase="caching", done=6, total=15))
    [progress] = bar.findChildren(QProgressBar)
    assert (progress.value(), progress.maximum()) == (6, 15)


def test_errors_are_counted_and_lead_to_the_problems(bar: StatusBar, workspace: Workspace, qtbot):
    workspace.document.expect_values()
    [button] = bar.findChildren(QPushButton)
    assert button.text() == "Errors: 3"  # no model, no pictures, no place for the result
    with qtbot.waitSignal(bar.problems_wanted):
        button.click()


def test_without_errors_there_is_no_count(
    bar: StatusBar, workspace: Workspace, ready_values: dict[str, object]
):
    workspace.document.apply(ready_values, "made ready")
    [button] = bar.findChildren(QPushButton)
    assert not button.isVisible()


def test_a_pause_is_shown_with_its_key_and_without_a_time(
    bar: StatusBar, workspace: Workspace, qtbot
):
    workspace.run.event_received.emit(PLAN)
    for step, time_s in ((1, 0.0), (2, 2.0)):
        event = StepDone(time=time_s, step=step, epoch=1, loss=1.0, learning_rates={})
        workspace.run.event_received.emit(event)
    qtbot.waitUntil(lambda: "12 min 36 s left" in words(bar))
    workspace.run._set_phase("paused")
    workspace.run.event_received.emit(Phase(phase="paused"))
    assert "Paused – F6 goes on" in words(bar)
    assert not any(text.endswith("left") for text in words(bar))


def test_the_time_left_is_back_with_the_first_step_after_a_pause(
    bar: StatusBar, workspace: Workspace, qtbot
):
    workspace.run.event_received.emit(PLAN)
    for step, time_s in ((1, 0.0), (2, 2.0), (3, 3600.0)):
        if step == 3:
            workspace.run.event_received.emit(Phase(phase="paused"))
        event = StepDone(time=time_s, step=step, epoch=1, loss=1.0, learning_rates={})
        workspace.run.event_received.emit(event)
    # 377 steps of 2 s
    qtbot.waitUntil(lambda: "12 min 34 s left" in words(bar))


def test_a_step_that_waits_to_be_shown_does_not_hide_what_came_after_it(
    bar: StatusBar, workspace: Workspace
):
    workspace.run.event_received.emit(PLAN)
    workspace.run.event_received.emit(StepDone(step=5, epoch=1, loss=1.0, learning_rates={}))
    workspace.run.event_received.emit(Progress(phase="sampling", done=1, total=4))
    QApplication.processEvents()
    [progress] = bar.findChildren(QProgressBar)
    assert (progress.value(), progress.maximum()) == (1, 4)
    assert "step 5 of 380" in words(bar)


def test_a_resumed_run_shows_at_once_how_far_it_is(bar: StatusBar, workspace: Workspace):
    workspace.run.event_received.emit(PLAN)
    workspace.run.event_received.emit(Resumed(from_step=190, state="s"))
    [progress] = bar.findChildren(QProgressBar)
    assert (progress.value(), progress.maximum()) == (190, 380)


def test_what_was_done_outlasts_the_turn_to_something_else(bar: StatusBar, workspace: Workspace):
    bar.tell_news("Saved: cat-step00000120.safetensors")
    workspace.run._set_phase("training")
    assert bar.currentMessage() == "Saved: cat-step00000120.safetensors"


def test_what_was_told_stands_until_the_run_turns_to_something_else(
    bar: StatusBar, workspace: Workspace
):
    bar.tell("Saving after this step…")
    assert bar.currentMessage() == "Saving after this step…"
    workspace.run._set_phase("saving")
    assert bar.currentMessage() == ""
