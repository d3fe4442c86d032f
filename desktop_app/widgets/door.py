"""A large button that says where it leads: an icon, a title, and a dim line below it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from desktop_app.theme import tokens
from desktop_app.theme.icons import icon


class Door(QPushButton):
    """A button as wide as its place, for the first choice of a person."""

    def __init__(
        self, icon_name: str, title: str, line: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "door")
        self.setAccessibleName(title)
        self.setAccessibleDescription(line)
        self._icon_name = icon_name
        self._sign, heading, explanation = QLabel(self), QLabel(title, self), QLabel(line, self)
        look = tokens.current()
        heading.setFont(tokens.font(bold=True))
        explanation.setProperty("role", "dim")
        for label in (self._sign, heading, explanation):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QGridLayout(self)
        layout.setContentsMargins(look.gap_l, look.gap_l, look.gap_l, look.gap_l)
        layout.setHorizontalSpacing(look.gap_l)
        layout.setVerticalSpacing(look.gap_xs)
        layout.addWidget(self._sign, 0, 0, 2, 1)
        layout.addWidget(heading, 0, 1)
        layout.addWidget(explanation, 1, 1)
        layout.setColumnStretch(1, 1)
        self._draw_sign()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size that the words need."""
        layout = self.layout()
        assert layout is not None, "made in the constructor"
        return layout.sizeHint()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the same: words are not cut."""
        return self.sizeHint()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the sign in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "_sign"):
            self._draw_sign()

    def _draw_sign(self) -> None:
        look = tokens.current()
        side = look.icon_m + look.gap_s
        self._sign.setPixmap(icon(self._icon_name, look.accent).pixmap(QSize(side, side)))
