"""A wide area that says what may be dropped on it, with a button for those who do not drag."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QSize, Qt
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop_app.theme import tokens
from desktop_app.theme.icons import icon


class DropArea(QFrame):
    """A sign, a headline, a line of explanation and a button, in a dashed frame.

    It takes no drops itself: the widget around it does, so that all of it is the target.
    """

    def __init__(self, button: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = tokens.current()
        self.setProperty("role", "drop")
        self._sign = QLabel(self)
        self._headline = QLabel(self, wordWrap=True)
        self._headline.setFont(tokens.font(look.font_large, bold=True))
        self._words = QLabel(self, wordWrap=True)
        self._words.setProperty("role", "dim")
        self.button = QPushButton(button, self)
        column = QVBoxLayout(self)
        column.setSpacing(look.gap_l)
        column.addStretch(1)
        for label in (self._sign, self._headline, self._words):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(label)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(2)
        self._draw()

    def say(self, headline: str, words: str) -> None:
        """Show a headline and an explanation."""
        self._headline.setText(headline)
        self._words.setText(words)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the sign in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._draw()

    def _draw(self) -> None:
        look = tokens.current()
        side = 2 * look.icon_m
        self._sign.setPixmap(icon("pictures", look.text_dim).pixmap(QSize(side, side)))


def dropped_folder(data: QMimeData) -> Path | None:
    """Return the folder that is being dropped; of a file, the folder that it lies in."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    if not paths:
        return None
    return paths[0] if paths[0].is_dir() else paths[0].parent
