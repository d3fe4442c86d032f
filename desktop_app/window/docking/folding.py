"""A dock with nothing in it takes one line at the bottom of the window, and no more."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from PySide6.QtCore import QObject, Qt, SignalInstance
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from desktop_app.theme import tokens
from desktop_app.window.dock_sizes import UNLIMITED_PX, DockSizes
from desktop_app.window.docking.placing import tabs_beside

_BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea


class Emptiable(Protocol):
    """What the view of a dock that folds offers."""

    empty_changed: SignalInstance

    @property
    def is_empty(self) -> bool:
        """True while there is nothing but a line of words."""
        ...


class DockFolding(QObject):
    """Limits the height of a view while it is empty and in front of a row of its own.

    Anywhere else, or beside other docks, it would take their room from them too.
    """

    def __init__(
        self,
        window: QMainWindow,
        dock: QDockWidget,
        view: Emptiable,
        docks: Collection[QDockWidget],
        sizes: DockSizes,
    ) -> None:
        super().__init__(dock)
        self._window = window
        self._dock = dock
        self._view = view
        self._docks = docks
        self._sizes = sizes
        self._squeezed: list[QDockWidget] = []
        view.empty_changed.connect(self.refresh)
        dock.visibilityChanged.connect(self.refresh)

    def refresh(self) -> None:
        """Fold or unfold, whichever is right now."""
        content = self._dock.widget()
        is_folded = self._is_foldable()
        height = _line_height(content) if is_folded else UNLIMITED_PX
        tabs = tabs_beside(self._window, self._dock) if is_folded else []
        if content.maximumHeight() == height and tabs == self._squeezed:
            return
        self._sizes.hold()
        content.setMaximumHeight(height)
        # The tabs behind have the same place: they must not ask for more.
        for tab in self._squeezed:
            tab.widget().setMinimumHeight(0)
        for tab in tabs:
            tab.widget().setMinimumHeight(1)
        self._squeezed = tabs

    def _is_foldable(self) -> bool:
        dock, window = self._dock, self._window
        if not self._view.is_empty or not self._sizes.is_in_front(dock):
            return False
        if window.dockWidgetArea(dock) != _BOTTOM:
            return False
        own = [dock, *tabs_beside(window, dock)]
        return not any(
            other not in own and self._sizes.is_in_front(other)
            for other in self._docks
            if window.dockWidgetArea(other) == _BOTTOM
        )


def _line_height(content: QWidget) -> int:
    return content.fontMetrics().height() + 2 * tokens.current().gap_s
