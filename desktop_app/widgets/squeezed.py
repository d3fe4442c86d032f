"""A view that scrolls where it has less height than it needs, and never less than its width."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


class Squeezed(QScrollArea):
    """Asks for the width that its content needs now, which changes with what that shows."""

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        content.setProperty("scrolled", True)
        self.setWidget(content)
        for surface in (self.viewport(), content):
            surface.setAutoFillBackground(False)  # what is all covered counts as out of sight
        content.installEventFilter(self)
        self._follow()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Ask anew when the content needs another width."""
        if event.type() is QEvent.Type.LayoutRequest:
            self._follow()
        return super().eventFilter(watched, event)

    def _follow(self) -> None:
        """Ask for the width of the content: what is cut off at the right cannot be reached."""
        self.setMinimumWidth(max(self._content.minimumSizeHint().width(), 0))
