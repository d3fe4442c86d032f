"""A wide area that says what may be dropped on it, with a button for those who do not drag."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop_app.theme import tokens
from desktop_app.theme.icons import icon

_LINE_CHARACTERS = 70


class DropArea(QWidget):
    """A sign, a headline, an explanation and a button, in a dashed frame.

    It takes no drops itself: the widget around it does, so that all of it is the target.
    """

    def __init__(self, button: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = tokens.current()
        self._is_target = False
        self._sign = QLabel(self)
        self._headline = QLabel(self)
        self._headline.setFont(tokens.font(look.font_large, bold=True))
        self._words = QLabel(self)
        self._words.setProperty("role", "dim")
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self.button = QPushButton(button, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[2 * look.gap_xl] * 4)
        column.setSpacing(look.gap_l)
        column.addStretch(1)
        for label in (self._sign, self._headline, self._words):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setMaximumWidth(label.fontMetrics().averageCharWidth() * _LINE_CHARACTERS)
            centred = QHBoxLayout()
            centred.addWidget(label)
            column.addLayout(centred)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self._draw_sign()

    def say(self, headline: str, words: str) -> None:
        """Show a headline and an explanation."""
        self._headline.setText(headline)
        self._words.setText(words)
        self._words.setVisible(bool(words))

    def set_target(self, is_target: bool) -> None:
        """Show that something is held over the area, and that the button is not needed."""
        self._is_target = is_target
        self.button.setVisible(not is_target)
        self.update()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the sign in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._draw_sign()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the frame."""
        look = tokens.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(look.accent if self._is_target else look.border_strong)
        painter.setPen(QPen(colour, 2 * look.line, Qt.PenStyle.DashLine))
        if self._is_target:
            painter.setBrush(QColor(look.selection))
        gap = look.gap_l
        radius = 2 * look.radius
        painter.drawRoundedRect(self.rect().adjusted(gap, gap, -gap, -gap), radius, radius)
        painter.end()

    def _draw_sign(self) -> None:
        look = tokens.current()
        side = 2 * look.icon_m
        self._sign.setPixmap(icon("pictures", look.text_dim).pixmap(QSize(side, side)))


def dropped_folder(data: QMimeData) -> Path | None:
    """Return the folder that is being dropped; of a file, the folder that it lies in."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    if not paths:
        return None
    return paths[0] if paths[0].is_dir() else paths[0].parent
