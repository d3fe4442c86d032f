"""Files and folders that another program holds over a widget and drops, as window systems tell."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

_PLACE = QPoint(9, 9)
_COPY = Qt.DropAction.CopyAction
_HELD = (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)


def carried(*paths: Path) -> QMimeData:
    """Return what a program hands over with files and folders."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def entering(data: QMimeData) -> QDragEnterEvent:
    """Return what a widget hears first; the event does not keep ``data`` alive."""
    enter = QDragEnterEvent(_PLACE, _COPY, data, *_HELD)
    enter.ignore()
    return enter


def hold_over(widget: QWidget, data: QMimeData) -> bool:
    """Bring something over a widget; tell whether it would be taken."""
    enter = entering(data)
    QApplication.sendEvent(widget, enter)
    return enter.isAccepted()


def drop(widget: QWidget, *paths: Path) -> bool:
    """Drop files and folders on a widget; tell whether they were taken."""
    data = carried(*paths)
    if not hold_over(widget, data):
        return False
    QApplication.sendEvent(widget, QDropEvent(QPointF(_PLACE), _COPY, data, *_HELD))
    QApplication.processEvents()  # the window takes them once the other program was let go
    return True
