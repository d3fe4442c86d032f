from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from desktop_app.editors.number import NumberEditor, PairEditor
from trainer_core.settings.schema import TRAIN

Make = Callable[[str], NumberEditor]


@pytest.fixture
def make(qtbot) -> Make:
    """Make the editor of a setting and show it."""

    def make(path: str) -> NumberEditor:
        editor = NumberEditor(TRAIN.params()[path])
        qtbot.addWidget(editor)
        editor.show()
        return editor

    return make


def type_into(qtbot, editor: NumberEditor, words: str) -> None:
    editor.field.selectAll()
    qtbot.keyClicks(editor.field, words)


def test_typing_commits_on_enter_and_not_before(make: Make, qtbot):
    editor = make("adapter.network_dim")
    editor.set_raw(8)
    with qtbot.assertNotEmitted(editor.committed):
        type_into(qtbot, editor, "32")
    with qtbot.waitSignal(editor.committed) as blocker:
        qtbot.keyClick(editor.field, Qt.Key.Key_Return)
    assert blocker.args == [32]


def test_scientific_text_is_a_rate(make: Make, qtbot):
    editor = make("optimizer.learning_rate")
    type_into(qtbot, editor, "2,5E-4")
    editor.commit()
    assert editor.raw() == 2.5e-4


def test_a_committed_number_is_shown_in_its_short_form(make: Make, qtbot):
    editor = make("optimizer.learning_rate")
    type_into(qtbot, editor, "0.00010")
    qtbot.keyClick(editor.field, Qt.Key.Key_Return)
    assert editor.field.text() == "1e-4"


def test_what_is_no_number_is_handed_over_as_it_is(make: Make, qtbot):
    editor = make("adapter.network_dim")
    type_into(qtbot, editor, "many")
    assert editor.raw() == "many"


def test_an_empty_optional_number_is_unset(make: Make, qtbot):
    editor = make("output.save_every_n_steps")
    editor.set_raw(100)
    editor.field.clear()
    assert editor.raw() == "unset"
    assert editor.field.lineEdit().placeholderText() == "off"


def test_an_emptied_number_that_must_be_set_stays_what_it_was(make: Make, qtbot):
    editor = make("adapter.network_dim")
    editor.set_raw(8)
    editor.field.clear()
    qtbot.keyClick(editor.field, Qt.Key.Key_Return)
    assert editor.raw() == 8
    assert editor.field.text() == "8"


def test_arrows_step_and_commit_once_after_a_moment(make: Make, qtbot):
    editor = make("buckets.bucket_reso_steps")
    editor.set_raw(64)
    committed = []
    editor.committed.connect(committed.append)
    for _ in range(3):
        qtbot.keyClick(editor.field, Qt.Key.Key_Up)
    assert committed == []
    qtbot.waitUntil(lambda: committed == [160])  # 64 + 3 x 32


def test_stepping_below_the_smallest_unsets_an_optional_number(make: Make):
    editor = make("output.save_every_n_epochs")
    editor.set_raw(1)
    editor.field.stepBy(-1)
    assert editor.raw() == "unset"


def test_stepping_stops_at_the_bounds(make: Make):
    editor = make("model.clip_skip")
    editor.set_raw(12)
    editor.field.stepBy(1)
    assert editor.raw() == 12
    editor.set_raw(1)
    editor.field.stepBy(-1)
    assert editor.raw() == 1


def turn_wheel(field) -> None:
    centre = QPointF(field.rect().center())
    event = QWheelEvent(
        centre,
        field.mapToGlobal(centre),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(field, event)


def test_the_wheel_over_an_unfocused_field_changes_nothing(make: Make):
    editor = make("adapter.network_dim")
    editor.set_raw(8)
    turn_wheel(editor.field)
    assert editor.raw() == 8


def test_the_wheel_turns_the_field_that_has_the_focus(make: Make, qtbot):
    editor = make("adapter.network_dim")
    editor.set_raw(8)
    editor.activateWindow()
    editor.activate()
    qtbot.waitUntil(editor.field.hasFocus)
    turn_wheel(editor.field)
    assert editor.raw() == 9


def test_a_size_is_a_pair(qtbot):
    editor = PairEditor(TRAIN.params()["buckets.resolution"])
    qtbot.addWidget(editor)
    editor.set_raw([512, 768])
    assert [side.text() for side in editor.fields()] == ["512", "768"]
    editor.fields()[0].stepBy(1)
    assert editor.raw() == [576, 768]


def test_a_broken_size_is_shown_and_kept(qtbot):
    editor = PairEditor(TRAIN.params()["buckets.resolution"])
    qtbot.addWidget(editor)
    editor.set_raw([512])
    assert editor.fields()[0].text() == "[512]"
    assert editor.raw() == [512]


def test_a_pair_that_may_be_unset_is_empty_then(qtbot):
    editor = PairEditor(TRAIN.params()["augmentation.face_crop_aug_range"])
    qtbot.addWidget(editor)
    editor.set_raw("unset")
    assert [end.text() for end in editor.fields()] == ["", ""]
    assert editor.raw() == "unset"
    editor.fields()[0].lineEdit().setText("2")
    assert editor.raw() == "unset", "half of a pair is none"
    editor.fields()[1].lineEdit().setText("4,5")
    assert editor.raw() == [2, 4.5]
