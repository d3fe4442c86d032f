import pytest
from PySide6.QtCore import Qt

from desktop_app.editors.text import MultilineEditor, TextEditor, TextListEditor
from trainer_core.settings.schema import TRAIN


def test_a_line_commits_on_enter(qtbot):
    editor = TextEditor(TRAIN.params()["output.output_name"])
    qtbot.addWidget(editor)
    [field] = editor.fields()
    qtbot.keyClicks(field, "my cat")
    with qtbot.waitSignal(editor.committed) as blocker:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert blocker.args == ["my cat"]


@pytest.fixture
def comment(qtbot) -> MultilineEditor:
    editor = MultilineEditor(TRAIN.params()["output.training_comment"])
    qtbot.addWidget(editor)
    return editor


def test_several_lines_are_kept(comment: MultilineEditor):
    comment.set_raw("one\ntwo")
    assert comment.raw() == "one\ntwo"


def test_an_empty_comment_is_unset(comment: MultilineEditor):
    comment.set_raw("unset")
    assert comment.raw() == "unset"
    assert comment.fields()[0].toPlainText() == ""


def test_several_lines_commit_when_left(comment: MultilineEditor, qtbot):
    comment.show()
    comment.activateWindow()
    comment.activate()
    [field] = comment.fields()
    qtbot.waitUntil(field.hasFocus)
    qtbot.keyClicks(field, "trigger: zxq")
    with qtbot.waitSignal(comment.committed) as blocker:
        field.clearFocus()
    assert blocker.args == ["trigger: zxq"]


def test_a_list_has_one_item_a_line(qtbot):
    editor = TextListEditor(TRAIN.params()["optimizer.optimizer_args"])
    qtbot.addWidget(editor)
    editor.set_raw(["weight_decay=0.1", "betas=0.9,0.99"])
    [field] = editor.fields()
    assert field.toPlainText() == "weight_decay=0.1\nbetas=0.9,0.99"
    field.setPlainText(" eps=1e-6 \n\n")
    assert editor.raw() == ["eps=1e-6"]
