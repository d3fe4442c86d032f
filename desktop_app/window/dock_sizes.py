"""The docks at the edges of a window keep their sizes; those in the middle take what is left."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QObject, QRect, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QStatusBar, QTabBar

_LEFT, _RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
_BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea
_ACROSS = Qt.Orientation.Horizontal
UNLIMITED_PX = 16_777_215  # Qt's largest height of a widget


class DockSizes(QObject):
    """Remembers how wide the docks on the left are, and how high those at the bottom.

    Left alone, Qt gives most of what a window grows by, and of what a row across it leaves, to the
    leftmost and the lowest docks. The middle of this window is the area on the right. The height
    of docks that are folded into a line is remembered from before.
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

    def remember(self) -> None:
        """Remember the sizes as they are at this moment."""
        self._is_held = False
        self._settle()

    def give_back(self) -> None:
        """Give the edges the sizes that are remembered, after a change that took them."""
        self._restore()

    def forget(self) -> None:
        """Give nothing back: other sizes are given next."""
        self._is_held = False
        self._widths, self._heights = {}, {}
        self._due.start()

    def is_in_front(self, dock: QDockWidget) -> bool:
        """Tell whether a dock is in sight in the window itself."""
        is_inside = dock.window() is self._window
        return is_inside and dock.isVisible() and not dock.visibleRegion().isEmpty()

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
        visible = self._visible_docks()
        self._widths = {dock: dock.width() for dock in visible if self._area(dock) == _LEFT}
        for dock in visible:
            if self._area(dock) == _BOTTOM and not _is_folded(dock):
                for each in (dock, *self._window.tabifiedDockWidgets(dock)):
                    self._heights[each] = dock.height()
            elif _is_folded(dock) and self._room(dock) > _folded_height(dock):
                self._restore_height(dock, [d for d in visible if self._area(d) != _BOTTOM])

    def _restore(self) -> None:
        visible = self._visible_docks()
        middle = [dock for dock in visible if self._area(dock) == _RIGHT]
        if not middle:
            return
        for dock in filter(self._widths.__contains__, visible):
            width = self._widths[dock]
            change = dock.width() - width
            if change:  # Qt may move by a pixel what has its width already
                widths = [width, *_shared(change, [other.geometry() for other in middle], _ACROSS)]
                self._window.resizeDocks([dock, *middle], widths, _ACROSS)
        for dock in visible:
            if self._area(dock) == _BOTTOM and (dock in self._heights or _is_folded(dock)):
                self._restore_height(dock, [d for d in visible if self._area(d) != _BOTTOM])

    def _restore_height(self, dock: QDockWidget, above: list[QDockWidget]) -> None:
        height = _folded_height(dock) if _is_folded(dock) else self._heights[dock]
        change = self._room(dock) - height
        heights = []
        for area in (_LEFT, _RIGHT):
            places = [self._with_tabs(other) for other in above if self._area(other) == area]
            heights += _shared(change, places, Qt.Orientation.Vertical)
        heights.append(height + self._tabs_height(dock))
        above = [other for area in (_LEFT, _RIGHT) for other in above if self._area(other) == area]
        self._window.resizeDocks([*above, dock], heights, Qt.Orientation.Vertical)

    def _room(self, dock: QDockWidget) -> int:
        """Return the height that a dock has; one that is folded does not fill its place."""
        if self._area(dock) != _BOTTOM or not _is_folded(dock):
            return dock.height()
        place = dock.geometry()
        below = [bar.geometry().top() for bar in self._window.findChildren(QStatusBar)]
        bottom = min((top for top in below if top > place.top()), default=place.bottom() + 1)
        return bottom - place.top()

    def _visible_docks(self) -> list[QDockWidget]:
        return [dock for dock in self._docks if self.is_in_front(dock)]

    def _with_tabs(self, dock: QDockWidget) -> QRect:
        return dock.geometry().adjusted(0, 0, 0, self._tabs_height(dock))

    def _area(self, dock: QDockWidget) -> Qt.DockWidgetArea:
        return self._window.dockWidgetArea(dock)

    def _tabs_height(self, dock: QDockWidget) -> int:
        """Return what a dock's tabs add to its height."""
        if not self._window.tabifiedDockWidgets(dock):
            return 0
        bars = [bar for bar in self._window.findChildren(QTabBar) if bar.isVisible()]
        return max((bar.height() for bar in bars), default=0)


def _is_folded(dock: QDockWidget) -> bool:
    return dock.widget() is not None and dock.widget().maximumHeight() < UNLIMITED_PX


def _folded_height(dock: QDockWidget) -> int:
    """Return the height of a dock that is folded, with its title bar."""
    layout = dock.layout()
    assert layout is not None, "a dock has one from the beginning"
    return layout.maximumSize().height()


def _shared(change: int, places: list[QRect], direction: Qt.Orientation) -> list[int]:
    """Return the lengths of docks of an area that grows by ``change``, each by its share.

    Docks beside one another share what there is, docks across from one another get it all.
    """
    is_across = direction == _ACROSS
    whole = QRect()
    for place in places:
        whole = whole.united(place)
    total = max(whole.width() if is_across else whole.height(), 1)
    start = whole.left() if is_across else whole.top()
    lengths = []
    for place in places:
        length = place.width() if is_across else place.height()
        before = (place.left() if is_across else place.top()) - start
        # By their edges: shares that are rounded each would lose a pixel to the leftmost dock.
        grown = change * (before + length) // total - change * before // total
        lengths.append(length + grown)
    return lengths
