"""The focus among the docks: which one has it, where it goes next, and where back to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QWidget

RaiseDock = Callable[[str], None]


class DockFocus(QObject):
    """Takes the focus from dock to dock and keeps it out of those that close."""

    def __init__(
        self, window: QMainWindow, docks: Mapping[str, QDockWidget], raise_dock: RaiseDock
    ) -> None:
        super().__init__(window)
        self._window = window
        self._docks = docks
        self._raise = raise_dock
        self._came_from: str | None = None  # the dock that had the focus before this one
        self._last = ""  # the dock that had it, now or last
        for dock in docks.values():
            dock.installEventFilter(self)
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]

    @property
    def holder(self) -> str:
        """The dock that has the focus; empty without one."""
        return next(filter(self._has, self._docks), "")

    @property
    def last(self) -> str:
        """The dock that has the focus, or had it last, as in a menu; empty if it is not open."""
        name = self._last
        return name if name and self.is_in_sight(name) else ""

    def is_in_sight(self, name: str) -> bool:
        """Tell whether a dock is open and not behind another."""
        dock = self._docks[name]
        return dock.isVisible() and not dock.visibleRegion().isEmpty()

    def go_or_close(self, name: str) -> None:
        """Close the dock that has the focus; show any other one and bring the focus into it."""
        if self._has(name) and self.is_in_sight(name):
            self._docks[name].close()
        else:
            self.go_to(name)

    def go_to(self, name: str) -> None:
        """Bring a dock to the front and the focus into it, where it was last."""
        if not self._has(name):
            self._came_from = self.holder or None
        self._raise(name)
        dock = self._docks[name]
        if dock.window() is not self._window:
            dock.activateWindow()  # it floats
        content = dock.widget()
        field = content.focusWidget()
        if field is None or not field.isVisibleTo(content) or not field.isEnabled():
            field = _first_field(content)
        field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def go_on(self, direction: int) -> None:
        """Go from the dock that has the focus to the next open one, or the one before."""
        names = [name for name, dock in self._docks.items() if not dock.isHidden()]
        has_focus = [self._has(name) for name in names]
        if names:
            outside = -1 if direction > 0 else 0
            current = has_focus.index(True) if any(has_focus) else outside
            self.go_to(names[(current + direction) % len(names)])

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Give the focus back to who has it, after docks were taken apart and put together."""
        holder = QApplication.focusWidget()
        yield
        if holder is not None and holder.isVisible():
            holder.setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Take the focus out of a dock that closes."""
        if event.type() is QEvent.Type.Close and isinstance(watched, QDockWidget):
            self._give_back(watched.objectName())
        return super().eventFilter(watched, event)

    def _has(self, name: str) -> bool:
        holder = QApplication.focusWidget()
        return holder is not None and self._docks[name].isAncestorOf(holder)

    def _on_focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        """Follow Tab into a dock behind another; take the focus back where it came by chance.

        From what is hidden or disabled under it, Qt hands it to the next field of the window. From
        a menu it returns to where it was, which stays behind if it was put there.
        """
        self._last = self.holder or self._last
        if old is None or new is None or old.window() is not self._window:
            return
        at, before = self._dock_around(new), self._dock_around(old)
        if at is None or at == before:
            return
        if not (old.isVisible() and old.isEnabled()):
            self._window.setFocus()
        elif before is not None and not self.is_in_sight(at):
            self._raise(at)

    def _dock_around(self, field: QWidget) -> str | None:
        docks = self._docks.items()
        return next((name for name, dock in docks if dock.isAncestorOf(field)), None)

    def _give_back(self, name: str) -> None:
        """Take the focus out of a dock that closes; Qt would leave it to any field that comes."""
        before = self._came_from
        if not self._has(name):
            return
        if before is not None and before != name and self.is_in_sight(before):
            self.go_to(before)
        else:
            self._window.setFocus()


def _first_field(content: QWidget) -> QWidget:
    """Return the widget of a dock that Tab would reach first, the dock's own if there is none."""
    field: QWidget | None = content
    while field is not None and (field is content or content.isAncestorOf(field)):
        takes_focus = bool(field.focusPolicy() & Qt.FocusPolicy.TabFocus)
        if takes_focus and field.isEnabled() and field.isVisibleTo(content):
            return field
        field = field.nextInFocusChain()
    return content
