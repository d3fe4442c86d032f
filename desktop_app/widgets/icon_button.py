"""A small flat button with an icon that follows the theme."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize
from PySide6.QtWidgets import QToolButton, QWidget

from desktop_app.theme import tokens
from desktop_app.theme.icons import icon


class IconButton(QToolButton):
    """A flat button; ``words`` are its tooltip and what a screen reader says."""

    def __init__(self, icon_name: str, words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon_name = icon_name
        self.setProperty("role", "small")
        self.setToolTip(words)
        self.setAccessibleName(words)
        size = tokens.current().icon_s
        self.setIconSize(QSize(size, size))
        self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the icon in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._draw()

    def _draw(self) -> None:
        self.setIcon(icon(self._icon_name))
