import os
import sys
from pathlib import Path

import pytest
from helpers.fake_trainer import fake_command

from desktop_app.process.environment import TrainerCommand, child_environment
from desktop_app.process.outcome import ProcessEnd
from desktop_app.process.trainer_process import TrainerProcess
from trainer_core.protocol.messages import StepDone


@pytest.fixture
def start(run_file, qtbot):
    """Start the fake trainer with options and wait for its first step."""
    started = []

    def start(**options) -> TrainerProcess:
        process = TrainerProcess()
        started.append(process)
        program, *arguments = fake_command(steps=10_000, delay=0.01, **options)
        command = TrainerCommand(program, [*arguments, "train", str(run_file)])
        with qtbot.waitSignal(
            process.event_received,
            check_params_cb=lambda event: isinstance(event, StepDone),
            timeout=20_000,
        ):
            process.start(command, child_environment(command.program))
        return process

    yield start
    for process in started:
        process.kill()
        process._process.waitForFinished()


def end_of(process, qtbot, **patience) -> ProcessEnd:
    with qtbot.waitSignal(process.ended, timeout=20_000) as blocker:
        process.stop(**patience)
    return blocker.args[0]


def test_stop_is_obeyed_without_force(start, qtbot):
    end = end_of(start(), qtbot, save=False)
    assert end == ProcessEnd(exit_code=0)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGTERM")
def test_a_deaf_trainer_is_terminated(start, qtbot):
    end = end_of(start(deaf=True), qtbot, save=False, stop_patience_s=1.0)
    assert end == ProcessEnd(exit_code=0), "SIGTERM lets it save and leave by itself"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGTERM to ignore")
def test_a_trainer_that_ignores_everything_is_killed(start, qtbot):
    process = start(deaf=True, ignore_sigterm=True)
    end = end_of(process, qtbot, save=False, stop_patience_s=0.1)
    assert end.was_killed
    assert end.has_crashed


def test_saving_may_take_its_time_while_events_come(start, qtbot):
    process = start(deaf=True)
    process.stop(save=True, save_patience_s=0.2)
    seen = []
    process.event_received.connect(seen.append)
    qtbot.waitUntil(
        lambda: len(seen) > 60, timeout=20_000
    )  # at least 0.6 s, three times the patience
    assert process._process.state() is not process._process.ProcessState.NotRunning


@pytest.mark.skipif(os.name != "posix", reason="Windows has no sessions of processes")
def test_the_trainer_has_a_session_of_its_own(start):
    process = start()
    pid = process._process.processId()
    assert os.getsid(pid) == pid != os.getsid(0)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="only Linux shows processes in /proc")
def test_a_kill_reaches_what_the_trainer_started(tmp_path, qtbot):
    pids = tmp_path / "pids"
    script = (
        "import os, pathlib, subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        f"pathlib.Path({str(pids)!r}).write_text(str(child.pid));"
        "time.sleep(600)"
    )
    process = TrainerProcess()
    process.start(TrainerCommand(sys.executable, ["-c", script]), child_environment(sys.executable))
    qtbot.waitUntil(lambda: pids.exists() and pids.read_text() != "", timeout=20_000)
    with qtbot.waitSignal(process.ended):
        process.kill()
    child = int(pids.read_text())
    qtbot.waitUntil(lambda: not _is_alive(child))


def _is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"  # a zombie waits for init to reap it
