"""The menu of a dock, at its tab or title bar, and the keys and clicks that belong to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QMouseEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QTabBar, QWidget

from desktop_app.translation import shown
from desktop_app.window.docking.tearing import TabTearing
from trainer_core.texts import T


@dataclass(frozen=True, slots=True)
class DockMoves:
    """What can be done with a dock, each by its name."""

    float_or_return: Callable[[str], None]
    split: Callable[[str, Qt.Orientation], None]
    close: Callable[[str], object]
    can_split: Callable[[str], bool]
    is_floating: Callable[[str], bool]


class DockMenu(QMenu):
    """Float, Split right, Split below and Close, for one dock at a time."""

    def __init__(self, moves: DockMoves, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._moves = moves
        self._name = ""
        self.float_action = self.addAction("")
        self.split_right = self.addAction(shown(T("App", "Split &right")))
        self.split_below = self.addAction(shown(T("App", "Split &below")))
        self.addSeparator()
        self.close_action = self.addAction(shown(T("App", "&Close panel")))
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        self.float_action.triggered.connect(lambda: moves.float_or_return(self._name))
        self.split_right.triggered.connect(lambda: moves.split(self._name, across))
        self.split_below.triggered.connect(lambda: moves.split(self._name, down))
        self.close_action.triggered.connect(lambda: moves.close(self._name))

    def turn_to(self, name: str) -> None:
        """Be the menu of this dock from now on; of none for an empty name."""
        self._name = name
        is_floating = bool(name) and self._moves.is_floating(name)
        words = T("App", "&Put back into the window") if is_floating else T("App", "&Float")
        self.float_action.setText(shown(words))
        can_split = bool(name) and self._moves.can_split(name)
        for action, is_possible in (
            (self.float_action, bool(name)),
            (self.split_right, can_split),
            (self.split_below, can_split),
            (self.close_action, bool(name)),
        ):
            action.setEnabled(is_possible)

    def open_for(self, name: str, place: QPoint) -> None:
        """Open as the menu of a dock at a place of the screen."""
        self.turn_to(name)
        self.popup(place)


class DockHandles(QObject):
    """Watches tabs and title bars: a right click opens the menu, a double click floats the dock."""

    def __init__(
        self, window: QMainWindow, docks: Mapping[str, QDockWidget], moves: DockMoves
    ) -> None:
        super().__init__(window)
        self._window = window
        self._docks = docks
        self._moves = moves
        self.menu = DockMenu(moves, window)
        self._tearing = TabTearing(self._dock_of_place, self)
        for dock in docks.values():
            dock.installEventFilter(self)

    def watch_tabs(self) -> None:
        """Watch the tab bars that Qt has made since the last time."""
        for bar in self.bars():
            for watcher in (self, self._tearing):
                bar.removeEventFilter(watcher)
                bar.installEventFilter(watcher)

    def bars(self) -> list[QTabBar]:
        """Return the tab bars of docks."""
        bars = self._window.findChildren(QTabBar)
        return [bar for bar in bars if not any(d.isAncestorOf(bar) for d in self._docks.values())]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Answer clicks on tabs and title bars."""
        if isinstance(event, QContextMenuEvent):
            name = self._dock_at(watched, event.pos(), event.reason())
            if name:
                self.menu.open_for(name, event.globalPos())
                return True
        elif event.type() is QEvent.Type.MouseButtonDblClick and isinstance(event, QMouseEvent):
            name = self._dock_at(watched, event.position().toPoint())
            if name and event.button() is Qt.MouseButton.LeftButton:
                self._moves.float_or_return(name)
                return True
        return super().eventFilter(watched, event)

    def _dock_at(
        self,
        watched: QObject,
        place: QPoint,
        reason: QContextMenuEvent.Reason = QContextMenuEvent.Reason.Mouse,
    ) -> str:
        """Return the name of the dock whose tab or title bar is at a place; empty without one."""
        if isinstance(watched, QTabBar):
            by_key = reason is QContextMenuEvent.Reason.Keyboard
            tab = watched.currentIndex() if by_key else watched.tabAt(place)
            return self._dock_of_tab(watched, tab)
        if isinstance(watched, QDockWidget):
            content = watched.widget()
            is_title = content is not None and place.y() < content.geometry().top()
            return watched.objectName() if is_title else ""
        return ""

    def _dock_of_place(self, bar: QTabBar, place: QPoint) -> QDockWidget | None:
        return self._docks.get(self._dock_of_tab(bar, bar.tabAt(place)))

    def _dock_of_tab(self, bar: QTabBar, tab: int) -> str:
        address = bar.tabData(tab)  # Qt keeps the address of the dock there
        for name, dock in self._docks.items():
            if shiboken6.getCppPointer(dock)[0] == address:
                return name
        return ""
