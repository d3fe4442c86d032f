"""The title bars of docks: one that is a tab has none, because its tab says the same."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

_DRAG_MS = 50


class DockTitles(QObject):
    """Gives and takes title bars as docks come to share a place, and part again."""

    moved = Signal()  # docks were opened, closed or put elsewhere, some time ago

    def __init__(self, window: QMainWindow, docks: Collection[QDockWidget]) -> None:
        super().__init__(window)
        self._window = window
        self._docks = docks
        self._due = QTimer(self, singleShot=True, interval=0)
        self._due.timeout.connect(self._show)
        for dock in docks:
            dock.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Look again when a dock comes, goes or moves."""
        if event.type() in (QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.ParentChange):
            self._due.start(0)
        return super().eventFilter(watched, event)

    def _show(self) -> None:
        if isinstance(QWidget.mouseGrabber(), QDockWidget):
            self._due.start(_DRAG_MS)  # a new title bar would tear the dock from the hand
            return
        for dock in self._docks:
            is_tab = bool(self._window.tabifiedDockWidgets(dock)) and not dock.isFloating()
            has_none = dock.titleBarWidget() is not None
            if is_tab and not has_none:
                dock.setTitleBarWidget(QWidget(dock))
            elif has_none and not is_tab:
                empty = dock.titleBarWidget()
                dock.setTitleBarWidget(None)  # type: ignore[arg-type]  # Qt takes a null here
                empty.deleteLater()
        self.moved.emit()
