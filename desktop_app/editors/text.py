"""The editors of words: one line, several lines, and a list with one item a line."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QSizePolicy, QWidget

from desktop_app.editors.base import Editor
from desktop_app.translation import choice_label, shown
from trainer_core.files.plain_text import lines_of
from trainer_core.settings.document import UNSET
from trainer_core.settings.param import Param
from trainer_core.texts import T

_LINES_SHOWN = 3


class TextEditor(Editor):
    """Edits one line of text; an empty optional one is unset."""

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        self._field = QLineEdit(self)
        if param.is_optional:
            self._field.setPlaceholderText(choice_label(param, None))
        self._field.editingFinished.connect(self.commit)
        self._field.textEdited.connect(self.edited)
        self.row.addWidget(self._field)

    def raw(self) -> object:
        """Return the words."""
        words = self._field.text()
        return UNSET if self.param.is_optional and not words.strip() else words

    def set_raw(self, value: object) -> None:
        """Show the words."""
        self._field.setText("" if value == UNSET and self.param.is_optional else str(value))

    def fields(self) -> tuple[QWidget, ...]:
        """Return the field."""
        return (self._field,)


class LinesField(QPlainTextEdit):
    """A few lines of text; Tab leaves it."""

    finished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabChangesFocus(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size of a few lines."""
        frame = self.height() - self.viewport().height()
        margins = 2 * int(self.document().documentMargin())
        height = _LINES_SHOWN * self.fontMetrics().lineSpacing() + margins + max(frame, 0)
        return QSize(super().sizeHint().width(), height)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a width that lets the form become narrow."""
        return QSize(0, self.sizeHint().height())

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        """Say that the text is finished."""
        super().focusOutEvent(event)
        self.finished.emit()


class MultilineEditor(Editor):
    """Edits text of several lines; an empty optional one is unset."""

    is_tall = True

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        self._field = LinesField(self)
        self._field.finished.connect(self.commit)
        self._field.textChanged.connect(self.edited)
        self.row.addWidget(self._field)

    def raw(self) -> object:
        """Return the words."""
        words = self._field.toPlainText()
        return UNSET if self.param.is_optional and not words.strip() else words

    def set_raw(self, value: object) -> None:
        """Show the words."""
        words = "" if value == UNSET and self.param.is_optional else str(value)
        if words != self._field.toPlainText():
            self._field.setPlainText(words)

    def fields(self) -> tuple[QWidget, ...]:
        """Return the field."""
        return (self._field,)


class TextListEditor(Editor):
    """Edits a list of texts, one a line."""

    is_tall = True

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        self._field = LinesField(self)
        self._field.setPlaceholderText(shown(T("App", "one a line")))
        self._field.finished.connect(self.commit)
        self._field.textChanged.connect(self.edited)
        self.row.addWidget(self._field)

    def raw(self) -> object:
        """Return the lines that are not empty."""
        lines = (line.strip() for line in lines_of(self._field.toPlainText()))
        return [line for line in lines if line]

    def set_raw(self, value: object) -> None:
        """Show the items, one a line."""
        items = value if isinstance(value, list | tuple) else [value]
        if list(items) != self.raw():
            self._field.setPlainText("\n".join(str(item) for item in items))

    def fields(self) -> tuple[QWidget, ...]:
        """Return the field."""
        return (self._field,)
