"""The editor of one value out of a few."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QWidget

from desktop_app.editors.base import Editor, wheel_is_meant
from desktop_app.translation import choice_label, shown
from trainer_core.settings.document import UNSET
from trainer_core.settings.param import Param

_SHORTEST_CHARACTERS = 8  # lets the form become narrow; the list itself is as wide as it needs


class ChoiceField(QComboBox):
    """A combo box that the wheel turns only if it has the focus."""

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Turn the value only if the field has the focus."""
        if wheel_is_meant(self, event):
            super().wheelEvent(event)


class ChoiceEditor(Editor):
    """Edits a choice; a value that is none of them is shown after them."""

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        self._field = ChoiceField(self)
        self._field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._field.setMinimumContentsLength(_SHORTEST_CHARACTERS)
        self._field.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        if param.is_optional:
            self._field.addItem(choice_label(param, None), UNSET)
        for value, choice in param.spec.choices.items():
            self._field.addItem(shown(choice.label), param.value_of(value))
            tooltip = shown(choice.help) if choice.help else ""
            self._field.setItemData(self._field.count() - 1, tooltip, Qt.ItemDataRole.ToolTipRole)
        self._known = self._field.count()
        self._field.activated.connect(self.commit)
        self.row.addWidget(self._field)

    def raw(self) -> object:
        """Return the chosen value."""
        return self._field.currentData()

    def set_raw(self, value: object) -> None:
        """Choose a value, known or not."""
        while self._field.count() > self._known:
            self._field.removeItem(self._known)
        index = self._field.findData(value)
        if index < 0:
            self._field.addItem(str(value), value)
            index = self._known
        self._field.setCurrentIndex(index)

    def fields(self) -> tuple[QWidget, ...]:
        """Return the combo box."""
        return (self._field,)
