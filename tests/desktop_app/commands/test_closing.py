import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.answers import Answers
from helpers.scripted_python import ScriptedPython
from helpers.tool_examples import SLOW_TOOL
from PySide6.QtWidgets import QWidget

from desktop_app.commands.closing import Closing
from desktop_app.commands.files import FileCommands
from desktop_app.process.environment import TrainerCommand
from desktop_app.trainer_python.plan import Plan
from desktop_app.trainer_python.requirements import Requirement
from desktop_app.workspace import Workspace


class Exit:
    """Stands in for ``os._exit``."""

    def __init__(self) -> None:
        self.codes: list[int] = []

    def __call__(self, code: int) -> None:
        self.codes.append(code)


@pytest.fixture
def leave() -> Exit:
    return Exit()


@pytest.fixture
def closing(workspace: Workspace, answers: Answers, leave: Exit, qtbot) -> Closing:
    window = QWidget()
    qtbot.addWidget(window)
    files = FileCommands(workspace, window, ask=answers)
    return Closing(workspace, files, window, ask=answers, leave=leave)


@pytest.fixture
def start(
    workspace: Workspace,
    ready_values: dict[str, object],
    use_trainer: Callable[..., None],
    qtbot,
) -> Callable[..., None]:
    """Start a run that takes long, and wait until it trains."""

    def start(**options: object) -> None:
        workspace.document.apply(ready_values, "made ready")
        path = workspace.data_dir / "run.toml"
        path.parent.mkdir(exist_ok=True)
        workspace.document.write_snapshot(path)
        workspace.document.new()
        use_trainer(workspace, steps=10_000, delay=0.01, **options)
        workspace.run.start(path)
        qtbot.waitUntil(lambda: len(workspace.metrics.loss) >= 1, timeout=20_000)

    return start


def test_with_nothing_to_lose_the_window_closes(closing: Closing, answers: Answers):
    assert closing.may_close()
    assert answers.questions == []


def test_unsaved_changes_keep_it_open_until_answered(
    closing: Closing, workspace: Workspace, answers: Answers
):
    workspace.document.set_value("adapter.network_dim", 32)
    assert not closing.may_close()
    answers.agreed = ["discard"]
    assert closing.may_close()


def test_an_installation_keeps_it_open_until_answered(
    closing: Closing, workspace: Workspace, answers: Answers, tmp_path: Path, qtbot
):
    python = ScriptedPython(tmp_path / "scripted")
    python.pip_does("sleep 600")
    workspace.python.install(Plan(python.path, packages=(Requirement("psutil"),), pip="26.0"))
    assert not closing.may_close()
    assert workspace.python.installation is not None
    answers.agreed = ["end"]
    assert closing.may_close()


def test_a_cancelled_question_leaves_the_run_alone(
    closing: Closing, workspace: Workspace, answers: Answers, start: Callable[..., None]
):
    start()
    assert not closing.may_close()
    assert len(answers.questions) == 1
    assert workspace.run.is_running
    assert not workspace.run.is_stopping


def test_save_and_stop_waits_for_the_trainer_before_it_closes(
    closing: Closing, workspace: Workspace, answers: Answers, start: Callable[..., None], qtbot
):
    start(save_seconds=0.3)
    answers.agreed = ["stop"]
    with qtbot.waitSignal(closing.ready, timeout=20_000):
        assert not closing.may_close()
    assert workspace.run.outcome is not None
    assert workspace.run.outcome.state is not None


def test_what_was_answered_is_not_asked_again(
    closing: Closing, workspace: Workspace, answers: Answers, start: Callable[..., None], qtbot
):
    start()
    workspace.document.set_value("adapter.network_dim", 32)
    answers.agreed = ["discard", "stop"]
    later = []
    closing.ready.connect(lambda: later.append(closing.may_close()))
    assert not closing.may_close()
    assert not closing.may_close()
    qtbot.waitUntil(lambda: later == [True], timeout=20_000)
    assert len(answers.questions) == 2


def test_edits_made_while_the_trainer_is_waited_for_are_asked_about(
    closing: Closing, workspace: Workspace, answers: Answers, start: Callable[..., None], qtbot
):
    start(save_seconds=0.3)
    answers.agreed = ["stop"]
    later = []
    closing.ready.connect(lambda: later.append(closing.may_close()))
    assert not closing.may_close()
    workspace.document.set_value("adapter.network_dim", 32)
    qtbot.waitUntil(lambda: later == [False], timeout=20_000)
    assert [question.title for question in answers.questions][1:] == ["Unsaved changes"]


def test_keep_training_leaves_once_the_trainer_has_answered(
    closing: Closing,
    workspace: Workspace,
    answers: Answers,
    leave: Exit,
    start: Callable[..., None],
    qtbot,
):
    start()
    answers.agreed = ["keep"]
    with qtbot.waitSignals([workspace.run.detached, closing.leaving], timeout=20_000):
        assert not closing.may_close()
        assert leave.codes == []
    assert leave.codes == [0]
    assert workspace.run.is_running


def test_a_trainer_that_fails_to_stop_well_keeps_the_window_open(
    closing: Closing, workspace: Workspace, answers: Answers, start: Callable[..., None], qtbot
):
    start(deaf=True)
    answers.agreed = ["stop"]
    assert not closing.may_close()
    with (
        qtbot.assertNotEmitted(closing.ready),
        qtbot.waitSignal(workspace.run.ended, timeout=20_000),
    ):
        workspace.run.kill()


# ------------------------------------------------------------------ tools


@pytest.fixture
def slow_tool(workspace: Workspace, tmp_path: Path, qtbot) -> None:
    """A tool at work that takes long and stops when it is told to."""
    script = tmp_path / "slow.py"
    script.write_text(SLOW_TOOL, encoding="utf-8")
    workspace.tools.run.command = TrainerCommand(sys.executable, (str(script),))
    with qtbot.waitSignal(workspace.tools.run.progressed, timeout=20_000):
        workspace.tools.run.start("verify_lora", {})


@pytest.mark.usefixtures("slow_tool")
def test_a_tool_at_work_keeps_it_open_until_answered(
    closing: Closing, workspace: Workspace, answers: Answers, qtbot
):
    assert not closing.may_close()
    assert answers.questions[0].title == "A tool is at work"
    assert workspace.tools.run.is_running
    answers.agreed = ["end"]
    with qtbot.waitSignal(closing.ready, timeout=20_000):
        assert not closing.may_close(), "it is waited for"
    assert not workspace.tools.run.is_running


@pytest.mark.usefixtures("slow_tool")
def test_run_and_tool_are_both_waited_for(
    closing: Closing, workspace: Workspace, answers: Answers, start: Callable[..., None], qtbot
):
    start()
    answers.agreed = ["end", "stop"]
    with qtbot.waitSignal(closing.ready, timeout=30_000):
        assert not closing.may_close()
    assert not workspace.run.is_running
    assert not workspace.tools.run.is_running
    assert len(answers.questions) == 2
