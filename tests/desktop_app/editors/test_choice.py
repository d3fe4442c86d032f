import pytest

from desktop_app.editors.choice import ChoiceEditor
from trainer_core.settings.schema import TRAIN


@pytest.fixture
def editor(qtbot) -> ChoiceEditor:
    editor = ChoiceEditor(TRAIN.params()["optimizer.lr_scheduler"])
    qtbot.addWidget(editor)
    return editor


def test_a_choice_of_the_user_is_committed(editor: ChoiceEditor, qtbot):
    editor.set_raw("cosine")
    [box] = editor.fields()
    with qtbot.waitSignal(editor.committed) as blocker:
        qtbot.keyClicks(box, "linear")
    assert blocker.args == ["linear"]


def test_setting_the_value_commits_nothing(editor: ChoiceEditor, qtbot):
    with qtbot.assertNotEmitted(editor.committed):
        editor.set_raw("linear")


def test_an_unknown_value_is_shown_until_it_is_replaced(editor: ChoiceEditor):
    [box] = editor.fields()
    known = box.count()
    editor.set_raw("exponential")
    assert editor.raw() == "exponential"
    assert box.currentText() == "exponential"
    editor.set_raw("linear")
    assert box.count() == known
