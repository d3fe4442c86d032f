import pytest
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton

from desktop_app.status import Pace, StatusBar, duration_text
from desktop_app.workspace import Workspace
from trainer_core.protocol.messages import Phase, Plan, Progress, StepDone


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.6, "1 min 00 s"), (270, "4 min 30 s"), (3900, "1 h 05 min")],
)
def test_durations_are_short(seconds, words):
    assert duration_text(seconds) == words


def test_nobody_can_tell_the_time_left_from_one_step():
    pace = Pace()
    pace.add(1, 100.0)
    assert pace.seconds_left(10) is None


def test_the_time_left_counts_what_lies_between_steps():
    pace = Pace()
    for step, time_s in ((1, 100.0), (2, 101.0), (3, 104.0)):  # a save took two seconds
        pace.add(step, time_s)
    assert pace.seconds_left(13) == 10 * 4.0 / 2


def test_only_newer_steps_count():
    pace = Pace()
    for step in range(100):
        pace.add(step, step * 10.0)
    for step in range(100, 200):
        pace.add(step, 1000.0 + step)
    assert pace.seconds_left(299) == pytest.approx(100.0)


@pytest.fixture
def bar(workspace: Workspace, qtbot) -> StatusBar:
    bar = StatusBar(workspace.run, workspace.problems)
    qtbot.addWidget(bar)
    bar.show()
    return bar


def words(bar: StatusBar) -> set[str]:
    return {label.text() for label in bar.findChildren(QLabel) if label.text()}


def test_without_a_run_it_is_ready_and_says_the_version(bar: StatusBar):
    assert words(bar) == {"Ready", "0.1.0"}
    assert not bar.findChildren(QProgressBar)[0].isVisible()


def test_steps_speed_and_time_left_are_shown(bar: StatusBar, workspace: Workspace):
    plan = Plan(
        pictures=15,
        showings_per_epoch=150,
        buckets=(),
        batches_per_epoch=38,
        steps_per_epoch=38,
        total_steps=380,
        epochs=10,
        warmup_steps=0,
    )
    workspace.run.event_received.emit(plan)
    for step, time_s in ((1, 0.0), (2, 2.0)):
        event = StepDone(
            time=time_s, step=step, epoch=1, loss=1.0, learning_rates={}, images_per_second=2.04
        )
        workspace.run.event_received.emit(event)
    assert {"step 2 of 380", "2.04 images/s", "12 min 36 s left"} <= words(bar)
    [progress] = bar.findChildren(QProgressBar)
    assert (progress.value(), progress.maximum()) == (2, 380)


@pytest.mark.parametrize(
    ("precision", "told"), [("bf16", "Some GPU, bf16"), ("no", "Some GPU, 32 bit")]
)
def test_what_calculates_and_how_is_shown_once_the_trainer_tells(
    bar: StatusBar, workspace: Workspace, precision: str, told: str
):
    plan = Plan(
        pictures=1,
        showings_per_epoch=1,
        buckets=(),
        batches_per_epoch=1,
        steps_per_epoch=1,
        total_steps=1,
        epochs=1,
        warmup_steps=0,
        precision=precision,
        device="Some GPU",
    )
    workspace.run.event_received.emit(plan)
    assert told in words(bar)


def test_the_progress_of_other_phases_is_shown(bar: StatusBar, workspace: Workspace):
    workspace.run.event_received.emit(Progress(phase="caching", done=6, total=15))
    [progress] = bar.findChildren(QProgressBar)
    assert (progress.value(), progress.maximum()) == (6, 15)


def test_errors_are_counted_and_lead_to_the_problems(bar: StatusBar, qtbot):
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


def test_a_pause_is_shown_and_its_length_counts_for_no_time_left(
    bar: StatusBar, workspace: Workspace
):
    for step, time_s in ((1, 0.0), (2, 2.0)):
        event = StepDone(time=time_s, step=step, epoch=1, loss=1.0, learning_rates={})
        workspace.run.event_received.emit(event)
    workspace.run._set_phase("paused")
    workspace.run.event_received.emit(Phase(phase="paused"))
    assert "Paused" in words(bar)
    assert not any(text.endswith("left") for text in words(bar))
    workspace.run._set_phase("training")
    event = StepDone(time=3600.0, step=3, epoch=1, loss=1.0, learning_rates={})
    workspace.run.event_received.emit(event)
    assert not any(text.endswith("left") for text in words(bar))


def test_what_was_told_stands_until_the_run_turns_to_something_else(
    bar: StatusBar, workspace: Workspace
):
    bar.tell("Saving after this step…")
    assert bar.currentMessage() == "Saving after this step…"
    workspace.run._set_phase("saving")
    assert bar.currentMessage() == ""
