"""Words over several lines that always get the height they need."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


class WrappedLabel(QLabel):
    """A label for a column that is short of room, as a splitter's is.

    Splitters and scroll areas do not ask a label for the height of its wrapped words: the last
    lines would be cut off.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def say(self, words: str, role: str = "") -> None:
        """Show words in the colour of a role; hide without any."""
        self.setText(words)
        if role and role != self.property("role"):
            self.setProperty("role", role)
            self.style().polish(self)
        self.setVisible(bool(words))
        self._fit()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Leave the width to others."""
        return QSize(0, self.fontMetrics().lineSpacing())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Take the height that the words need at this width."""
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Take the height of words that came while nobody looked."""
        super().showEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Take the height that the words need in another font."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        self.setMinimumHeight(0)  # a label never asks for less than it has to have
        height = self.heightForWidth(self.width())
        if height > 0 and self.isVisible():  # there are words, and the width is the true one
            self.setFixedHeight(height)
