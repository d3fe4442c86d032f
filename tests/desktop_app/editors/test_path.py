from pathlib import Path

import pytest
from helpers.drops import drop
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from desktop_app.editors.path import PathEditor
from desktop_app.widgets.icon_button import IconButton
from trainer_core.settings.schema import TRAIN
from trainer_core.settings.tools.schema import tool_schema


@pytest.fixture
def folder_editor(qtbot) -> PathEditor:
    editor = PathEditor(TRAIN.params()["dataset.train_data_dir"])
    qtbot.addWidget(editor)
    return editor


def test_a_dropped_folder_is_committed(folder_editor: PathEditor, tmp_path: Path, qtbot):
    with qtbot.waitSignal(folder_editor.committed) as blocker:
        assert drop(folder_editor, tmp_path)
    assert blocker.args == [str(tmp_path)]


def test_what_is_dropped_is_taken_and_looked_at_later(folder_editor: PathEditor, tmp_path: Path):
    # It may be on a drive that does not answer; that it is no folder is said beside it.
    assert drop(folder_editor, tmp_path / "a.txt")
    assert folder_editor.raw() == str(tmp_path / "a.txt")


def test_an_empty_path_is_unset(folder_editor: PathEditor):
    folder_editor.set_raw("unset")
    assert folder_editor.raw() == "unset"
    assert folder_editor.fields()[0].text() == ""


def test_a_browsed_folder_is_committed(folder_editor: PathEditor, monkeypatch, qtbot):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/pictures/of mine")
    [button] = folder_editor.findChildren(IconButton)
    with qtbot.waitSignal(folder_editor.committed) as blocker:
        button.click()
    assert blocker.args == ["/pictures/of mine"]


def test_a_browser_that_was_closed_changes_nothing(folder_editor: PathEditor, monkeypatch, qtbot):
    folder_editor.set_raw("/old")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    [button] = folder_editor.findChildren(IconButton)
    with qtbot.assertNotEmitted(folder_editor.committed):
        button.click()
    assert folder_editor.raw() == "/old"


def test_a_setting_for_file_or_folder_offers_both(qtbot):
    editor = PathEditor(TRAIN.params()["model.pretrained_model_name_or_path"])
    qtbot.addWidget(editor)
    [button] = editor.findChildren(IconButton)
    assert len(button.menu().actions()) == 2


def test_a_new_file_is_asked_for_without_talk_of_replacing(monkeypatch, qtbot):
    editor = PathEditor(tool_schema("verify_lora").params()["verify_lora.report"])
    qtbot.addWidget(editor)
    asked = {}

    def choose(*words, options):
        asked.update(filter=words[3], options=options)
        return "/somewhere/new.txt", ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    [button] = editor.findChildren(IconButton)
    with qtbot.waitSignal(editor.committed) as blocker:
        button.click()
    assert blocker.args == ["/somewhere/new.txt"]
    assert asked["options"] == QFileDialog.Option.DontConfirmOverwrite
    assert asked["filter"] == "Text file (*.txt);;All files (*)"


def test_a_key_of_the_field_browses(folder_editor: PathEditor, monkeypatch, qtbot):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/pictures/of mine")
    folder_editor.show()
    folder_editor.activateWindow()
    [field] = folder_editor.fields()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    with qtbot.waitSignal(folder_editor.committed) as blocker:
        qtbot.keyClick(field, Qt.Key.Key_F4)
    assert blocker.args == ["/pictures/of mine"]


def test_a_picture_is_left_to_the_window(folder_editor: PathEditor, tmp_path: Path):
    assert not drop(folder_editor, tmp_path / "a.png")
    assert drop(folder_editor, tmp_path / "base.safetensors")
