"""What an empty place says: a sign, a headline, an explanation, and a button that leads on."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop_app.theme import tokens
from desktop_app.theme.icons import icon

_LINE_CHARACTERS = 70


class Invitation(QWidget):
    """Centred words with a button below them."""

    def __init__(self, icon_name: str, button: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = tokens.current()
        self._icon_name = icon_name
        self._sign = QLabel(self)
        self._headline = QLabel(self)
        self._headline.setFont(tokens.font(look.font_large, bold=True))
        self._words = QLabel(self)
        self._words.setProperty("role", "dim")
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self.button = QPushButton(button, self)
        self._column = column = QVBoxLayout(self)
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

    def add_below(self, button: QPushButton) -> None:
        """Put another button below the first."""
        place = self._column.indexOf(self.button) + 1
        self._column.insertWidget(place, button, 0, Qt.AlignmentFlag.AlignHCenter)

    def say(self, headline: str, words: str) -> None:
        """Show a headline and an explanation."""
        self._headline.setText(headline)
        self._words.setText(words)
        self._words.setVisible(bool(words))

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the sign in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._draw_sign()

    def _draw_sign(self) -> None:
        look = tokens.current()
        side = 2 * look.icon_m
        self._sign.setPixmap(icon(self._icon_name, look.text_dim).pixmap(QSize(side, side)))
