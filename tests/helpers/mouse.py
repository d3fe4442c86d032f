"""A mouse that turns its wheel and moves over widgets, as Qt's own test functions cannot."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

NO_BUTTON = Qt.MouseButton.NoButton
NO_KEY = Qt.KeyboardModifier.NoModifier


def turn_wheel(widget: QWidget, place: QPoint, angle: int) -> None:
    """Turn the wheel over ``place`` by ``angle`` eighths of a degree."""
    event = QWheelEvent(
        QPointF(place),
        QPointF(widget.mapToGlobal(place)),
        QPoint(),
        QPoint(0, angle),
        NO_BUTTON,
        NO_KEY,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def point_at(widget: QWidget, place: QPoint, held: Qt.MouseButton = NO_BUTTON) -> None:
    """Move the pointer to ``place``, with a button held or none."""
    there, on_screen = QPointF(place), QPointF(widget.mapToGlobal(place))
    event = QMouseEvent(QEvent.Type.MouseMove, there, on_screen, NO_BUTTON, held, NO_KEY)
    QApplication.sendEvent(widget, event)
