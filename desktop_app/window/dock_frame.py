"""The docks in the window: where they stand, which is in front, and how they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import cast

from PySide6.QtCore import QByteArray, QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QTabWidget,
    QToolBar,
    QWidget,
)

from desktop_app.docks.arrangements import WIDE_PX, Arrangement, first_arrangement
from desktop_app.docks.dock import Dock
from desktop_app.translation import shown
from desktop_app.widgets.squeezed import Squeezed
from desktop_app.window.dock_sizes import DockSizes
from desktop_app.window.docking.floating import FloatingPlaces
from desktop_app.window.docking.focus import DockFocus
from desktop_app.window.docking.folding import DockFolding, Emptiable
from desktop_app.window.docking.late_docks import LateDocks, as_dock_content, placeholder
from desktop_app.window.docking.menu import DockHandles, DockMoves
from desktop_app.window.docking.placing import (
    apply_sizes,
    give_sizes,
    place,
    share_middle,
    split,
    tabs_beside,
)
from desktop_app.window.docking.sized_state import in_room_of, sized_state
from desktop_app.window.docking.titles import DockTitles
from desktop_app.workspace import Workspace
from trainer_core.settings.schema import TRAIN

_LAYOUT_VERSION = 3  # raised when a saved layout would no longer fit
_LEAST_HEIGHT_PX = 180  # that a view may ask for: messages across a low window squeeze it


class DockFrame(QObject):
    """Builds the docks of a window and keeps their layout."""

    def __init__(self, window: QMainWindow, docks: Sequence[Dock]) -> None:
        super().__init__(window)
        self._window = window
        self._docks = docks
        self.widgets: dict[str, QDockWidget] = {}
        self._homes = {dock.name: dock.area for dock in docks}
        self._is_wide = False
        self._size_before: QSize | None = None  # of the place of a dock that is about to float
        self._floated: list[tuple[QDockWidget, bool]] | None = None  # while a layout is restored
        self._width_due = QTimer(self, singleShot=True, interval=0)
        self._width_due.timeout.connect(self._follow_width)
        options = QMainWindow.DockOption
        # Not animated: where docks are is asked for at once.
        window.setDockOptions(options.AllowNestedDocks | options.AllowTabbedDocks)
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
            widget.topLevelChanged.connect(partial(self._on_floated, widget))
            self.widgets[dock.name] = widget
            if dock.built == "first":
                widget.setWidget(_content(dock, workspace))
            else:
                widget.setWidget(placeholder())
        self.late = self._late_docks(workspace)
        widgets = list(self.widgets.values())
        self._sizes = DockSizes(self._window, widgets)
        self._titles = DockTitles(self._window, widgets)
        self._places = FloatingPlaces(self._window, widgets)
        self.focus = DockFocus(self._window, self.widgets, self.raise_dock)
        self.moves = DockMoves(
            float_or_return=self.float_or_return,
            split=self.split,
            close=lambda name: self.widgets[name].close(),
            can_split=self.can_split,
            is_floating=self.is_floating,
        )
        self._handles = DockHandles(self._window, self.widgets, self.moves)
        self._titles.moved.connect(self._handles.watch_tabs)
        self._fold_some(widgets)
        self._window.installEventFilter(self)
        self._is_wide = self._window.width() >= WIDE_PX
        self._place(self._first())

    def _late_docks(self, workspace: Workspace) -> LateDocks:
        soon, seen = (
            {
                dock.name: partial(_content, dock, workspace)
                for dock in self._docks
                if dock.built == at
            }
            for at in ("soon", "seen")
        )
        return LateDocks(self._window, self.widgets, soon, seen)

    # ---------------------------------------------------------------- where they stand

    def reset(self) -> None:
        """Put every dock where it stands at the first start."""
        self.arrange(self._first())

    def arrange(self, wanted: Arrangement) -> None:
        """Open, close and place the docks as an arrangement says."""
        self._place(wanted)
        QTimer.singleShot(0, self, partial(self._give_sizes, wanted))  # once it is laid out

    def state(self) -> QByteArray:
        """Return the layout, to be restored at the next start."""
        return sized_state(self._window, _LAYOUT_VERSION)

    def restore(self, state: QByteArray) -> bool:
        """Restore a layout; one of another version gives way to that of the first start.

        Returns:
            Whether the layout was restored.
        """
        rows = {row: row.isHidden() for row in self._rows()}
        self._floated = []
        with self.late.held():
            with in_room_of(self._window, state) as docks:
                is_known = self._window.restoreState(docks, _LAYOUT_VERSION)
                self._sizes.remember()
            self._sizes.give_back()
        floated, self._floated = self._floated, None
        for dock, is_floating in floated:  # which may change the window's size
            self._on_floated(dock, is_floating)
        for row, was_hidden in rows.items():
            row.setHidden(was_hidden)  # a layout says which were shown, messages are not kept
        if not is_known:
            self.reset()
        return is_known

    def float_or_return(self, name: str) -> None:
        """Take a dock out of the window, to where it covers nothing, or put it back."""
        self.late.fill(name)
        dock = self.widgets[name]
        if not self.is_floating(name):
            tabs = (dock, *tabs_beside(self._window, dock))
            front = next(filter(self._sizes.is_in_front, tabs), dock)
            self._size_before = front.size()  # that of a dock behind it may be an old one
            dock.setFloating(True)
        else:
            dock.setFloating(False)
        dock.show()
        dock.raise_()

    def split(self, name: str, direction: Qt.Orientation) -> None:
        """Give one of several tabs a half of their place: the right one, or the lower one."""
        if self.can_split(name):
            with self.focus.kept(), self.late.held():
                sizes = split(self._window, self.widgets, self.widgets[name], direction)
            apply_sizes(self._window, sizes)
            # Again once it is laid out: what was just added may have got no room.
            QTimer.singleShot(0, self, partial(apply_sizes, self._window, sizes))

    def can_split(self, name: str) -> bool:
        """Tell whether a dock is a tab among others in the window."""
        return not self.is_floating(name) and bool(tabs_beside(self._window, self.widgets[name]))

    def is_floating(self, name: str) -> bool:
        """Tell whether a dock has a window of its own."""
        return self.widgets[name].isFloating()

    def show_row(self, row: QToolBar, is_wanted: bool) -> None:
        """Show or hide a row across the window, at the cost of the docks in the middle."""
        if row.isHidden() is is_wanted:
            self._sizes.hold()
            row.setVisible(is_wanted)

    # ---------------------------------------------------------------- which is in front

    def raise_dock(self, name: str) -> None:
        """Show a dock and bring it to the front."""
        self.late.fill(name)
        widget = self.widgets[name]
        widget.show()
        widget.raise_()

    def bring_forward(self, name: str) -> None:
        """Bring a dock to the front of its place if it is open."""
        if not self.widgets[name].isHidden():
            self.widgets[name].raise_()

    def toggle(self, name: str) -> None:
        """Close a dock that is in sight; show one that is closed or behind another."""
        if self.focus.is_in_sight(name):
            self.widgets[name].close()
        else:
            self.focus.go_to(name)

    def raise_for(self, path: str) -> None:
        """Bring the dock to the front in which a setting is edited."""
        for dock in self._docks:
            if dock.shows(path):
                self.raise_dock(dock.name)

    def raise_settings(self) -> None:
        """Bring a dock to the front in which settings are edited, unless one is in sight."""
        names = [dock.name for dock in self._docks if any(map(dock.shows, TRAIN.params()))]
        if not any(map(self.focus.is_in_sight, names)):
            self.raise_dock(names[0])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Watch the width of the window."""
        if event.type() is QEvent.Type.Resize and watched is self._window:
            self._width_due.start()
        return super().eventFilter(watched, event)

    # ---------------------------------------------------------------- what happens by itself

    def _first(self) -> Arrangement:
        return first_arrangement(self._docks, self._window.width())

    def _place(self, wanted: Arrangement) -> None:
        for groups in wanted.areas.values():
            for front, *_ in groups:
                self.late.fill(front)
        with self.focus.kept(), self.late.held():
            place(self._window, self.widgets, self._homes, wanted)

    def _give_sizes(self, wanted: Arrangement) -> None:
        self._sizes.forget()
        give_sizes(self._window, self.widgets, wanted, self._window.width())

    def _share_middle(self, wanted: Arrangement) -> None:
        self._sizes.give_back()
        share_middle(self._window, self.widgets, wanted)

    def _follow_width(self) -> None:
        """Use the width that a window came to have, unless somebody arranged the docks.

        The edges keep the sizes that they have, which somebody may have chosen.
        """
        is_wide = self._window.width() >= WIDE_PX
        if is_wide == self._is_wide:
            return
        self._is_wide = is_wide
        before = first_arrangement(self._docks, 0 if is_wide else WIDE_PX)
        if self._stands_as(before):
            in_sight = [name for name in self.widgets if self.focus.is_in_sight(name)]
            wanted = self._first()
            self._sizes.hold()
            self._place(wanted)
            for name in in_sight:
                self.bring_forward(name)
            QTimer.singleShot(0, self, partial(self._share_middle, wanted))  # once it is laid out

    def _stands_as(self, wanted: Arrangement) -> bool:
        groups = {
            name: (area, set(group))
            for area, groups in wanted.areas.items()
            for group in groups
            for name in group
        }
        for name, dock in self.widgets.items():
            if dock.isHidden() != (name not in groups) or self.is_floating(name):
                return False
            if name in groups:
                tabs = {each.objectName() for each in (dock, *tabs_beside(self._window, dock))}
                if groups[name] != (self._window.dockWidgetArea(dock), tabs):
                    return False
        return True

    def _on_floated(self, dock: QDockWidget, is_floating: bool) -> None:
        if self._floated is not None:
            self._floated.append((dock, is_floating))
        elif not is_floating:
            self._places.give_back()
        elif QGuiApplication.mouseButtons() == Qt.MouseButton.NoButton:  # no hand holds it
            self._places.place(dock, self._size_before or dock.size())
        self._size_before = None

    def _fold_some(self, widgets: Sequence[QDockWidget]) -> None:
        for dock in self._docks:
            if dock.folds:
                widget = self.widgets[dock.name]
                view = cast("Emptiable", widget.widget())
                folding = DockFolding(self._window, widget, view, widgets, self._sizes)
                self._titles.moved.connect(folding.refresh)

    def _rows(self) -> Iterable[QToolBar]:
        return self._window.findChildren(
            QToolBar, options=Qt.FindChildOption.FindDirectChildrenOnly
        )


def _content(dock: Dock, workspace: Workspace) -> QWidget:
    """Return the view of a dock; it scrolls where it is squeezed, if it needs much height."""
    content = dock.build(workspace)
    as_dock_content(content)
    if content.minimumSizeHint().height() <= _LEAST_HEIGHT_PX:
        return content
    return Squeezed(content)
