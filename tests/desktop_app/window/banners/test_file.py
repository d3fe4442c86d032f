from pathlib import Path

import pytest
from helpers.answers import Answers
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop_app.commands.files import FileCommands
from desktop_app.window.banners.file import FileBanner
from desktop_app.workspace import Workspace

OPENED = 'format = "loom/2"\n[adapter]\nnetwork_dim = 16\n'
CHANGED = 'format = "loom/2"\n# mine\n[adapter]\nnetwork_dim = 32\n'
CHANGED_WORDS = "mine.toml was changed by another program."


@pytest.fixture
def run_file(workspace: Workspace, tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(OPENED, encoding="utf-8")
    workspace.document.load(path)
    return path


@pytest.fixture
def banner(workspace: Workspace, run_file: Path, answers: Answers, qtbot: QtBot) -> FileBanner:
    window = QWidget()
    qtbot.addWidget(window)
    return FileBanner(workspace, FileCommands(workspace, window, ask=answers), window)


def write(run_file: Path, content: str, banner: FileBanner, qtbot: QtBot) -> None:
    """Change the file as another program does, and wait for the message."""
    with qtbot.waitSignal(banner.wanted, timeout=10_000):
        run_file.write_text(content, encoding="utf-8")


def press(banner: FileBanner, label: str) -> None:
    buttons = [b for b in banner.findChildren(QPushButton) if not b.isHidden()]
    next(button for button in buttons if button.text() == label).click()


def test_a_change_can_be_taken_over_and_undone(
    banner: FileBanner, workspace: Workspace, run_file: Path, qtbot
):
    write(run_file, CHANGED, banner, qtbot)
    assert banner.message == CHANGED_WORDS
    press(banner, "Reload")
    assert banner.message == ""
    assert workspace.document.value("adapter.network_dim") == 32
    assert not workspace.document.is_dirty
    workspace.document.undo_stack.undo()
    assert workspace.document.value("adapter.network_dim") == 16
    assert workspace.document.is_dirty


def test_reloading_brings_the_comments_too(
    banner: FileBanner, workspace: Workspace, run_file: Path, qtbot
):
    write(run_file, CHANGED, banner, qtbot)
    press(banner, "Reload")
    workspace.document.set_value("adapter.network_dim", 4)
    workspace.document.save(run_file)
    assert "# mine" in run_file.read_text(encoding="utf-8")


def test_unsaved_changes_survive_a_reload_as_a_step_of_undo(
    banner: FileBanner, workspace: Workspace, run_file: Path, qtbot
):
    workspace.document.set_value("adapter.network_alpha", 3.0)
    write(run_file, CHANGED, banner, qtbot)
    press(banner, "Reload")
    assert workspace.document.is_default("adapter.network_alpha")
    workspace.document.undo_stack.undo()
    assert workspace.document.value("adapter.network_alpha") == 3.0


def test_a_document_that_is_kept_is_saved_without_a_question(
    banner: FileBanner, workspace: Workspace, run_file: Path, answers: Answers, qtbot
):
    write(run_file, CHANGED, banner, qtbot)
    press(banner, "Keep mine")
    assert banner.message == ""
    assert banner._commands.save()
    assert answers.questions == []
    assert "network_dim = 16" in run_file.read_text(encoding="utf-8")


def test_a_further_change_is_told_again(
    banner: FileBanner, workspace: Workspace, run_file: Path, qtbot
):
    write(run_file, CHANGED, banner, qtbot)
    banner.dismiss()
    write(run_file, CHANGED.replace("32", "64"), banner, qtbot)
    assert banner.message == CHANGED_WORDS


def test_a_file_that_is_gone_can_be_saved_again(
    banner: FileBanner, workspace: Workspace, run_file: Path, qtbot
):
    with qtbot.waitSignal(banner.wanted, timeout=10_000):
        run_file.unlink()
    assert banner.message == "mine.toml is no longer there."
    press(banner, "Save again")
    assert banner.message == ""
    assert "network_dim = 16" in run_file.read_text(encoding="utf-8")
    assert not workspace.document.is_dirty


def test_another_document_takes_the_message_away(
    banner: FileBanner, workspace: Workspace, run_file: Path, qtbot
):
    write(run_file, CHANGED, banner, qtbot)
    workspace.document.new()
    assert banner.message == ""


def test_a_change_that_cannot_be_read_leaves_the_document_alone(
    banner: FileBanner, workspace: Workspace, run_file: Path, answers: Answers, qtbot
):
    write(run_file, "format = ", banner, qtbot)
    press(banner, "Reload")
    assert "is not a valid TOML file" in answers.questions[0].message
    assert workspace.document.value("adapter.network_dim") == 16
    assert banner.message == CHANGED_WORDS
