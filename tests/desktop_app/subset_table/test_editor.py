import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from desktop_app.subset_table.editor import TablesEditor
from trainer_core.settings.schema import TRAIN

ROWS = [{"image_dir": "cats", "num_repeats": 3}, {"image_dir": "dogs", "resolution": [768, 512]}]


@pytest.fixture
def editor(qtbot) -> TablesEditor:
    editor = TablesEditor(TRAIN.params()["dataset.subsets"])
    qtbot.addWidget(editor)
    editor.show()
    editor.set_raw(ROWS)
    return editor


def entries(editor: TablesEditor) -> list[str]:
    field = editor.fields()[0]
    return [field.item(row).text() for row in range(field.count())]


def type_over(editor: TablesEditor, qtbot, row: int, words: str) -> None:
    field = editor.fields()[0]
    field.setFocus()
    field.setCurrentRow(row)
    qtbot.keyClick(field, Qt.Key.Key_F2)
    line = field.findChild(QLineEdit)
    line.selectAll()
    qtbot.keyClicks(line, words)
    qtbot.keyClick(line, Qt.Key.Key_Return)


def test_each_subset_is_a_line_as_a_run_file_has_it(editor):
    assert entries(editor) == [
        'image_dir = "cats", num_repeats = 3',
        'image_dir = "dogs", resolution = [768, 512]',
    ]


def test_a_line_is_typed_over(editor, qtbot):
    with qtbot.waitSignal(editor.committed) as blocker:
        type_over(editor, qtbot, 0, 'image_dir = "birds", is_reg = true')
    assert blocker.args == [[{"image_dir": "birds", "is_reg": True}, ROWS[1]]]


def test_what_is_no_table_stays_as_it_was_typed(editor, qtbot):
    with qtbot.waitSignal(editor.committed):
        type_over(editor, qtbot, 1, "dogs, please")
    assert editor.raw() == [ROWS[0], "dogs, please"]
    assert entries(editor)[1] == "dogs, please"


def test_the_chosen_subset_is_removed(editor, qtbot):
    editor.fields()[0].setCurrentRow(0)
    with qtbot.waitSignal(editor.committed) as blocker:
        qtbot.keyClick(editor.fields()[0], Qt.Key.Key_Delete)
    assert blocker.args == [[ROWS[1]]]
