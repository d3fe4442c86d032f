"""A run that the app did not start is heard and commanded as if it had."""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.fake_trainer import fake_command
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from desktop_app.models.runs.log_model import Level, LogModel
from desktop_app.models.runs.metrics_model import MetricsModel
from desktop_app.process import attached_trainer
from desktop_app.process.attached_trainer import AttachedTrainer
from desktop_app.process.outcome import Ending, Outcome, ProcessEnd
from desktop_app.process.run_control import RunControl
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.run_lock import RunLock, lock_holder
from trainer_core.protocol.codec import encode
from trainer_core.protocol.messages import (
    CheckpointSaved,
    Continue,
    Finished,
    Hello,
    Pause,
    SampleReady,
    SaveNow,
    StepDone,
)
from trainer_core.version import __version__

PATIENCE_MS = 20_000
SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")

Launch = Callable[..., subprocess.Popen[bytes]]
Play = Callable[..., Outcome]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "out", "fake")


@pytest.fixture
def launch(run_file: Path, folder: RunFolder, qtbot: QtBot) -> Iterator[Launch]:
    """Start the fake trainer as somebody else would, and wait until it holds its lock."""
    launched: list[subprocess.Popen[bytes]] = []

    def launch(*flags: str, **options: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*fake_command(**options), "train", str(run_file), *flags],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        launched.append(process)
        qtbot.waitUntil(lambda: lock_holder(folder.lock_file) is not None, timeout=PATIENCE_MS)
        return process

    yield launch
    for process in launched:
        process.kill()
        process.wait()


def steps(metrics: MetricsModel) -> list[int]:
    return [int(step) for step in metrics.loss.x]


def write_events(folder: RunFolder, *messages: object) -> None:
    folder.path.mkdir(parents=True, exist_ok=True)
    with folder.event_file.open("ab") as file:
        file.writelines(encode(message) for message in messages)


def hello(**facts: object) -> Hello:
    return Hello.model_validate({"version": __version__, "pid": 1} | facts)


def step(number: int, at: float = 0.0) -> StepDone:
    return StepDone(step=number, epoch=1, loss=0.5, learning_rates={"unet": 1e-4}, time=at)


# ---------------------------------------------------------------- a run at work


def test_it_is_shown_from_its_first_step_to_its_end(
    run: RunControl, metrics: MetricsModel, launch: Launch, folder: RunFolder, qtbot: QtBot
) -> None:
    launch(steps=60, delay=0.01)
    with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS) as blocker:
        run.attach(folder)
        assert run.is_running
        assert run.is_attached
    assert steps(metrics) == list(range(1, 61))
    assert blocker.args[0].ending is Ending.COMPLETED
    assert not run.is_running


def test_it_can_be_paused_saved_and_stopped(
    run: RunControl, metrics: MetricsModel, launch: Launch, folder: RunFolder, qtbot: QtBot
) -> None:
    launch(steps=10_000, delay=0.01)
    run.attach(folder)
    qtbot.waitUntil(lambda: len(metrics.loss) >= 3, timeout=PATIENCE_MS)
    run.send(Pause())
    qtbot.waitUntil(lambda: run.phase == "paused", timeout=PATIENCE_MS)
    held_at = len(metrics.loss)
    saved: list[object] = []
    run.event_received.connect(
        lambda event: saved.append(event) if isinstance(event, CheckpointSaved) else None
    )
    run.send(SaveNow())
    qtbot.waitUntil(lambda: bool(saved), timeout=PATIENCE_MS)
    assert len(metrics.loss) == held_at
    run.send(Continue())
    qtbot.waitUntil(lambda: len(metrics.loss) > held_at, timeout=PATIENCE_MS)
    with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS) as blocker:
        run.stop(save=True)
    outcome: Outcome = blocker.args[0]
    assert outcome.stopped
    assert outcome.step == len(metrics.loss)
    assert outcome.state == folder.newest_state()


def test_commands_are_obeyed_in_their_order(
    run: RunControl, metrics: MetricsModel, launch: Launch, folder: RunFolder, qtbot: QtBot
) -> None:
    launch(steps=10_000, delay=0.01)
    run.attach(folder)
    qtbot.waitUntil(lambda: len(metrics.loss) >= 3, timeout=PATIENCE_MS)
    for _ in range(10):
        run.send(Pause())
        run.send(Continue())
    run.send(Pause())
    qtbot.waitUntil(lambda: run.phase == "paused", timeout=PATIENCE_MS)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGKILL")
def test_a_killed_trainer_is_gone_and_the_way_on_is_told(
    run: RunControl, metrics: MetricsModel, launch: Launch, folder: RunFolder, qtbot: QtBot
) -> None:
    process = launch(steps=10_000, delay=0.01)
    run.attach(folder)
    qtbot.waitUntil(lambda: len(metrics.loss) >= 3, timeout=PATIENCE_MS)
    run.send(SaveNow())
    qtbot.waitUntil(lambda: bool(folder.states()), timeout=PATIENCE_MS)
    with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS) as blocker:
        process.send_signal(signal.SIGKILL)
    outcome: Outcome = blocker.args[0]
    assert outcome.crashed
    assert "it crashed, or was killed" in str(outcome.sentence)
    assert outcome.state == folder.newest_state()
    assert str(outcome.way_on).startswith("Press Start to go on from step ")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGTERM to ignore")
def test_a_trainer_that_does_not_stop_is_ended(
    launch: Launch, folder: RunFolder, qtbot: QtBot
) -> None:
    process = launch(steps=10_000, delay=0.01, deaf=True, ignore_sigterm=True)
    attached = AttachedTrainer(folder)
    with qtbot.waitSignal(attached.ended, timeout=PATIENCE_MS) as blocker:
        attached.stop(save=False, stop_patience_s=0.2)
    end: ProcessEnd = blocker.args[0]
    assert end.was_killed
    assert process.wait() == -signal.SIGKILL


def test_a_process_that_does_not_hold_the_lock_is_not_killed(
    folder: RunFolder, qapp: object
) -> None:
    folder.path.mkdir(parents=True)
    with subprocess.Popen(SLEEP) as somebody:
        folder.lock_file.write_text(json.dumps({"pid": somebody.pid, "started": 0.0}))
        AttachedTrainer(folder).kill()
        assert somebody.poll() is None
        somebody.kill()


def test_a_trainer_on_another_machine_is_not_killed_here(folder: RunFolder, qtbot: QtBot) -> None:
    folder.path.mkdir(parents=True)
    with RunLock(folder.lock_file), subprocess.Popen(SLEEP) as somebody:
        folder.lock_file.write_text(
            json.dumps({"pid": somebody.pid, "started": 0.0, "host": "elsewhere"})
        )
        attached = AttachedTrainer(folder)
        with qtbot.waitSignal(attached.stream_disturbed) as blocker:
            attached.kill()
        assert "another machine" in str(blocker.args[0])
        assert somebody.poll() is None
        somebody.kill()


def test_a_command_that_cannot_be_left_is_told(
    run: RunControl, folder: RunFolder, log: LogModel
) -> None:
    folder.path.mkdir(parents=True)
    with RunLock(folder.lock_file):
        run.attach(folder)
        run.send(Pause())  # there is no control folder
        told = [str(line.message) for line in log.lines if line.level is Level.WARNING]
        assert len(told) == 1
        assert "cannot be told" in told[0]


def test_letting_go_of_a_run_leaves_it_at_work(
    run: RunControl, metrics: MetricsModel, launch: Launch, folder: RunFolder, qtbot: QtBot
) -> None:
    process = launch(steps=10_000, delay=0.01)
    run.attach(folder)
    qtbot.waitUntil(lambda: len(metrics.loss) >= 3, timeout=PATIENCE_MS)
    other = RunFolder(folder.output_dir, "other")
    write_events(other, hello(), step(1))
    with qtbot.waitSignal(run.recalled, timeout=PATIENCE_MS):
        run.attach(other)
    assert steps(metrics) == [1]
    assert process.poll() is None


# ---------------------------------------------------------------- a run that has ended


def test_a_finished_run_looks_as_it_looked_live(
    run: RunControl,
    metrics: MetricsModel,
    play: Play,
    log: LogModel,
    folder: RunFolder,
    qtbot: QtBot,
) -> None:
    live: list[object] = []
    run.event_received.connect(live.append)
    ended = play(steps=20, sample_every=5)
    losses = metrics.loss.y.tolist()
    words = [line.message for line in log.lines]
    heard, live[:] = list(live), []

    with (
        qtbot.assertNotEmitted(run.ended),
        qtbot.waitSignal(run.recalled, timeout=PATIENCE_MS) as blocker,
    ):
        run.attach(folder)
        assert not run.is_running
    assert blocker.args[0] == ended
    assert live == heard
    assert metrics.loss.y.tolist() == losses
    assert [line.message for line in log.lines] == words
    assert run.phase == "idle"


def test_a_run_that_went_on_is_shown_as_one(
    run: RunControl, metrics: MetricsModel, play: Play, folder: RunFolder, qtbot: QtBot
) -> None:
    play(steps=10)
    for number in (11, 12):  # it went on for two steps and was then killed
        write_events(folder, step(number).model_copy(update={"loss": 9.0}))
    play(continue_=True, steps=14)
    losses = metrics.loss.y.tolist()
    with qtbot.waitSignal(run.recalled, timeout=PATIENCE_MS) as blocker:
        run.attach(folder)
    assert steps(metrics) == list(range(1, 15))
    assert metrics.loss.y.tolist() == losses
    assert str(blocker.args[0].sentence) == "Done: 14 steps trained."


def test_a_run_that_was_killed_after_going_on_has_no_last_word(
    run: RunControl, folder: RunFolder, qtbot: QtBot
) -> None:
    done = Finished(reason="stopped", step=1, total_steps=9, seconds=1.0)
    write_events(folder, hello(), step(1), done, hello(), step(2))
    with qtbot.waitSignal(run.recalled, timeout=PATIENCE_MS) as blocker:
        run.attach(folder)
    assert blocker.args[0].crashed


def test_a_run_of_another_protocol_is_refused_in_words(
    run: RunControl, folder: RunFolder, qtbot: QtBot
) -> None:
    write_events(folder, hello(protocol=7, version="9.0.0"), step(1))
    with RunLock(folder.lock_file), qtbot.waitSignal(run.ended, timeout=PATIENCE_MS) as blocker:
        run.attach(folder)
    outcome: Outcome = blocker.args[0]
    assert outcome.ending is Ending.NOT_STARTED
    assert str(outcome.sentence) == "The trainer speaks version 7 of the protocol, the app 1."
    assert "9.0.0" in str(outcome.hint)


def test_a_run_of_another_version_is_mentioned(
    run: RunControl, folder: RunFolder, log: LogModel, qtbot: QtBot
) -> None:
    write_events(folder, hello(version="0.0.1"), step(1))
    with qtbot.waitSignal(run.recalled, timeout=PATIENCE_MS):
        run.attach(folder)
    assert any("0.0.1" in str(line.message) for line in log.lines)


def test_pictures_are_found_in_a_folder_that_was_moved(
    run: RunControl, play: Play, folder: RunFolder, qtbot: QtBot, tmp_path: Path
) -> None:
    play(steps=4, sample_every=2)
    folder.output_dir.rename(tmp_path / "elsewhere")
    moved = RunFolder(tmp_path / "elsewhere", "fake")
    heard: list[SampleReady] = []
    run.event_received.connect(
        lambda event: heard.append(event) if isinstance(event, SampleReady) else None
    )
    with qtbot.waitSignal(run.recalled, timeout=PATIENCE_MS):
        run.attach(moved)
    assert {Path(sample.path).parent for sample in heard} == {moved.samples}


# ---------------------------------------------------------------- log, and other surprises


def test_lines_of_the_log_stand_between_the_events(
    run: RunControl, folder: RunFolder, log: LogModel, qtbot: QtBot
) -> None:
    at = 1_700_000_000.0
    clock = [seconds_text(at + second) for second in range(4)]
    saved = CheckpointSaved(
        kind="weights", step=1, epoch=1, path="a.safetensors", size_bytes=0, time=at + 2
    )
    done = Finished(reason="completed", step=1, total_steps=1, seconds=1.0, time=at + 3)
    write_events(folder, hello(time=at), step(1, at + 1), saved, done)
    folder.log_file.write_text(
        f"{clock[1]},500 INFO before the save\n"
        f"  more of it\n"
        f"{clock[2]} INFO [event] Saved a.safetensors\n"
        f"{clock[3]},200 INFO after the save\n"
        "cut off",
        encoding="utf-8",
    )
    with qtbot.waitSignal(run.recalled, timeout=PATIENCE_MS):
        run.attach(folder)
    assert [str(line.message) for line in log.lines] == [
        f"{clock[1]},500 INFO before the save",
        "  more of it",
        "Saved a.safetensors (0.0 MiB) after step 1.",
        f"{clock[3]},200 INFO after the save",
        "cut off",
        "Done: 1 step trained.",
    ]


def test_a_run_that_is_replaced_while_it_is_watched_is_told_anew(
    run: RunControl, metrics: MetricsModel, folder: RunFolder, qtbot: QtBot
) -> None:
    write_events(folder, hello(), step(1), step(2), step(3))
    with RunLock(folder.lock_file):
        run.attach(folder)
        qtbot.waitUntil(lambda: steps(metrics) == [1, 2, 3], timeout=PATIENCE_MS)
        with qtbot.waitSignal(run.started, timeout=PATIENCE_MS):
            folder.event_file.rename(folder.path / "aside")
            write_events(folder, hello(), step(1))
        qtbot.waitUntil(lambda: steps(metrics) == [1], timeout=PATIENCE_MS)
    with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS):
        pass


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached_trainer, "_GONE_S", 0.2)


@pytest.mark.usefixtures("impatient")
def test_a_folder_that_never_was_ends_the_watching(
    run: RunControl, folder: RunFolder, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(run.recalled, timeout=PATIENCE_MS) as blocker:
        run.attach(folder)
    assert blocker.args[0].ending is Ending.OUT_OF_SIGHT


@pytest.mark.usefixtures("impatient")
def test_a_folder_on_a_disk_that_is_away_is_out_of_sight(
    run: RunControl, tmp_path: Path, qtbot: QtBot
) -> None:
    away = tmp_path / ("n" * 300)  # as there, the system refuses to tell what is there
    with qtbot.waitSignal(run.recalled, timeout=PATIENCE_MS) as blocker:
        run.attach(RunFolder(away, "cat"))
    assert blocker.args[0].ending is Ending.OUT_OF_SIGHT


@pytest.mark.usefixtures("impatient")
def test_a_folder_that_is_moved_away_is_named_and_the_trainer_not_called_dead(
    run: RunControl, metrics: MetricsModel, folder: RunFolder, tmp_path: Path, qtbot: QtBot
) -> None:
    write_events(folder, hello(), step(1), step(2))
    with RunLock(folder.lock_file):
        run.attach(folder)
        qtbot.waitUntil(lambda: steps(metrics) == [1, 2], timeout=PATIENCE_MS)
        with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS) as blocker:
            folder.path.rename(tmp_path / "elsewhere.run")
    outcome: Outcome = blocker.args[0]
    assert outcome.ending is Ending.OUT_OF_SIGHT
    assert str(folder.path) in str(outcome.sentence)
    assert outcome.step == 2
    assert outcome.state is None  # nobody goes on beside a trainer that may be at work


def test_a_folder_that_comes_back_in_time_is_followed_on(
    run: RunControl, metrics: MetricsModel, folder: RunFolder, tmp_path: Path, qtbot: QtBot
) -> None:
    write_events(folder, hello(), step(1))
    aside = tmp_path / "aside"
    with RunLock(folder.lock_file):
        run.attach(folder)
        qtbot.waitUntil(lambda: steps(metrics) == [1], timeout=PATIENCE_MS)
        [trainer] = run.findChildren(AttachedTrainer)
        folder.path.rename(aside)
        qtbot.waitUntil(lambda: trainer._gone_since is not None, timeout=PATIENCE_MS)
        aside.rename(folder.path)
        write_events(folder, step(2))
        qtbot.waitUntil(lambda: steps(metrics) == [1, 2], timeout=PATIENCE_MS)
    assert run.is_running


def test_a_closed_one_is_silent(folder: RunFolder, qtbot: QtBot) -> None:
    write_events(folder, hello(), step(1))
    parent = QObject()
    attached = AttachedTrainer(folder, parent)
    attached.close()
    with qtbot.assertNotEmitted(attached.event_received, wait=50):
        pass


def seconds_text(at: float) -> str:
    return f"{datetime.datetime.fromtimestamp(at):%Y-%m-%d %H:%M:%S}"
