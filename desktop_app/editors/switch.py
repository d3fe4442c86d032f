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
        """Return True if the box is ticked."""
        return self._box.checkState() is Qt.CheckState.Checked

    def set_raw(self, value: object) -> None:
        """Tick the box or not."""
        if isinstance(value, bool):
            self._box.setTristate(False)
            self._box.setChecked(value)
        else:
            self._box.setCheckState(Qt.CheckState.PartiallyChecked)

    def fields(self) -> tuple[QWidget, ...]:
        """Return the box."""
        return (self._box,)

    def activate(self) -> None:
        """Turn the switch."""
        self._box.setFocus()
        self._box.click()
