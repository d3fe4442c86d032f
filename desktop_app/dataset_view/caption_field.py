"""The field in which a caption is typed: what of it is not read is dimmed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QSyntaxHighlighter,
    QTextCharFormat,
)
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from desktop_app.theme import tokens
from trainer_core.dataset.processing.outcomes import count_most_tokens
from trainer_core.dataset.subsets import CaptionRules
from trainer_core.tokens.clip import is_table_read
from trainer_core.tokens.cutting import cut_place

_LEAST_LINES = 3
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class CaptionField(QPlainTextEdit):
    """Lines of text; Tab leaves, Ctrl+Enter is done.

    Undo belongs to the field while it holds something that is not saved, else to the document.
    """

    finished = Signal()  # the focus went elsewhere, or Ctrl+Enter

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabChangesFocus(True)
        self.saved_text = ""
        self._dimming = _Unread(self)

    def show_text(self, text: str, saved_text: str) -> None:
        """Show a text; the cursor stays where it is if the text does."""
        self.saved_text = saved_text
        if text != self.toPlainText():
            self.setPlainText(text)

    def show_rules(self, rules: CaptionRules) -> None:
        """Dim what is not read by the rules of the picture's subset."""
        self._dimming.show(rules)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size of a few lines."""
        return QSize(super().sizeHint().width(), self._height(_LEAST_LINES))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size that lets others have the room."""
        return QSize(0, self._height(_LEAST_LINES))

    def event(self, event: QEvent) -> bool:
        """Leave undo and redo to the document where nothing typed can be taken back."""
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.ShortcutOverride:
            key = QKeySequence.StandardKey
            is_undo = event.matches(key.Undo) or event.matches(key.Redo)
            if is_undo and self.toPlainText() == self.saved_text:
                event.ignore()
                return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Be done on Ctrl+Enter."""
        is_control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if is_control and event.key() in _ENTER:
            self.finished.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        """Be done, unless it is only a menu that came up."""
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self.finished.emit()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Dim in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "_dimming"):
            self._dimming.rehighlight()

    def _height(self, lines: int) -> int:
        look = tokens.current()
        margins = 2 * int(self.document().documentMargin()) + 2 * (look.gap_s + look.line)
        return lines * self.fontMetrics().lineSpacing() + margins


class _Unread(QSyntaxHighlighter):
    """Dims what is not read; where a line is cut off, it is struck out too."""

    def __init__(self, field: QPlainTextEdit) -> None:
        super().__init__(field.document())
        self._rules = CaptionRules()
        self._is_counted = False

    def show(self, rules: CaptionRules) -> None:
        """Dim by other rules, if they are others."""
        if (rules, is_table_read()) != (self._rules, self._is_counted):
            self._rules, self._is_counted = rules, is_table_read()
            self.rehighlight()

    def highlightBlock(self, text: str) -> None:  # noqa: N802 - Qt's name
        """Dim in one line."""
        dim = QTextCharFormat()
        dim.setForeground(QColor(tokens.current().text_dim))
        if self.currentBlock().blockNumber() > 0 and not self._rules.enable_wildcard:
            self.setFormat(0, len(text), dim)
            return
        place = self._cut(text) if self._is_counted else None
        if place is not None:
            dim.setFontStrikeOut(True)
            begin = _utf16(text[:place])
            self.setFormat(begin, _utf16(text) - begin, dim)

    def _cut(self, line: str) -> int | None:
        before = replace(self._rules, caption_suffix=None)
        count = partial(count_most_tokens, rules=before)
        return cut_place(line, self._rules.max_token_length, count)


def _utf16(text: str) -> int:
    """Return a length as Qt counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
