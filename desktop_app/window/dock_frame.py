"""The docks in the window: where they stand, which is in front, and how they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QMainWindow,
    QTabWidget,
    QToolBar,
    QWidget,
)

from desktop_app.docks.dock import Dock
from desktop_app.translation import shown
from desktop_app.widgets.late_view import LateView
from desktop_app.window.dock_sizes import DockSizes
from desktop_app.workspace import Workspace
from trainer_core.settings.schema import TRAIN

_LEFT_WIDTH_PX = 460
_BOTTOM_HEIGHT_PX = 170
_LAYOUT_VERSION = 2  # raised when a saved layout would no longer fit


class DockFrame(QObject):
    """Builds the docks of a window and keeps their layout.

    A dock that is one of several tabs has no title bar, because its tab says the same.
    """

    def __init__(self, window: QMainWindow, docks: Sequence[Dock]) -> None:
        super().__init__(window)
        self._window = window
        self._docks = docks
        self.widgets: dict[str, QDockWidget] = {}
        self._titles_due = QTimer(self, singleShot=True, interval=0)
        self._titles_due.timeout.connect(self._show_titles)
        self._came_from: str | None = None  # the dock that had the focus before this one
        options = QMainWindow.DockOption
        window.setDockOptions(
            options.AllowNestedDocks | options.AllowTabbedDocks | options.AnimatedDocks
        )
        window.setDocumentMode(True)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        window.setCorner(Qt.Corner.TopLeftCorner, left)
        window.setCorner(Qt.Corner.BottomLeftCorner, left)
        window.setCorner(Qt.Corner.TopRightCorner, right)
        window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.BottomDockWidgetArea)

    def build(self, workspace: Workspace) -> None:
        """Build every dock and put it at its first place."""
        for dock in self._docks:
            widget = QDockWidget(shown(dock.title), self._window)
            widget.setObjectName(dock.name)
            content = _content(dock, workspace)
            content.setProperty("dockContent", True)
            content.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
            widget.setWidget(content)
            widget.installEventFilter(self)
            self.widgets[dock.name] = widget
        self._sizes = DockSizes(self._window, list(self.widgets.values()))
        self._place()
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]

    def reset(self) -> None:
        """Put every dock where it stands at the first start."""
        self._place()
        QTimer.singleShot(0, self, self._arrange)  # sizes can be given once the window is laid out

    def _place(self) -> None:
        firsts: dict[Qt.DockWidgetArea, QDockWidget] = {}
        # Docks that are not tabs yet stand below one another and would make the window taller.
        layout = self._window.layout()
        assert layout is not None, "a main window has one from the beginning"
        layout.setEnabled(False)
        for dock in self._docks:
            widget = self.widgets[dock.name]
            widget.setFloating(False)
            self._window.addDockWidget(dock.area, widget)
            widget.show()
            first = firsts.setdefault(dock.area, widget)
            if first is not widget:
                self._window.tabifyDockWidget(first, widget)
        layout.setEnabled(True)
        for dock in self._docks:
            self.widgets[dock.name].setVisible(dock.is_open)
        for widget in firsts.values():
            widget.raise_()

    def _arrange(self) -> None:
        places = {dock.area: self.widgets[dock.name] for dock in self._docks if dock.is_open}
        left = places[Qt.DockWidgetArea.LeftDockWidgetArea]
        right = places[Qt.DockWidgetArea.RightDockWidgetArea]
        bottom = places[Qt.DockWidgetArea.BottomDockWidgetArea]
        width, height = self._window.width(), self._window.height()
        rest = [_LEFT_WIDTH_PX, max(width - _LEFT_WIDTH_PX, 1)]
        self._window.resizeDocks([left, right], rest, Qt.Orientation.Horizontal)
        rest = [max(height - _BOTTOM_HEIGHT_PX, 1), _BOTTOM_HEIGHT_PX]
        self._window.resizeDocks([right, bottom], rest, Qt.Orientation.Vertical)
        for dock in self._docks:
            if dock.is_in_front:
                self.raise_dock(dock.name)

    def raise_dock(self, name: str) -> None:
        """Show a dock and bring it to the front."""
        widget = self.widgets[name]
        widget.show()
        widget.raise_()

    def toggle(self, name: str) -> None:
        """Close a dock that is in sight; show one that is closed or behind another."""
        if self._is_in_sight(name):
            self.widgets[name].close()
        else:
            self.focus_dock(name)

    def focus_or_close(self, name: str) -> None:
        """Close the dock that has the focus; show any other one and bring the focus into it."""
        if self._has_focus(name) and self._is_in_sight(name):
            self.widgets[name].close()
        else:
            self.focus_dock(name)

    def focus_dock(self, name: str) -> None:
        """Bring a dock to the front and the focus into it, where it was last."""
        if not self._has_focus(name):
            self._came_from = next(filter(self._has_focus, self.widgets), None)
        self.raise_dock(name)
        content = self.widgets[name].widget()
        field = content.focusWidget()
        if field is None or not field.isVisibleTo(content) or not field.isEnabled():
            field = _first_field(content)
        field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focus_next(self, direction: int) -> None:
        """Go from the dock that has the focus to the next open one, or the one before."""
        names = [name for name, widget in self.widgets.items() if not widget.isHidden()]
        has_focus = [self._has_focus(name) for name in names]
        if names:
            outside = -1 if direction > 0 else 0
            current = has_focus.index(True) if any(has_focus) else outside
            self.focus_dock(names[(current + direction) % len(names)])

    def raise_for(self, path: str) -> None:
        """Bring the dock to the front in which a setting is edited."""
        for dock in self._docks:
            if dock.shows(path):
                self.raise_dock(dock.name)

    def raise_settings(self) -> None:
        """Bring a dock to the front in which settings are edited, unless one is in sight."""
        names = [dock.name for dock in self._docks if any(map(dock.shows, TRAIN.params()))]
        if not any(map(self._is_in_sight, names)):
            self.raise_dock(names[0])

    def show_row(self, row: QToolBar, is_wanted: bool) -> None:
        """Show or hide a row across the window, at the cost of the docks in the middle."""
        if row.isHidden() is is_wanted:
            self._sizes.hold()
            row.setVisible(is_wanted)

    def state(self) -> QByteArray:
        """Return the layout, to be restored at the next start."""
        return self._window.saveState(_LAYOUT_VERSION)

    def restore(self, state: QByteArray) -> None:
        """Restore a layout; one of another version gives way to that of the first start."""
        if not self._window.restoreState(state, _LAYOUT_VERSION):
            self.reset()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Watch the docks: where they are moved decides about titles, closing about the focus."""
        if event.type() is QEvent.Type.Close and isinstance(watched, QDockWidget):
            self._give_focus_back(watched.objectName())
        if event.type() in (QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.ParentChange):
            self._titles_due.start()
        return super().eventFilter(watched, event)

    def _has_focus(self, name: str) -> bool:
        holder = QApplication.focusWidget()
        return holder is not None and self.widgets[name].isAncestorOf(holder)

    def _on_focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        """Follow Tab into a dock behind another; take the focus back where it came by chance.

        From what is hidden or disabled under it, Qt hands it to the next field of the window. From
        a menu it returns to where it was, which stays behind if it was put there.
        """
        if old is None or new is None or old.window() is not self._window:
            return
        at, before = self._dock_around(new), self._dock_around(old)
        if at is None or at == before:
            return
        if not (old.isVisible() and old.isEnabled()):
            self._window.setFocus()
        elif before is not None and not self._is_in_sight(at):
            self.raise_dock(at)

    def _dock_around(self, field: QWidget) -> str | None:
        docks = self.widgets.items()
        return next((name for name, dock in docks if dock.isAncestorOf(field)), None)

    def _give_focus_back(self, name: str) -> None:
        """Take the focus out of a dock that closes; Qt would leave it to any field that comes."""
        before = self._came_from
        if not self._has_focus(name):
            return
        if before is not None and before != name and self._is_in_sight(before):
            self.focus_dock(before)
        else:
            self._window.setFocus()

    def _is_in_sight(self, name: str) -> bool:
        widget = self.widgets[name]
        return widget.isVisible() and not widget.visibleRegion().isEmpty()

    def _show_titles(self) -> None:
        for widget in self.widgets.values():
            is_tab = bool(self._window.tabifiedDockWidgets(widget)) and not widget.isFloating()
            has_none = widget.titleBarWidget() is not None
            if is_tab and not has_none:
                widget.setTitleBarWidget(QWidget(widget))
            elif has_none and not is_tab:
                empty = widget.titleBarWidget()
                widget.setTitleBarWidget(None)  # type: ignore[arg-type]  # Qt takes a null here
                empty.deleteLater()


def _first_field(content: QWidget) -> QWidget:
    """Return the widget of a dock that Tab would reach first, the dock's own if there is none."""
    field: QWidget | None = content
    while field is not None and (field is content or content.isAncestorOf(field)):
        takes_focus = bool(field.focusPolicy() & Qt.FocusPolicy.TabFocus)
        if takes_focus and field.isEnabled() and field.isVisibleTo(content):
            return field
        field = field.nextInFocusChain()
    return content


def _content(dock: Dock, workspace: Workspace) -> QWidget:
    if dock.is_built_late:
        return LateView(partial(dock.build, workspace))
    return dock.build(workspace)
