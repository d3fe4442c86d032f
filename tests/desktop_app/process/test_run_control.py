from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.fake_trainer import fake_command
from pytestqt.qtbot import QtBot

from desktop_app.models.runs.log_model import Level, LogModel
from desktop_app.models.runs.metrics_model import MetricsModel
from desktop_app.process.environment import TrainerCommand
from desktop_app.process.outcome import Ending, Outcome
from desktop_app.process.run_control import RunControl
from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.messages import Finished, Hello, StepDone
from trainer_core.texts import Text

Play = Callable[..., Outcome]

PATIENCE_MS = 20_000  # a process starts slowly on a busy machine


def steps(metrics: MetricsModel) -> list[int]:
    return [int(step) for step in metrics.loss.x]


def words(log: LogModel, level: Level) -> list[str]:
    return [str(line.message) for line in log.lines if line.level is level]


def test_a_run_is_heard_from_hello_to_its_end(
    run: RunControl, metrics: MetricsModel, play: Play, tmp_path: Path
) -> None:
    heard: list[object] = []
    run.event_received.connect(heard.append)
    outcome = play(steps=12)
    assert isinstance(heard[0], Hello)
    assert isinstance(heard[-1], Finished)
    assert steps(metrics) == list(range(1, 13))
    assert list(metrics.learning_rates) == ["text_encoder", "unet"]
    assert outcome.ending is Ending.COMPLETED
    assert outcome.ok
    assert not outcome.stopped
    assert outcome.weights == tmp_path / "out" / "fake.safetensors"
    assert str(outcome.sentence) == "Done: 12 steps trained."


def test_phases_follow_the_trainer_and_end_idle(run: RunControl, play: Play) -> None:
    phases: list[str] = []
    run.phase_changed.connect(phases.append)
    play(steps=3)
    assert phases == ["starting", "loading", "caching", "training", "saving", "ended", "idle"]


def test_stop_saves_and_the_next_run_goes_on_from_there(
    run: RunControl, metrics: MetricsModel, play: Play, run_file: Path, qtbot: QtBot
) -> None:
    program, *arguments = fake_command(steps=500, delay=0.01)
    run.command = TrainerCommand(program, arguments)
    run.start(run_file)
    qtbot.waitUntil(lambda: len(metrics.loss) >= 5, timeout=PATIENCE_MS)
    with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS) as blocker:
        run.stop(save=True)
    stopped: Outcome = blocker.args[0]
    assert stopped.stopped
    assert stopped.step is not None
    assert stopped.state is not None
    before = metrics.loss.y.tolist()

    outcome = play(continue_=True, steps=stopped.step + 10)
    assert outcome.ending is Ending.COMPLETED
    # The curve shows the whole run: what was drawn before the stop, then the new steps.
    assert steps(metrics) == list(range(1, stopped.step + 11))
    assert metrics.loss.y[: stopped.step].tolist() == before[: stopped.step]


def test_a_run_that_went_further_than_its_state_is_drawn_once(
    run: RunControl, metrics: MetricsModel, play: Play, tmp_path: Path
) -> None:
    play(steps=10)
    folder = RunFolder(tmp_path / "out", "fake")
    with folder.event_file.open("ab") as file:  # it went on for two steps and was then killed
        for step in (11, 12):
            event = StepDone(step=step, epoch=1, loss=9.0, learning_rates={})
            file.write(event.model_dump_json().encode() + b"\n")
        file.write(b'{"event": "step_done", "ste\n')
    play(continue_=True, steps=14)
    assert steps(metrics) == list(range(1, 15))
    assert metrics.loss.y.max() < 9.0


def test_past_events_are_told_apart_from_those_of_this_run(run: RunControl, play: Play) -> None:
    play(steps=4)
    live: list[object] = []
    past: list[object] = []
    run.event_received.connect(live.append)
    run.past_event_received.connect(past.append)
    play(continue_=True, steps=6)
    assert [e.step for e in past if isinstance(e, StepDone)] == [1, 2, 3, 4]
    assert [e.step for e in live if isinstance(e, StepDone)] == [5, 6]
    assert [e.run_folder != "" for e in live if isinstance(e, Hello)] == [False, True]


def test_the_log_tells_what_happened_in_words(
    run: RunControl, play: Play, log: LogModel, tmp_path: Path
) -> None:
    play(steps=4)
    play(continue_=True, steps=6)
    told = words(log, Level.INFO)
    assert told[0] == f"The run's folder is {tmp_path / 'out' / 'fake.run'}."
    assert "15 pictures, 1 per epoch, 4 steps in all." in told
    assert "Saved fake.safetensors (0.0 MiB) after step 4." in told
    assert "Going on after step 4." in told
    assert told[-1] == "Done: 6 steps trained."
    assert told.count("Saved fake.safetensors (0.0 MiB) after step 4.") == 1


def test_a_failure_before_there_is_a_run_folder_has_no_log_file(
    run: RunControl, tmp_path: Path, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS) as blocker:
        run.start(tmp_path / "missing.toml")
    assert blocker.args[0].log_file is None


@pytest.mark.parametrize("lose_until", [15, 1000])
def test_events_that_the_stream_lost_are_read_from_the_file(
    metrics: MetricsModel, play: Play, lose_until: int
) -> None:
    outcome = play(steps=20, lose_from=5, lose_until=lose_until)
    assert steps(metrics) == list(range(1, 21))
    assert outcome.ending is Ending.COMPLETED


def test_stop_without_saving_saves_nothing(
    run: RunControl, metrics: MetricsModel, run_file: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    program, *arguments = fake_command(steps=500, delay=0.01)
    run.command = TrainerCommand(program, arguments)
    run.start(run_file)
    qtbot.waitUntil(lambda: len(metrics.loss) >= 2, timeout=PATIENCE_MS)
    with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS) as blocker:
        run.stop(save=False)
    outcome: Outcome = blocker.args[0]
    assert outcome.stopped
    assert outcome.state is None
    assert RunFolder(tmp_path / "out", "fake").states() == []


def test_a_failure_says_what_why_and_what_to_do(play: Play, log: LogModel) -> None:
    outcome = play(fail_at=3)
    assert outcome.ending is Ending.FAILED
    assert str(outcome.sentence) == "The loss is not finite at step 3."
    assert str(outcome.hint) == "Use a smaller learning rate."
    assert outcome.log_file is not None
    assert outcome.log_file.name == "trainer.log"
    assert words(log, Level.ERROR) == ["The loss is not finite at step 3."]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGKILL")
def test_a_killed_trainer_is_named_as_such(play: Play, metrics: MetricsModel) -> None:
    outcome = play(kill_at=4)
    assert outcome.crashed
    assert "killed" in str(outcome.sentence)
    assert "memory" in str(outcome.hint)
    assert steps(metrics) == [1, 2, 3]


def test_garbage_and_unknown_events_are_reported_and_survived(
    play: Play, log: LogModel, metrics: MetricsModel
) -> None:
    outcome = play(garbage=True, steps=6)
    assert outcome.ending is Ending.COMPLETED
    assert steps(metrics) == [1, 2, 3, 4, 5, 6]
    warnings = words(log, Level.WARNING)
    assert "Unknown event “from_the_future”." in warnings
    assert "Only 3 left." in warnings
    assert sum(line.startswith("This line is not a message") for line in warnings) == 5


def test_another_protocol_is_refused_in_words(play: Play) -> None:
    outcome = play(protocol=7)
    assert outcome.ending is Ending.NOT_STARTED
    assert str(outcome.sentence) == "The trainer speaks version 7 of the protocol, the app 1."
    assert outcome.hint is not None
    assert outcome.preferences_page == "trainer"


def test_a_program_that_does_not_say_hello_is_refused(play: Play) -> None:
    assert play(no_hello=True).ending is Ending.NOT_STARTED


def test_another_version_of_the_same_protocol_is_mentioned(play: Play, log: LogModel) -> None:
    assert play(trainer_version="0.0.1", steps=2).ok
    assert any("0.0.1" in line for line in words(log, Level.WARNING))


def test_a_trainer_that_leaves_without_a_word_is_a_crash(play: Play, log: LogModel) -> None:
    outcome = play(silent_exit=1)
    assert outcome.crashed
    assert "exit code 1" in str(outcome.sentence)
    assert outcome.preferences_page == ""
    assert "Illegal instruction" in words(log, Level.INFO)


@pytest.mark.parametrize(
    ("last_words", "told"),
    [
        ("/usr/bin/python3: No module named trainer_core", "no LoRA Loom trainer"),
        ("ModuleNotFoundError: No module named 'torch'", "lacks torch"),
    ],
)
def test_a_python_that_lacks_a_package_leads_to_the_preferences(
    play: Play, last_words: str, told: str
) -> None:
    outcome = play(silent_exit=1, last_words=last_words)
    assert outcome.ending is Ending.NOT_STARTED
    assert told in str(outcome.sentence)
    assert outcome.preferences_page == "trainer"


def test_a_failure_of_another_version_leads_to_the_preferences(play: Play) -> None:
    assert play(trainer_version="0.0.1", fail_at=1).preferences_page == "trainer"
    assert play(fail_at=1).preferences_page == ""


def test_a_python_that_is_not_there_is_named(
    run: RunControl, run_file: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    run.command = TrainerCommand.of_python(tmp_path / "no-python")
    with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS) as blocker:
        run.start(run_file)
    outcome: Outcome = blocker.args[0]
    assert outcome.ending is Ending.NOT_STARTED
    assert "no-python" in str(outcome.sentence)
    assert outcome.preferences_page == "trainer"
    assert not run.is_running


def test_after_a_failure_another_run_can_start(play: Play, metrics: MetricsModel) -> None:
    play(fail_at=3)
    assert play(steps=5).ok
    assert steps(metrics) == [1, 2, 3, 4, 5]


def test_detach_is_answered(
    run: RunControl, metrics: MetricsModel, run_file: Path, qtbot: QtBot
) -> None:
    program, *arguments = fake_command(steps=500, delay=0.01)
    run.command = TrainerCommand(program, arguments)
    run.start(run_file)
    qtbot.waitUntil(lambda: len(metrics.loss) >= 1, timeout=PATIENCE_MS)
    with qtbot.waitSignal(run.detached, timeout=PATIENCE_MS):
        run.detach()
    assert run.is_running


def test_log_lines_of_the_trainer_arrive_whole(play: Play, log: LogModel) -> None:
    play(steps=3, log_lines=50)
    lines = [line.message for line in log.lines if isinstance(line.message, str)]
    assert lines == [
        f"12:00:00 INFO step {step}, line {number}" for step in (1, 2, 3) for number in range(50)
    ]


def test_the_outcome_is_a_sentence_that_can_be_translated(play: Play) -> None:
    outcome = play(steps=2)
    assert outcome.sentence == Text(
        "Done: {step} [step:step|steps] trained.", {"step": 2, "total": 2}
    )
