"""Whatever happens to the app or to the trainer, no run is lost: with real processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.answers import Answers
from helpers.run_results import Result
from helpers.trainer_process import TinyProject
from pytestqt.qtbot import QtBot

from desktop_app.preferences import Preferences
from desktop_app.process.outcome import Outcome
from desktop_app.window.main_window import MainWindow
from desktop_app.workspace import Workspace
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.run_lock import lock_holder
from trainer_core.files.state_manifest import state_step
from trainer_core.protocol.messages import CheckpointSaved, Finished, SampleReady

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGKILL and no SIGSTOP"),
    pytest.mark.timeout(600),
]

PATIENCE_MS = 120_000
FOR_EVER = {"optimizer.max_train_steps": 10**6}

# The app as a process: starts a run, says how it ended and what its charts show, and leaves.
APP = """
import json, sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from desktop_app.window.main_window import MainWindow
from desktop_app.preferences import Preferences
from desktop_app.workspace import Workspace

home, run_file = map(Path, sys.argv[1:])
app = QApplication([])
workspace = Workspace(Preferences(home / "preferences.ini"), home)
window = MainWindow(workspace)
window.show()

def tell(outcome):
    steps = [int(step) for step in workspace.metrics.loss.x]
    print(json.dumps({"ending": outcome.ending, "steps": steps}), flush=True)
    window.close()

workspace.run.ended.connect(tell)
workspace.run.start(run_file)
app.exec()
"""

Launch = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the app keeps what it knows."""
    return tmp_path / "home"


@pytest.fixture
def folder(project: TinyProject) -> Iterator[RunFolder]:
    """Where the run keeps its records; a trainer that is still at work afterwards is ended."""
    made = RunFolder(project.output, "tiny")
    yield made
    holder = lock_holder(made.lock_file)
    if holder is not None and holder.pid is not None:
        os.kill(holder.pid, signal.SIGKILL)


@pytest.fixture
def launch(home: Path) -> Iterator[Launch]:
    """Open the app in a process of its own; it starts a run."""
    launched = []

    def launch(run_file: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", APP, str(home), str(run_file)]
        launched.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return launched[-1]

    yield launch
    for process in launched:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.communicate()


@pytest.fixture
def workspace(home: Path, folder: RunFolder, qtbot: QtBot) -> Iterator[Workspace]:
    made = Workspace(Preferences(home / "preferences.ini"), home)
    yield made
    if made.run.is_running:
        with qtbot.waitSignal(made.run.ended, timeout=PATIENCE_MS):
            made.run.kill()
    made.close()


@pytest.fixture
def window(workspace: Workspace, qtbot: QtBot) -> MainWindow:
    made = MainWindow(workspace, ask=Answers())
    qtbot.addWidget(made)
    made.show()
    return made


def last_step(folder: RunFolder) -> int:
    """Return the last whole line's step."""
    if not folder.event_file.exists():
        return 0
    lines = folder.event_file.read_bytes().split(b"\n")[:-1]
    return max((json.loads(line).get("step") or 0 for line in lines), default=0)


def steps(workspace: Workspace) -> list[int]:
    return [int(step) for step in workspace.metrics.loss.x]


def up_to(step: int) -> list[int]:
    return list(range(1, step + 1))


def test_a_run_outlives_its_app_and_the_next_app_takes_command(
    project: TinyProject,
    folder: RunFolder,
    home: Path,
    launch: Launch,
    request: pytest.FixtureRequest,
    qtbot: QtBot,
) -> None:
    prompts = project.folder / "prompts.txt"
    prompts.write_text("a robot --w 64 --h 64 --s 1\n", encoding="utf-8")
    app = launch(project.run_file({**FOR_EVER, "sampling.sample_prompts": str(prompts)}))
    qtbot.waitUntil(lambda: last_step(folder) >= 5, timeout=PATIENCE_MS)
    app.kill()
    app.wait()
    killed_at = last_step(folder)
    qtbot.waitUntil(lambda: last_step(folder) > killed_at + 5, timeout=PATIENCE_MS)

    window: MainWindow = request.getfixturevalue("window")
    workspace: Workspace = request.getfixturevalue("workspace")
    run = workspace.run
    with qtbot.waitSignal(run.started, timeout=PATIENCE_MS):
        window.earlier_runs.find(opens_settings=True)
    assert run.is_attached
    qtbot.waitUntil(lambda: window.run.can_be_asked and len(steps(workspace)) > killed_at + 5)

    window.run.pause()
    qtbot.waitUntil(lambda: run.phase == "paused", timeout=PATIENCE_MS)
    held_at = last_step(folder)
    assert steps(workspace) == up_to(held_at)

    heard: list[object] = []
    phases: list[str] = []
    run.event_received.connect(heard.append)
    run.phase_changed.connect(phases.append)
    window.run.save_now()
    qtbot.waitUntil(lambda: phases[-1:] == ["paused"], timeout=PATIENCE_MS)
    window.run.sample_now()
    qtbot.waitUntil(lambda: phases[-2:] == ["sampling", "paused"], timeout=PATIENCE_MS)
    assert "training" not in phases
    assert [event.kind for event in heard if isinstance(event, CheckpointSaved)] == [
        "state",
        "weights",
    ]
    assert any(isinstance(event, SampleReady) for event in heard)
    assert last_step(folder) == held_at

    window.run.go_on()
    qtbot.waitUntil(lambda: len(steps(workspace)) > held_at, timeout=PATIENCE_MS)
    with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS) as blocker:
        window.run.stop_and_save()
    outcome: Outcome = blocker.args[0]
    assert outcome.stopped
    assert outcome.step is not None
    assert outcome.state is not None
    assert state_step(outcome.state) == outcome.step
    assert steps(workspace) == up_to(outcome.step)


def test_an_app_that_hangs_costs_no_step_and_shows_no_gap_afterwards(
    project: TinyProject, folder: RunFolder, launch: Launch, qtbot: QtBot
) -> None:
    app = launch(project.run_file({"optimizer.max_train_steps": 200}))
    qtbot.waitUntil(lambda: last_step(folder) >= 5, timeout=PATIENCE_MS)
    app.send_signal(signal.SIGSTOP)
    qtbot.waitUntil(lambda: lock_holder(folder.lock_file) is None, timeout=PATIENCE_MS)
    [finished] = Result(folder).of(Finished)
    assert finished.step == 200  # the trainer came to its end while the app hung
    app.send_signal(signal.SIGCONT)
    out, _ = app.communicate(timeout=PATIENCE_MS / 1000)
    assert json.loads(out) == {"ending": "completed", "steps": up_to(200)}


def test_a_killed_trainer_is_told_in_words_and_the_run_goes_on_from_its_state(
    project: TinyProject,
    folder: RunFolder,
    window: MainWindow,
    workspace: Workspace,
    qtbot: QtBot,
) -> None:
    saves = {"output.save_every_n_steps": 2, "output.save_state": True}
    run_file = project.run_file({**FOR_EVER, **saves})
    run = workspace.run
    run.start(run_file)
    qtbot.waitUntil(lambda: len(steps(workspace)) >= 5, timeout=PATIENCE_MS)
    holder = lock_holder(folder.lock_file)
    assert holder is not None
    assert holder.pid is not None
    with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS) as blocker:
        os.kill(holder.pid, signal.SIGKILL)
    outcome: Outcome = blocker.args[0]
    assert outcome.crashed
    assert outcome.state == folder.newest_state()
    assert "was killed" in window.banner.message
    assert window.commands["start"].isEnabled()

    assert outcome.state is not None
    from_step = state_step(outcome.state)
    run.start(run_file, continue_=True)
    qtbot.waitUntil(lambda: run.phase == "training", timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: len(steps(workspace)) > from_step, timeout=PATIENCE_MS)
    with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS) as blocker:
        run.stop(save=True)
    assert blocker.args[0].stopped
    assert steps(workspace) == up_to(blocker.args[0].step)
