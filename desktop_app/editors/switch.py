"""The editor of what is on or off."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QWidget

from desktop_app.editors.base import Editor
from trainer_core.settings.param import Param


class SwitchEditor(Editor):
    """Edits a truth value; anything else shows as neither."""

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        self._box = QCheckBox(self)
        self._box.clicked.connect(self.commit)
        self.row.addWidget(self._box)
        self.row.addStretch()

    def raw(self) -> object:
        return self._box.checkState() is Qt.CheckState.Checked

    def set_raw(self, value: object) -> None:
        if isinstance(value, bool):
            self._box.setTristate(False)
            self._box.setChecked(value)
        else:
            self._box.setCheckState(Qt.CheckState.PartiallyChecked)

    def fields(self) -> tuple[QWidget, ...]:
        return (self._box,)

    def activate(self) -> None:
        self._box.setFocus()
        self._box.click()
