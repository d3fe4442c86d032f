"""Which editor edits which kind of parameter."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from desktop_app.editors.base import Editor
from desktop_app.editors.choice import ChoiceEditor
from desktop_app.editors.number import NumberEditor, PairEditor
from desktop_app.editors.path import PathEditor
from desktop_app.editors.path_list import PathListEditor
from desktop_app.editors.switch import SwitchEditor
from desktop_app.editors.text import MultilineEditor, TextEditor, TextListEditor
from desktop_app.prompt_table.editor import PromptsEditor
from desktop_app.subset_table.editor import TablesEditor
from trainer_core.settings.param import Param

# The first that fits is taken.
EDITORS: tuple[tuple[Callable[[Param], bool], type[Editor]], ...] = (
    (lambda param: bool(param.spec.choices), ChoiceEditor),
    (lambda param: param.is_path, PathEditor),
    (lambda param: param.base_type is bool, SwitchEditor),
    (lambda param: param.base_type in (int, float), NumberEditor),
    (lambda param: param.length == 2, PairEditor),
    (lambda param: param.is_path_list, PathListEditor),
    (lambda param: param.spec.prompts, PromptsEditor),
    (lambda param: bool(param.columns), TablesEditor),
    (lambda param: param.base_type == tuple[str, ...], TextListEditor),
    (lambda param: param.base_type is str and param.spec.multiline, MultilineEditor),
    (lambda param: param.base_type is str, TextEditor),
)


def editor_for(param: Param, parent: QWidget | None = None) -> Editor:
    """Return a new editor for a parameter.

    Raises:
        TypeError: No editor edits this type.
    """
    for fits, editor in EDITORS:
        if fits(param):
            return editor(param, parent)
    raise TypeError(f"no editor for {param.path}: {param.base_type}")
