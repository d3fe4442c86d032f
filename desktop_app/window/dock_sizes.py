"""The docks at the edges of a window keep their sizes; those in the middle take what is left."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar

_LEFT, _RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
_BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea


class DockSizes(QObject):
    """Remembers how wide the docks on the left are, and how high those at the bottom.

    Left alone, Qt gives most of what a window grows by, and of what a row across it leaves, to the
    leftmost and the lowest docks. The middle of this window is the area on the right.
    """

    def __init__(self, window: QMainWindow, docks: Collection[QDockWidget]) -> None:
        super().__init__(window)
        self._window = window
        self._docks = docks
        self._widths: dict[QDockWidget, int] = {}
        self._heights: dict[QDockWidget, int] = {}
        self._is_held = False
        self._due = QTimer(self, singleShot=True, interval=0)
        self._due.timeout.connect(self._settle)
        window.installEventFilter(self)
        for dock in docks:
            dock.installEventFilter(self)

    def hold(self) -> None:
        """Keep the sizes through a change of the layout that comes now."""
        self._is_held = True
        self._due.start()  # a row takes its height when its words are laid out

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Give the edges their sizes back after the window's change; remember any other one."""
        if event.type() is QEvent.Type.Resize:
            if watched is self._window:
                self._restore()
            else:
                self._due.start()
        return super().eventFilter(watched, event)

    def _settle(self) -> None:
        if self._is_held:
            self._restore()
        self._is_held = False
        self._widths = {
            dock: dock.width() for dock in self._visible_docks() if self._area(dock) == _LEFT
        }
        self._heights = {
            dock: dock.height() for dock in self._visible_docks() if self._area(dock) == _BOTTOM
        }

    def _restore(self) -> None:
        visible = self._visible_docks()
        middle = [dock for dock in visible if self._area(dock) == _RIGHT]
        if not middle:
            return
        for dock in filter(self._widths.__contains__, visible):
            width = self._widths[dock]
            widths = [width, *(other.width() + dock.width() - width for other in middle)]
            self._window.resizeDocks([dock, *middle], widths, Qt.Orientation.Horizontal)
        above = [dock for dock in visible if self._area(dock) != _BOTTOM]
        for dock in filter(self._heights.__contains__, visible):
            height = self._heights[dock]
            change = dock.height() - height
            heights = [other.height() + self._tabs_height(other) + change for other in above]
            heights.append(height + self._tabs_height(dock))
            self._window.resizeDocks([*above, dock], heights, Qt.Orientation.Vertical)

    def _visible_docks(self) -> list[QDockWidget]:
        return [
            dock
            for dock in self._docks
            if not dock.isFloating() and dock.isVisible() and not dock.visibleRegion().isEmpty()
        ]

    def _area(self, dock: QDockWidget) -> Qt.DockWidgetArea:
        return self._window.dockWidgetArea(dock)

    def _tabs_height(self, dock: QDockWidget) -> int:
        """Return what a dock's tabs add to its height."""
        if not self._window.tabifiedDockWidgets(dock):
            return 0
        bars = [bar for bar in self._window.findChildren(QTabBar) if bar.isVisible()]
        return max((bar.height() for bar in bars), default=0)
