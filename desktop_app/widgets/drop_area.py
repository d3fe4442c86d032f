"""A wide area that says what may be dropped on it, with buttons for those who do not drag."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QColor, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QWidget

from desktop_app.theme import tokens
from desktop_app.widgets.invitation import Invitation


class DropArea(Invitation):
    """An invitation in a dashed frame.

    It takes no drops itself: the widget around it does, so that all of it is the target.
    """

    def __init__(self, button: str, other: str, parent: QWidget | None = None) -> None:
        super().__init__("pictures", button, parent)
        self._is_target = False
        self.other_button = QPushButton(other, self)
        self.add_below(self.other_button)

    def set_target(self, is_target: bool) -> None:
        """Show that something is held over the area, and that the buttons are not needed."""
        self._is_target = is_target
        self.button.setVisible(not is_target)
        self.other_button.setVisible(not is_target)
        self.update()

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


def dropped_paths(data: QMimeData) -> list[Path]:
    """Return the files and folders that are being dropped."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def accept_copy(event: QDropEvent) -> None:
    """Accept what is dragged, as a copy: after a move the other program may delete its files."""
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()
