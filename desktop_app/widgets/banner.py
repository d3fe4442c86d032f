"""A message across the window that stays until it is answered or closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop_app.theme import tokens
from desktop_app.widgets.icon_button import IconButton

Way = tuple[str, Callable[[], None]]  # a button's label and what it does


class Banner(QFrame):
    """One sentence, a dim line below it, a few buttons, and a cross."""

    wanted = Signal(bool)  # whether there is something to show

    def __init__(self, close_words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = tokens.current()
        self._message = QLabel(self, wordWrap=True)
        self._details = QLabel(self, wordWrap=True)
        self._details.setProperty("role", "dim")
        for label in (self._message, self._details):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._button_row = QHBoxLayout()
        self._buttons: list[QPushButton] = []
        close = IconButton("close", close_words, self)
        close.clicked.connect(self.dismiss)
        words = QVBoxLayout()
        words.setSpacing(look.gap_xs)
        words.addWidget(self._message)
        words.addWidget(self._details)
        self._layout = layout = QHBoxLayout(self)
        layout.setContentsMargins(look.gap_l, look.gap_m, look.gap_m, look.gap_m)
        layout.setSpacing(look.gap_m)
        layout.addLayout(words, 1)
        layout.addLayout(self._button_row)
        layout.addWidget(close)

    @property
    def message(self) -> str:
        """The sentence shown."""
        return self._message.text()

    def tell(
        self,
        kind: str,
        message: str,
        details: str = "",
        buttons: Sequence[Way] = (),
    ) -> None:
        """Show a message instead of the one before.

        Args:
            kind: ``error``, ``warning``, ``success`` or ``notice``; decides the colour.
            message: What happened.
            details: Why, or what to do.
            buttons: Labels and what they do.
        """
        self._replace_buttons(buttons)
        self._message.setText(message)
        self._details.setText(details)
        self._details.setVisible(bool(details))
        self.setProperty("banner", kind)
        self.style().polish(self)
        self.wanted.emit(True)
        self._fit()

    def dismiss(self) -> None:
        """Take the message away."""
        self._message.clear()
        self.wanted.emit(False)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Take the height that the words need at this width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        # A toolbar does not ask for the height of wrapped words.
        self._layout.activate()  # it remembers the height of other words
        height = self._layout.heightForWidth(self.width())
        if height > 0:  # there are words
            self.setFixedHeight(height)

    def _replace_buttons(self, buttons: Sequence[Way]) -> None:
        for button in self._buttons:
            button.hide()
            button.deleteLater()
        self._buttons = []
        for label, action in buttons:
            button = QPushButton(label, self)
            button.clicked.connect(action)
            self._button_row.addWidget(button)
            self._buttons.append(button)
