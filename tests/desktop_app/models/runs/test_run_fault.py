"""The setting that a run failed at is marked where it is typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.answers import Answers
from helpers.starts import Starts
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop_app.commands.run import RunCommands
from desktop_app.editors.form import SectionForm
from desktop_app.words.name_ways import NameWay
from desktop_app.workspace import Workspace
from trainer_core.protocol.messages import StepDone

RATE = "optimizer.learning_rate"


@pytest.fixture
def form(workspace: Workspace, ready_values: dict[str, object], qtbot: QtBot) -> SectionForm:
    workspace.document.apply(ready_values, "made ready")
    made = SectionForm("optimizer", workspace.document)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def fail(
    workspace: Workspace,
    form: SectionForm,
    use_trainer: Callable[..., None],
    starts: Starts,
    answers: Answers,
    qtbot: QtBot,
) -> Callable[..., None]:
    """Start a run that fails at a setting."""
    window = QWidget()
    qtbot.addWidget(window)
    commands = RunCommands(workspace, window, ask=answers, confirm=starts)

    def fail(setting: str = RATE) -> None:
        use_trainer(workspace, steps=3, fail_at=2, fail_setting=setting)
        with qtbot.waitSignal(workspace.run.ended, timeout=20_000):
            commands.start()

    return fail


def test_the_field_is_marked_until_its_value_changes(
    fail: Callable[..., None], form: SectionForm, workspace: Workspace
) -> None:
    fail()
    assert form.rows[RATE].has_error
    messages = [workspace.problems.entry(n).message for n in range(workspace.problems.rowCount())]
    assert "The loss is not finite at step 2." in messages
    workspace.document.set_value("optimizer.max_train_steps", 7)
    assert form.rows[RATE].has_error
    workspace.document.set_value(RATE, 1e-5)
    assert not form.rows[RATE].has_error


def test_it_can_be_tried_again_unchanged(
    fail: Callable[..., None], form: SectionForm, starts: Starts
) -> None:
    fail()
    starts.agreed = [NameWay.REPLACE]
    fail("optimizer.lr_scheduler")
    assert starts.refused == 0
    assert not form.rows[RATE].has_error
    assert form.rows["optimizer.lr_scheduler"].has_error


def test_a_value_that_was_changed_meanwhile_is_not_marked(
    fail: Callable[..., None], form: SectionForm, workspace: Workspace
) -> None:
    def change(event: object) -> None:
        if isinstance(event, StepDone):
            workspace.document.set_value(RATE, 1e-5)

    workspace.run.event_received.connect(change)
    fail()
    assert not form.rows[RATE].has_error


def test_another_document_is_not_marked(
    fail: Callable[..., None], form: SectionForm, workspace: Workspace, tmp_path: Path
) -> None:
    fail()
    workspace.document.new()
    assert not form.rows[RATE].has_error
