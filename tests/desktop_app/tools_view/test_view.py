"""The tools as a person uses them, with the real trainer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.lora_files import UNET, lora_tensors, write_lora_file
from helpers.pictures import write_dataset
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from desktop_app.process.environment import TrainerCommand
from desktop_app.tools_view.page import ToolPage
from desktop_app.tools_view.view import ToolsView
from desktop_app.workspace import Workspace
from trainer_core.catalogue.tools import TOOLS

PATIENCE_MS = 30_000
FILE, REPORT = "verify_lora.file", "verify_lora.report"


@pytest.fixture
def view(workspace: Workspace, qtbot: QtBot) -> ToolsView:
    made = ToolsView(workspace)
    qtbot.addWidget(made)
    made.resize(700, 700)
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    return made


@pytest.fixture
def page(view: ToolsView) -> ToolPage:
    """The page of Verify LoRA."""
    view.choose("verify_lora")
    return view.page


def type_into(page: ToolPage, path: str, words: object, qtbot: QtBot) -> None:
    [field] = page.form.rows[path].editor.fields()
    field.setFocus()
    field.clear()  # type: ignore[attr-defined]
    qtbot.keyClicks(field, str(words))


def press_start(page: ToolPage, workspace: Workspace, qtbot: QtBot) -> None:
    with qtbot.waitSignal(workspace.tools.run.ended, timeout=PATIENCE_MS):
        qtbot.mouseClick(page.start_button, Qt.MouseButton.LeftButton)


def test_every_tool_has_a_page_with_all_its_settings(view: ToolsView, workspace: Workspace) -> None:
    for name in TOOLS:
        view.choose(name)
        assert view.page.name == name
        assert list(view.page.form.rows) == list(workspace.tools.document(name).schema.params())


def test_what_is_needed_is_named_before_anything_starts(
    page: ToolPage, workspace: Workspace, qtbot: QtBot
) -> None:
    assert not page.form.rows[FILE].has_error  # nobody asked for a start: it is a hint
    qtbot.mouseClick(page.start_button, Qt.MouseButton.LeftButton)
    assert not workspace.tools.run.is_running
    [field] = page.form.rows[FILE].editor.fields()
    qtbot.waitUntil(field.hasFocus)
    assert page.form.rows[FILE].has_error


def test_a_file_is_verified_and_its_report_shown_in_its_folder(
    page: ToolPage,
    workspace: Workspace,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lora = write_lora_file(tmp_path / "mine.safetensors", lora_tensors())
    type_into(page, FILE, lora, qtbot)
    type_into(page, REPORT, tmp_path / "mine.txt", qtbot)  # still being typed at the start
    press_start(page, workspace, qtbot)

    assert page.result.headline.text() == "Done."
    assert "U-Net: 1 module, rank 2" in page.result.words.toPlainText()
    assert (tmp_path / "mine.txt").is_file()
    assert page.start_button.isEnabled()
    assert not page.cancel_button.isVisible()
    opened: list[Any] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url) or True)
    [row] = page.result.files
    qtbot.mouseClick(row.findChild(QPushButton), Qt.MouseButton.LeftButton)
    assert [Path(url.toLocalFile()) for url in opened] == [tmp_path]
    qtbot.mouseClick(page.result.copy_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == page.result.words.toPlainText()


def test_warnings_are_shown_with_what_they_mean(
    page: ToolPage, workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    tensors = lora_tensors()
    tensors[f"{UNET}.lora_up.weight"][0, 0] = float("nan")
    type_into(page, FILE, write_lora_file(tmp_path / "a.safetensors", tensors), qtbot)
    press_start(page, workspace, qtbot)
    [warning] = page.result.warnings
    assert f"Not finite (NaN or infinite): {UNET}.lora_up.weight" in warning.text()  # type: ignore[attr-defined]
    assert "take an earlier save" in warning.text()  # type: ignore[attr-defined]
    assert page.result.headline.text() == "Done; read the warnings."


def test_a_failure_stands_beside_its_setting_until_that_is_changed(
    page: ToolPage, workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    lora = write_lora_file(tmp_path / "a.safetensors", lora_tensors())
    (tmp_path / "a.txt").write_text("mine", encoding="utf-8")
    type_into(page, FILE, lora, qtbot)
    type_into(page, REPORT, tmp_path / "a.txt", qtbot)
    press_start(page, workspace, qtbot)
    assert page.result.headline.text() == f"{tmp_path / 'a.txt'} exists already."
    assert page.result.hint.text() == "Choose another name: nothing is replaced."
    assert page.form.rows[REPORT].has_error
    workspace.tools.document("verify_lora").set_value(REPORT, str(tmp_path / "b.txt"))
    assert not page.form.rows[REPORT].has_error


def test_what_was_refused_can_be_tried_again_unchanged(
    page: ToolPage, workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    type_into(page, FILE, tmp_path / "late.safetensors", qtbot)
    press_start(page, workspace, qtbot)
    assert page.form.rows[FILE].has_error
    write_lora_file(tmp_path / "late.safetensors", lora_tensors())
    press_start(page, workspace, qtbot)
    assert page.result.headline.text() == "Done."
    assert not page.form.rows[FILE].has_error


def test_a_tool_can_be_cancelled(
    page: ToolPage, workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    type_into(page, FILE, write_lora_file(tmp_path / "a.safetensors", lora_tensors()), qtbot)
    type_into(page, REPORT, tmp_path / "a.txt", qtbot)
    with qtbot.waitSignal(workspace.tools.run.ended, timeout=PATIENCE_MS):
        qtbot.mouseClick(page.start_button, Qt.MouseButton.LeftButton)
        # Its process takes longer to start than this.
        qtbot.waitUntil(page.cancel_button.isVisible)
        assert not page.start_button.isEnabled()
        qtbot.mouseClick(page.cancel_button, Qt.MouseButton.LeftButton)
    assert not workspace.tools.run.is_running
    assert page.start_button.isEnabled()


def test_a_result_stands_there_whole_though_its_lines_are_wrapped(
    view: ToolsView, page: ToolPage, qtbot: QtBot
) -> None:
    page.result.show_lines(["a line much too long for the page " * 12] * 5)
    bar = page.result.words.verticalScrollBar()
    qtbot.waitUntil(lambda: page.result.words.isVisible() and bar.maximum() == 0)
    view.resize(900, 700)
    qtbot.waitUntil(lambda: bar.maximum() == 0)
    view.resize(600, 700)
    qtbot.waitUntil(lambda: bar.maximum() == 0)


def test_the_setting_that_has_the_focus_is_explained(
    view: ToolsView, page: ToolPage, qtbot: QtBot
) -> None:
    qtbot.waitUntil(view.isActiveWindow)
    page.form.reveal(REPORT)
    qtbot.waitUntil(lambda: "A new text file for the whole table" in view.help.text())


def test_what_a_tool_wrote_last_is_shown_where_it_broke_off(
    page: ToolPage, workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    code = "import sys; print('Illegal instruction', file=sys.stderr); sys.exit(4)"
    workspace.tools.run.command = TrainerCommand(sys.executable, ("-c", code))
    type_into(page, FILE, tmp_path / "a.safetensors", qtbot)
    press_start(page, workspace, qtbot)
    assert page.result.headline.text() == "The tool ended without saying why (exit code 4)."
    assert page.result.words.isVisible()
    assert page.result.words.toPlainText() == "Illegal instruction"
    qtbot.mouseClick(page.result.copy_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "Illegal instruction"


def test_undo_goes_the_steps_of_what_has_the_focus(
    view: ToolsView, page: ToolPage, workspace: Workspace, qtbot: QtBot
) -> None:
    qtbot.waitUntil(view.isActiveWindow)
    workspace.document.set_value("adapter.network_dim", 32)
    type_into(page, FILE, "a", qtbot)
    qtbot.keyClick(page.form.rows[FILE].editor.fields()[0], Qt.Key.Key_Return)
    tool = workspace.tools.document("verify_lora")
    assert tool.value(FILE) == "a"
    workspace.undo.undo()
    assert tool.value(FILE) == tool.default(FILE)
    assert workspace.document.value("adapter.network_dim") == 32


def test_undo_goes_the_step_that_was_done_last_wherever_the_focus_is(
    view: ToolsView, page: ToolPage, workspace: Workspace, tmp_path: Path, qtbot: QtBot
) -> None:
    qtbot.waitUntil(view.isActiveWindow)
    type_into(page, FILE, "a", qtbot)
    qtbot.keyClick(page.form.rows[FILE].editor.fields()[0], Qt.Key.Key_Return)
    write_dataset(tmp_path / "pictures", {"1_cat": {"a.png": None}})
    workspace.pictures.add([tmp_path / "pictures"])  # as by a drop on the window
    folder = "dataset.train_data_dir"
    qtbot.waitUntil(lambda: not workspace.document.is_default(folder))
    workspace.undo.undo()
    tool = workspace.tools.document("verify_lora")
    assert (tool.value(FILE), workspace.document.is_default(folder)) == ("a", True)
    tool.set_value(REPORT, "b.txt")
    workspace.undo.undo()
    assert (tool.value(FILE), tool.is_default(REPORT)) == ("a", True)


def test_what_was_said_to_a_tool_outlasts_its_view(
    page: ToolPage, workspace: Workspace, qtbot: QtBot
) -> None:
    workspace.tools.document("verify_lora").set_value(FILE, "a.safetensors")
    other = ToolsView(workspace)
    qtbot.addWidget(other)
    [field] = other.page.form.rows[FILE].editor.fields()
    assert field.text() == "a.safetensors"  # type: ignore[attr-defined]
