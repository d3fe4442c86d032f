"""Docks that float stand beside the window and beside one another, never over them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDockWidget, QMainWindow, QStyle

from desktop_app.window.docking.free_place import free_place, room_beside

_LEAST = QSize(360, 280)  # of a floating dock that still shows something


class FloatingPlaces:
    """Finds room for docks that float; a window that fills the screen makes some.

    It takes its old place again when no dock floats any more.
    """

    def __init__(self, window: QMainWindow, docks: Collection[QDockWidget]) -> None:
        self._window = window
        self._docks = docks
        self._before: tuple[QRect, bool] | None = None  # its place, and whether it was maximized
        self._given = QRect()  # the place that it took instead

    def place(self, dock: QDockWidget, size: QSize) -> None:
        """Put a floating dock where it covers nothing; leave it where there is no such place.

        Args:
            dock: The dock, which floats already.
            size: What it had in the window.
        """
        title = self._window.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight)
        least = dock.minimumSizeHint().expandedTo(_LEAST)
        frame = QSize(0, title)
        found = self._find(dock, size + frame, least + frame)
        half = QSize(size.width(), min(size.height() + title, self._screen().height() // 2))
        narrower = iter(self._narrower(least.width()))
        while found is None and (room := next(narrower, None)) is not None:
            self._make_room(room)
            found = self._find(dock, half, least + frame)
        if found is not None:
            dock.setGeometry(found.adjusted(0, title, 0, 0))

    def give_back(self) -> None:
        """Give the window its place back once nothing floats, unless it was moved since."""
        if self._before is None or any(dock.isFloating() for dock in self._docks):
            return
        (before, was_maximized), self._before = self._before, None
        if self._window.geometry() != self._given:
            return
        self._window.setGeometry(before)
        if was_maximized:
            self._window.showMaximized()

    def _find(self, dock: QDockWidget, size: QSize, least: QSize) -> QRect | None:
        own = self._window.screen()
        screens = [own, *(each for each in QGuiApplication.screens() if each is not own)]
        taken = [self._window.frameGeometry()]
        for other in self._docks:
            if other is not dock and other.isVisible() and other.isFloating():
                taken.append(other.frameGeometry())
        return free_place(size, least, taken, [each.availableGeometry() for each in screens])

    def _screen(self) -> QRect:
        return self._window.screen().availableGeometry()

    def _narrower(self, needed: int) -> Iterator[QRect]:
        """Return ever narrower frames of the window, from that which leaves just enough room."""
        window, screen = self._window, self._screen()
        frame = window.frameGeometry()
        least = window.minimumSizeHint().width() + frame.width() - window.width()
        most = screen.width() - least
        parts = (min(screen.width() * part // 6, most) for part in (2, 3, 4))
        for room in sorted({max(needed, part) for part in parts}):
            narrower = room_beside(frame, screen, least, room)
            if narrower is not None:
                yield narrower

    def _make_room(self, narrower: QRect) -> None:
        window = self._window
        frame = window.frameGeometry().size() - window.size()
        offset = window.geometry().topLeft() - window.frameGeometry().topLeft()
        was_maximized = window.isMaximized()
        if self._before is None:
            normal = window.normalGeometry() if was_maximized else window.geometry()
            self._before = normal, was_maximized
        if was_maximized or window.isFullScreen():
            window.showNormal()
        window.setGeometry(QRect(narrower.topLeft() + offset, narrower.size() - frame))
        self._given = window.geometry()
