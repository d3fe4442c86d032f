"""A tab that is dragged out of its bar becomes a dock in the hand.

Qt's own way, grouped dragging, crashes when such a dock is moved over another that floats (6.11).
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QTabBar

_REACH = 2  # drag distances that a tab may leave its bar by

FindDock = Callable[[QTabBar, QPoint], QDockWidget | None]


class TabTearing(QObject):
    """Watches tab bars, and hands a drag that leaves one over to the dock of its tab."""

    def __init__(self, find_dock: FindDock, parent: QObject) -> None:
        super().__init__(parent)
        self._find_dock = find_dock
        self._pressed: QDockWidget | None = None
        self._held: QDockWidget | None = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Follow the pointer from the press on a tab to the release."""
        if not (isinstance(watched, QTabBar) and isinstance(event, QMouseEvent)):
            return super().eventFilter(watched, event)
        match event.type():
            case QEvent.Type.MouseButtonPress if event.button() is Qt.MouseButton.LeftButton:
                self._held = None  # the last release went to the dock, which had the mouse
                self._pressed = self._find_dock(watched, event.position().toPoint())
            case QEvent.Type.MouseMove if self._pressed is not None:
                return self._on_moved(watched, event, self._pressed)
            case QEvent.Type.MouseButtonRelease:
                held, self._pressed, self._held = self._held, None, None
                if held is not None:
                    _hand_over(held, event, QEvent.Type.MouseButtonRelease)
        return super().eventFilter(watched, event)

    def _on_moved(self, bar: QTabBar, event: QMouseEvent, dock: QDockWidget) -> bool:
        if not event.buttons() & Qt.MouseButton.LeftButton:
            self._pressed = self._held = None
            return False
        reach = _REACH * QApplication.startDragDistance()
        around = bar.rect().adjusted(-reach, -reach, reach, reach)
        if self._held is None and not around.contains(event.position().toPoint()):
            self._held = dock
            _take_by_title(dock)
        if self._held is not None:
            _hand_over(dock, event, QEvent.Type.MouseMove)
        return self._held is not None


def _take_by_title(dock: QDockWidget) -> None:
    """Press the title bar that the dock of a tab lacks."""
    empty = dock.titleBarWidget()
    if empty is not None:
        dock.setTitleBarWidget(None)  # type: ignore[arg-type]  # Qt takes a null here
        empty.deleteLater()
    layout = dock.layout()
    assert layout is not None, "a dock has one from the beginning"
    layout.activate()
    title = QPointF(dock.width() / 3, max(dock.widget().geometry().top() / 2, 1))
    left = Qt.MouseButton.LeftButton
    press = QMouseEvent(
        QEvent.Type.MouseButtonPress,
        title,
        QPointF(dock.mapToGlobal(title)),
        left,
        left,
        Qt.KeyboardModifier.NoModifier,
    )
    QCoreApplication.sendEvent(dock, press)


def _hand_over(dock: QDockWidget, event: QMouseEvent, kind: QEvent.Type) -> None:
    place = event.globalPosition()
    copy = QMouseEvent(
        kind,
        QPointF(dock.mapFromGlobal(place)),
        place,
        event.button(),
        event.buttons(),
        event.modifiers(),
    )
    QCoreApplication.sendEvent(dock, copy)
