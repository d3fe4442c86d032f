"""Words over several lines that scroll where they are many."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QWidget

from desktop_app.theme import tokens


class ScrolledLabel(QScrollArea):
    """A small label that takes the height of its words, up to some lines."""

    def __init__(self, max_lines: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._max_lines = max_lines
        self._label = QLabel(self)
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setProperty("scrolled", True)
        self.setWidget(self._label)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._label.setFont(tokens.font(tokens.current().font_small))

    def text(self) -> str:
        """Return the words."""
        return self._label.text()

    def say(self, words: str, role: str = "dim") -> None:
        """Show words in the colour of a role; hide without any."""
        self.setVisible(bool(words))
        self._label.setText(words)
        if role != self._label.property("role"):
            self._label.setProperty("role", role)
            self._label.style().polish(self._label)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Take the height that the words need at this width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        limit = self._label.fontMetrics().lineSpacing() * self._max_lines
        wanted = self._label.heightForWidth(self.viewport().width())  # -1 without words
        self.setFixedHeight(min(max(wanted, 0), limit))
