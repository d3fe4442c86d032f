import pytest
from helpers.drops import drop
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLineEdit, QListWidget, QPushButton

from desktop_app.editors.form import SectionForm
from desktop_app.editors.path_list import PathListEditor
from trainer_core.settings.picture_kinds import FORMAT_OF_EXTENSION
from trainer_core.settings.rules.places import check_places
from trainer_core.settings.schema import TRAIN

PATH = "dataset.more_pictures"


@pytest.fixture
def editor(qtbot) -> PathListEditor:
    editor = PathListEditor(TRAIN.params()[PATH])
    qtbot.addWidget(editor)
    editor.show()
    return editor


def entries(editor: PathListEditor) -> list[str]:
    field = editor.fields()[0]
    return [field.item(row).text() for row in range(field.count())]


def button(editor: PathListEditor, label: str) -> QPushButton:
    [found] = [b for b in editor.findChildren(QPushButton) if b.text() == label]
    return found


def test_the_dialog_offers_every_picture_that_is_trained():
    patterns = TRAIN.params()[PATH].spec.file_filter.split()
    assert patterns == [f"*{extension}" for extension in FORMAT_OF_EXTENSION]


def test_entries_are_shown_as_typed_and_whole_in_their_tooltips(editor):
    editor.set_raw(["10_a cat", 3, "/somewhere/far away/b.png"])
    assert entries(editor) == ["10_a cat", "3", "/somewhere/far away/b.png"]
    assert editor.fields()[0].item(2).toolTip() == "/somewhere/far away/b.png"
    assert editor.raw() == ["10_a cat", 3, "/somewhere/far away/b.png"]


def test_what_is_no_list_stays_until_it_is_changed(editor, qtbot):
    editor.set_raw("10_a cat")
    assert editor.raw() == "10_a cat"
    with qtbot.waitSignal(editor.committed) as blocker:
        editor.add(["b.png"])
    assert blocker.args == [["10_a cat", "b.png"]]


def test_a_drop_adds_folders_and_pictures_at_once_and_no_other_files(editor, tmp_path, qtbot):
    for name in ("a.PNG", "notes.txt"):
        (tmp_path / name).touch()
    editor.set_raw(["x"])
    with qtbot.waitSignal(editor.committed) as blocker:
        assert drop(editor, tmp_path, tmp_path / "a.PNG", tmp_path / "notes.txt")
    assert blocker.args == [["x", tmp_path.as_posix(), (tmp_path / "a.PNG").as_posix()]]


def test_a_file_of_another_kind_is_not_taken(editor, tmp_path, qtbot):
    (tmp_path / "notes.txt").touch()
    drop(editor, tmp_path / "notes.txt", tmp_path)  # looked at together, in a thread
    qtbot.waitUntil(lambda: entries(editor) == [tmp_path.as_posix()])


def test_what_is_there_is_not_added_again(editor, qtbot):
    editor.set_raw(["a", "b"])
    with qtbot.assertNotEmitted(editor.committed):
        editor.add(["b", "a"])


def test_delete_removes_the_chosen_entries_at_once_and_chooses_the_next(editor, qtbot):
    editor.set_raw(["a", "b", "c", "d"])
    field = editor.fields()[0]
    field.setCurrentRow(1)
    qtbot.keyClick(field, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    with qtbot.waitSignal(editor.committed) as blocker:
        qtbot.keyClick(field, Qt.Key.Key_Delete)
    assert blocker.args == [["a", "d"]]
    assert field.currentItem().text() == "d"


def test_the_button_removes_only_if_something_is_chosen(editor, qtbot):
    editor.set_raw(["a"])
    assert not button(editor, "Remove").isEnabled()
    editor.fields()[0].setCurrentRow(0)
    with qtbot.waitSignal(editor.committed) as blocker:
        button(editor, "Remove").click()
    assert blocker.args == [[]]
    assert not button(editor, "Remove").isEnabled()


def test_an_entry_is_mended_by_typing_over_it(editor, qtbot):
    editor.set_raw(["a", "b"])
    field = editor.fields()[0]
    field.setCurrentRow(1)
    field.editItem(field.currentItem())
    line = field.findChild(QLineEdit)
    line.setText("pictures/b")
    with qtbot.waitSignal(editor.committed) as blocker:
        qtbot.keyClick(line, Qt.Key.Key_Return)
    assert blocker.args == [["a", "pictures/b"]]


def test_an_entry_that_is_being_typed_is_handed_over_by_a_commit(editor, qtbot):
    editor.set_raw(["a"])
    editor.activateWindow()
    field = editor.fields()[0]
    field.editItem(field.item(0))
    line = field.findChild(QLineEdit)
    qtbot.waitUntil(line.hasFocus)
    line.setText("b")
    editor.commit()
    assert editor.raw() == ["b"]


def test_an_entry_typed_empty_stays(editor, qtbot):
    editor.set_raw(["a"])
    field = editor.fields()[0]
    field.editItem(field.item(0))
    line = field.findChild(QLineEdit)
    line.clear()
    with qtbot.assertNotEmitted(editor.committed):
        qtbot.keyClick(line, Qt.Key.Key_Return)
    assert entries(editor) == ["a"]


def test_the_buttons_add_a_folder_and_files(editor, monkeypatch, qtbot):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/pictures")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (["/a.png", "/b.png"], ""))
    with qtbot.waitSignal(editor.committed):
        button(editor, "Add folder…").click()
    with qtbot.waitSignal(editor.committed):
        button(editor, "Add files…").click()
    assert editor.raw() == ["/pictures", "/a.png", "/b.png"]


def test_the_list_grows_with_its_entries_within_limits(editor):
    heights = []
    for count in (0, 2, 4, 6, 40):
        editor.set_raw([str(number) for number in range(count)])
        heights.append(editor.fields()[0].sizeHint().height())
    empty, two, four, six, forty = heights
    assert empty == two < four < six == forty


def test_each_change_is_one_step_of_undo(document, tmp_path, qtbot):
    form = SectionForm("dataset", document)
    qtbot.addWidget(form)
    editor = form.rows[PATH].editor
    drop(editor, tmp_path)
    qtbot.waitUntil(lambda: document.value(PATH) == [tmp_path.as_posix()])
    editor.add(["b.png", "c.png"])
    assert document.value(PATH) == [tmp_path.as_posix(), "b.png", "c.png"]
    document.undo_stack.undo()
    assert entries(editor) == [tmp_path.as_posix()]
    document.undo_stack.undo()
    assert (document.value(PATH), entries(editor)) == ([], [])


def test_a_list_with_an_error_is_framed(document, qtbot):
    form = SectionForm("dataset", document)
    qtbot.addWidget(form)
    document.set_value(PATH, ["/gone/nowhere"])
    document.set_found("places", check_places(document.usable))
    field = form.rows[PATH].editor.fields()[0]
    assert isinstance(field, QListWidget)
    assert field.property("invalid") is True
