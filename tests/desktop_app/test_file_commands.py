from pathlib import Path

import pytest
from helpers.answers import Answers
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop_app.file_commands import FileCommands
from desktop_app.workspace import Workspace
from trainer_core.settings import files


@pytest.fixture
def commands(workspace: Workspace, answers: Answers, qtbot) -> FileCommands:
    window = QWidget()
    qtbot.addWidget(window)
    return FileCommands(workspace, window, ask=answers)


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text('format = "loom/1"\n[adapter]\nnetwork_dim = 16\n', encoding="utf-8")
    return path


def test_an_opened_file_is_remembered(commands: FileCommands, workspace: Workspace, run_file: Path):
    commands.open_path(run_file)
    assert workspace.document.value("adapter.network_dim") == 16
    assert workspace.preferences.recent_files == [run_file]


def test_a_file_that_cannot_be_opened_is_reported_with_a_way_out(
    commands: FileCommands, workspace: Workspace, answers: Answers, tmp_path: Path
):
    commands.open_path(tmp_path / "missing.toml")
    [question] = answers.questions
    assert question.message == f"There is no file {tmp_path / 'missing.toml'}."
    assert question.details == "Choose a run file (.toml)."
    assert workspace.document.path is None
    assert workspace.preferences.recent_files == []


def test_unsaved_changes_are_asked_about_and_kept_on_cancel(
    commands: FileCommands, workspace: Workspace, answers: Answers
):
    workspace.document.set_value("adapter.network_dim", 32)
    commands.new()
    assert len(answers.questions) == 1
    assert workspace.document.value("adapter.network_dim") == 32


def test_unsaved_changes_can_be_discarded(
    commands: FileCommands, workspace: Workspace, answers: Answers
):
    workspace.document.set_value("adapter.network_dim", 32)
    answers.agreed = ["discard"]
    commands.new()
    assert workspace.document.is_default("adapter.network_dim")


def test_unsaved_changes_can_be_saved_first(
    commands: FileCommands, workspace: Workspace, answers: Answers, run_file: Path
):
    commands.open_path(run_file)
    workspace.document.set_value("adapter.network_dim", 32)
    answers.agreed = ["save"]
    commands.new()
    assert files.load(run_file).raw["adapter"]["network_dim"] == 32
    assert workspace.document.path is None


def test_a_document_without_a_name_asks_for_one(
    commands: FileCommands, workspace: Workspace, tmp_path: Path, monkeypatch
):
    workspace.document.set_value("adapter.network_dim", 32)
    chosen = str(tmp_path / "new")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (chosen, ""))
    assert commands.save()
    assert workspace.document.path == tmp_path / "new.toml"
    assert files.load(tmp_path / "new.toml").raw["adapter"]["network_dim"] == 32


def test_a_file_that_cannot_be_written_is_reported_and_stays_unsaved(
    commands: FileCommands, workspace: Workspace, answers: Answers, run_file: Path, monkeypatch
):
    workspace.document.set_value("adapter.network_dim", 32)
    below_a_file = str(run_file / "new.toml")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (below_a_file, ""))
    assert not commands.save()
    assert len(answers.questions) == 1
    assert workspace.document.is_dirty


def test_the_demo_is_opened_from_where_it_can_be_written(
    commands: FileCommands, workspace: Workspace
):
    commands.open_demo()
    assert workspace.document.path == workspace.data_dir / "demo" / "demo.toml"
    assert workspace.document.errors == []


def test_a_changed_demo_is_not_written_over(commands: FileCommands, workspace: Workspace):
    commands.open_demo()
    workspace.document.set_value("adapter.network_dim", 2)
    assert commands.save()
    commands.new()
    commands.open_demo()
    assert workspace.document.value("adapter.network_dim") == 2
