"""The editor of prompts, in the form and with a file."""

from pathlib import Path

import pytest
from helpers.drops import drop
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QPushButton

from desktop_app.document import Document
from desktop_app.editors.form import SectionForm
from desktop_app.prompt_table.editor import PromptsEditor
from desktop_app.prompt_table.model import Column

PATH = "sampling.prompt_list"


@pytest.fixture
def form(document: Document, qtbot) -> SectionForm:
    form = SectionForm("sampling", document)
    qtbot.addWidget(form)
    form.show()
    form.activateWindow()
    return form


@pytest.fixture
def editor(form: SectionForm) -> PromptsEditor:
    editor = form.rows[PATH].editor
    assert isinstance(editor, PromptsEditor)
    return editor


def press(editor: PromptsEditor, label: str) -> None:
    [button] = [b for b in editor.findChildren(QPushButton) if b.text() == label]
    button.click()


def type_words(editor: PromptsEditor, words: str, qtbot) -> None:
    [line] = editor.table.findChildren(QLineEdit)
    qtbot.keyClicks(line, words)
    qtbot.keyClick(line, Qt.Key.Key_Return)


def test_an_added_prompt_is_typed_and_one_step_of_undo(editor, document: Document, qtbot):
    press(editor, "Add prompt")
    assert not document.is_dirty
    type_words(editor, "a cat --d 3", qtbot)
    qtbot.waitUntil(lambda: document.value(PATH) == ["a cat --d 3"])
    document.undo_stack.undo()
    assert document.value(PATH) == []
    assert editor.table.model().rowCount() == 0


def test_numbers_take_no_words(editor, document: Document, qtbot):
    document.set_value(PATH, ["a cat"])
    table = editor.table
    table.edit(table.model().index(0, Column.SEED))
    [line] = table.findChildren(QLineEdit)
    qtbot.keyClicks(line, "x4y2")
    assert line.text() == "42"
    qtbot.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: document.value(PATH) == ["a cat --d 42"])


def test_delete_removes_the_chosen_prompts(editor, document: Document, qtbot):
    document.set_value(PATH, ["a", "b", "c"])
    editor.table.selectRow(1)
    qtbot.keyClick(editor.table, Qt.Key.Key_Delete)
    assert document.value(PATH) == ["a", "c"]


def test_pasted_lines_become_prompts(editor, document: Document, qtbot):
    QGuiApplication.clipboard().setText("a cat --d 1\n\n a  dog\n")
    qtbot.keyClick(editor.table, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert document.value(PATH) == ["a cat --d 1", "a dog"]


@pytest.mark.parametrize("way", ["dialog", "drop"])
def test_the_prompts_of_a_file_are_added(
    editor, document: Document, way: str, tmp_path: Path, monkeypatch, qtbot
):
    file = tmp_path / "prompts.json"
    file.write_text('["a dog --d 5", {"prompt": "a fox", "width": 64}]', encoding="utf-8")
    document.set_value(PATH, ["a cat"])
    if way == "drop":
        assert drop(editor, file)
    else:
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
        press(editor, "Add from a file…")
    wanted = ["a cat", "a dog --d 5", "a fox --w 64"]
    qtbot.waitUntil(lambda: document.value(PATH) == wanted)


def test_a_file_without_prompts_is_told(editor, tmp_path: Path, qtbot):
    file = tmp_path / "prompts.txt"
    file.write_text("# nothing\n", encoding="utf-8")
    assert drop(editor, file)

    def said() -> str:
        return " ".join(label.text() for label in editor.findChildren(QLabel) if label.isVisible())

    qtbot.waitUntil(lambda: "holds no prompt" in said())


def test_what_is_no_list_of_texts_stays_until_it_is_edited(editor, document: Document):
    document.set_value(PATH, "a cat")
    assert document.value(PATH) == editor.raw() == "a cat"
    assert editor.table.model().index(0, Column.PROMPT).data() == "a cat"


def test_tab_leaves_the_table_for_the_next_setting(editor, form: SectionForm, qtbot):
    editor.table.setFocus()
    qtbot.waitUntil(editor.table.hasFocus)
    [file] = form.rows["sampling.sample_prompts"].editor.fields()
    for _ in range(3):  # past the buttons below it
        qtbot.keyClick(form.focusWidget(), Qt.Key.Key_Tab)
    assert file.hasFocus()


def test_words_are_typed_over_the_whole_row_and_numbers_in_their_column(editor, document):
    document.set_value(PATH, ["a cat --n blurry"])
    table = editor.table
    for column, is_wide in ((Column.PROMPT, True), (Column.NEGATIVE, True), (Column.SEED, False)):
        cell = table.model().index(0, column)
        table.edit(cell)
        line = QApplication.focusWidget()
        assert isinstance(line, QLineEdit)
        assert (line.width() == table.viewport().width()) is is_wide
        assert line.placeholderText()
        QTest.keyClick(line, Qt.Key.Key_Escape)
