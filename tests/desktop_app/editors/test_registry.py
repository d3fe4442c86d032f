"""One bench over every declared parameter: a new one is tested by being declared."""

import pytest

from desktop_app.editors.registry import editor_for
from trainer_core.settings.document import to_raw
from trainer_core.settings.param import Param, ParamSpec
from trainer_core.settings.schema import TRAIN

every_parameter = pytest.mark.parametrize("param", TRAIN.params().values(), ids=lambda p: p.path)


@every_parameter
def test_the_editor_gives_the_default_back(param: Param, qtbot):
    editor = editor_for(param)
    qtbot.addWidget(editor)
    raw = to_raw(param, param.default)
    editor.set_raw(raw)
    assert editor.raw() == raw
    assert isinstance(editor.raw(), bool) is isinstance(raw, bool)


@every_parameter
def test_the_editor_shows_a_value_of_a_wrong_type_without_failing(param: Param, qtbot):
    editor = editor_for(param)
    qtbot.addWidget(editor)
    for wrong in ("seven", 7, True, [1, 2, 3], {"a": 1}):
        editor.set_raw(wrong)


@every_parameter
def test_the_editor_can_be_reached_with_the_keyboard(param: Param, qtbot):
    editor = editor_for(param)
    qtbot.addWidget(editor)
    for field in editor.fields():
        assert field.focusPolicy().value & 0x1  # Qt.FocusPolicy.TabFocus


def test_a_type_without_an_editor_is_refused_by_name():
    param = Param("extra", "table", dict, {}, ParamSpec("Table", "A table."))
    with pytest.raises(TypeError, match=r"extra\.table"):
        editor_for(param)
