"""Asks what a layout of the docks is to be called."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from desktop_app.theme import tokens
from desktop_app.translation import shown
from trainer_core.texts import T

_LONGEST = 60
_WIDTH_PX = 360


class LayoutName(QDialog):
    """A field for the name; says what is wrong with it, or what it would replace."""

    def __init__(
        self, window: QWidget, name: str, taken: Sequence[str], replaceable: Sequence[str]
    ) -> None:
        super().__init__(window)
        self._taken = {each.casefold() for each in taken}
        self._replaceable = replaceable
        title = T("App", "Rename layout") if name else T("App", "Save layout")
        self.setWindowTitle(shown(title))
        self.setMinimumWidth(_WIDTH_PX)
        self.field = QLineEdit(name, self)
        self.field.setMaxLength(_LONGEST)
        self.field.selectAll()
        label = QLabel(shown(T("App", "&Name of the layout")), self)
        label.setBuddy(self.field)
        self.hint = QLabel(self, wordWrap=True)
        buttons = QDialogButtonBox(self)
        words = T("App", "Rename") if name else T("App", "Save")
        self.accept_button = buttons.addButton(shown(words), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(shown(T("App", "Cancel")), QDialogButtonBox.ButtonRole.RejectRole)
        look = tokens.current()
        column = QVBoxLayout(self)
        column.setContentsMargins(*[look.gap_xl] * 4)
        column.setSpacing(look.gap_m)
        for part in (label, self.field, self.hint, buttons):
            column.addWidget(part)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.field.textChanged.connect(self._judge)
        self._judge()

    @property
    def name(self) -> str:
        """What was typed, without spaces around it."""
        return self.field.text().strip()

    def _judge(self) -> None:
        is_taken = self.name.casefold() in self._taken
        words = ""
        if is_taken:
            words = shown(T("App", "Another layout has that name."))
        elif self.name in self._replaceable:
            words = shown(T("App", "Replaces the layout that has that name."))
        self.hint.setText(words)
        self.hint.setProperty("role", "error" if is_taken else "dim")
        self.hint.style().polish(self.hint)
        self.accept_button.setEnabled(bool(self.name) and not is_taken)


def ask_name(window: QWidget, name: str, taken: Sequence[str], replaceable: Sequence[str]) -> str:
    """Ask for the name of a layout.

    Args:
        window: The window to ask in.
        name: What it is called now; empty for a new one.
        taken: Names that it cannot have.
        replaceable: Names whose layouts it would replace.

    Returns:
        The name, empty if nobody gave one.
    """
    dialog = LayoutName(window, name, taken, replaceable)
    try:
        return dialog.name if dialog.exec() == QDialog.DialogCode.Accepted else ""
    finally:
        dialog.deleteLater()
