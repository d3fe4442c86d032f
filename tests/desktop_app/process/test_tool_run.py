"""A tool as a process of the app: the real trainer, and one that misbehaves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.lora_files import lora_tensors, write_lora_file
from helpers.tool_examples import EXAMPLES, SLOW_TOOL
from pytestqt.qtbot import QtBot

from desktop_app.process.environment import TrainerCommand
from desktop_app.process.outcome import TRAINER_PAGE, Ending, Outcome
from desktop_app.process.tool_run import ToolRun
from desktop_app.process.trainer_process import TrainerProcess
from trainer_core.catalogue.tools import TOOLS
from trainer_core.protocol.messages import ToolDone

PATIENCE_MS = 30_000
PATIENCE = TrainerProcess.stop.__kwdefaults__ or {}


@pytest.fixture
def run(qapp: object) -> Any:
    made = ToolRun()
    yield made
    made.close()


def outcome_of(run: ToolRun, qtbot: QtBot, name: str, values: Any) -> Outcome:
    with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS) as blocker:
        run.start(name, {name: dict(values)})
    return blocker.args[0]


@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_works_from_the_app(
    run: ToolRun, name: str, tmp_path: Path, qtbot: QtBot
) -> None:
    done: list[ToolDone] = []
    run.done.connect(done.append)
    outcome = outcome_of(run, qtbot, name, EXAMPLES[name](tmp_path))
    assert (outcome.ending, str(outcome.sentence)) == (Ending.COMPLETED, "Done.")
    assert (len(done), run.is_running) == (1, False)
    assert all(Path(path).is_file() for path in done[0].files)


def test_a_failure_names_its_setting(run: ToolRun, tmp_path: Path, qtbot: QtBot) -> None:
    failed: list[Any] = []
    run.failed.connect(failed.append)
    gone = tmp_path / "gone.safetensors"
    outcome = outcome_of(run, qtbot, "verify_lora", {"file": str(gone)})
    assert (outcome.ending, str(outcome.sentence)) == (Ending.FAILED, f"{gone} does not exist.")
    assert failed[0].setting == "verify_lora.file"


def test_it_stops_when_asked(run: ToolRun, tmp_path: Path, qtbot: QtBot) -> None:
    script = tmp_path / "slow.py"
    script.write_text(SLOW_TOOL, encoding="utf-8")
    run.command = TrainerCommand(sys.executable, (str(script),))
    with qtbot.waitSignal(run.progressed, timeout=PATIENCE_MS):
        run.start("verify_lora", {})
    with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS) as blocker:
        run.stop()
    assert blocker.args[0].stopped


SAYS = "import os, signal, sys; print('its last words', file=sys.stderr, flush=True); "
KILLED = "os.kill(os.getpid(), signal.SIGKILL)"
ABORTS = "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.abort()"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        pytest.param(KILLED, "The tool was killed from outside.", marks=POSIX),
        pytest.param(ABORTS, "The tool crashed (code 6).", marks=POSIX),
        ("sys.exit(3)", "The tool ended without saying why (exit code 3)."),
    ],
)
def test_an_end_without_a_word_speaks_of_the_tool(
    run: ToolRun, qtbot: QtBot, code: str, sentence: str
) -> None:
    run.command = TrainerCommand(sys.executable, ("-c", SAYS + code))
    outcome = outcome_of(run, qtbot, "verify_lora", {})
    assert (outcome.crashed, str(outcome.sentence)) == (True, sentence)
    assert "batch" not in str(outcome.hint)
    assert list(run.log) == ["its last words"]


def test_a_tool_that_does_not_stop_is_ended_in_words(
    run: ToolRun, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrainerProcess.stop, "__kwdefaults__", {**PATIENCE, "stop_patience_s": 0.1})
    script = tmp_path / "deaf.py"
    deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    script.write_text(deaf + SLOW_TOOL.replace('"stop"', '"never"'), encoding="utf-8")
    run.command = TrainerCommand(sys.executable, (str(script),))
    with qtbot.waitSignal(run.progressed, timeout=PATIENCE_MS):
        run.start("verify_lora", {})
    with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS) as blocker:
        run.stop()
    outcome = blocker.args[0]
    assert outcome.stopped
    assert str(outcome.sentence) == "The tool did not stop when asked and was ended."


def test_without_a_python_the_preferences_are_named(run: ToolRun, qtbot: QtBot) -> None:
    run.command = None
    outcome = outcome_of(run, qtbot, "verify_lora", {})
    assert (outcome.ending, outcome.preferences_page) == (Ending.NOT_STARTED, TRAINER_PAGE)


def test_only_one_tool_is_at_work(run: ToolRun, tmp_path: Path, qtbot: QtBot) -> None:
    values = {"file": str(write_lora_file(tmp_path / "a.safetensors", lora_tensors()))}
    with qtbot.waitSignal(run.ended, timeout=PATIENCE_MS):
        run.start("verify_lora", {"verify_lora": values})
        with pytest.raises(RuntimeError):
            run.start("verify_lora", {"verify_lora": values})
