"""What every editor offers: a raw value in, a raw value out, and two signals."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut, QWheelEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QToolButton, QWidget

from desktop_app.translation import shown
from trainer_core.settings.param import Param
from trainer_core.texts import T


class Editor(QWidget):
    """Edits one setting. Abstract: every kind of editor has its own `raw`, `set_raw` and `fields`.

    Values are raw, as a run file holds them, so that a mistake can be seen and mended: an editor
    shows whatever it is given, and hands back what was typed even if it does not fit.
    """

    # Not an ABC: Qt's classes have a metaclass of their own.

    is_tall = False  # several lines high
    is_wide = False  # takes the whole width, below its label

    edited = Signal()  # while typing
    committed = Signal(object)  # done: the new raw value
    reset_wanted = Signal()

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.param = param
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)

    def raw(self) -> object:
        """Return the raw value as it stands in the editor."""
        raise NotImplementedError

    def set_raw(self, value: object) -> None:
        """Show a raw value; emits nothing."""
        raise NotImplementedError

    def fields(self) -> tuple[QWidget, ...]:
        """Return the widgets that take the focus, in order."""
        raise NotImplementedError

    def commit(self) -> None:
        """Hand over what was typed so far."""
        self.committed.emit(self.raw())

    def activate(self) -> None:
        """Do what a click on the label means: go there."""
        self.fields()[0].setFocus()

    def set_invalid(self, is_invalid: bool) -> None:
        """Frame the value as one that cannot be used."""
        for field in self.fields():
            if bool(field.property("invalid")) != is_invalid:
                field.setProperty("invalid", is_invalid)
                field.style().polish(field)


def editor_around(widget: QWidget | None) -> Editor | None:
    """Return the editor that a widget is part of."""
    while widget is not None and not isinstance(widget, Editor):
        widget = widget.parentWidget()
    return widget


def focused_editor() -> Editor | None:
    """Return the editor that somebody is typing in."""
    return editor_around(QApplication.focusWidget())


def add_menu_key(owner: QWidget, button: QToolButton) -> None:
    """Let F4 press a button that Tab goes past, while the focus is in ``owner``."""
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.setToolTip(shown(T("App", "{label} ({keys})"), label=button.toolTip(), keys="F4"))
    press = button.showMenu if button.menu() is not None else button.click
    key = QShortcut(QKeySequence(Qt.Key.Key_F4), owner)
    key.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
    key.activated.connect(press)


def wheel_is_meant(field: QWidget, event: QWheelEvent) -> bool:
    """Tell whether the wheel turns the field's value; over an unfocused one it scrolls the form."""
    if field.hasFocus():
        return True
    event.ignore()
    return False
