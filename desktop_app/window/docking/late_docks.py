"""Docks whose views are built after the first look at the window, which does not show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QWidget

Build = Callable[[], QWidget]

_LATEST_MS = 2000  # a window that begins as an icon is not painted
_NARROW_CHARACTERS = 150  # 1,000 pixels or so
_BY_PEOPLE = {
    QEvent.Type.MouseButtonPress,
    QEvent.Type.ShortcutOverride,
    QEvent.Type.KeyPress,
    QEvent.Type.Wheel,
    QEvent.Type.DragEnter,
}


class LateDocks(QObject):
    """Fills docks: those in sight before the first paint, the others one by one after it.

    All are there before anything that a person does reaches the window, except the heavy ones,
    which wait until they are seen.
    """

    completed = Signal()  # nothing waits any more but heavy ones

    def __init__(
        self,
        window: QMainWindow,
        docks: Mapping[str, QDockWidget],
        waiting: Mapping[str, Build],
        heavy: Mapping[str, Build],
    ) -> None:
        """Wait for the window to be shown.

        Args:
            window: The window of the docks.
            docks: All of them by name.
            waiting: What makes the contents of docks that are filled soon.
            heavy: The same for docks that are filled once they are seen.
        """
        super().__init__(window)
        self._window = window
        self._docks = docks
        self._waiting = dict(waiting)
        self._heavy = dict(heavy)
        self.is_complete = False
        self._is_held = False
        self._latest = QTimer(self, singleShot=True, interval=_LATEST_MS)
        self._latest.timeout.connect(self.complete)
        # A timer of its own: what QTimer.singleShot is to call stays when its window goes first.
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._go_on)
        for name in (*waiting, *heavy):
            docks[name].visibilityChanged.connect(self.fill_seen)
        window.installEventFilter(self)

    def fill(self, name: str) -> None:
        """Put its view into a dock, unless it is there."""
        build = self._waiting.pop(name, None) or self._heavy.pop(name, None)
        if build is None:
            return
        dock = self._docks[name]
        dock.visibilityChanged.disconnect(self.fill_seen)
        stand_in, content = dock.widget(), build()
        dock.setWidget(content)
        content.show()
        _follow_in_tab_order(stand_in, content)
        stand_in.hide()
        stand_in.deleteLater()

    def fill_seen(self) -> None:
        """Fill what is in sight, unless the docks are being moved about."""
        if self._is_held:
            return
        for name in (*self._waiting, *self._heavy):
            if not self._docks[name].visibleRegion().isEmpty():
                self.fill(name)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Fill nothing that comes in sight while docks are moved about, but what then is."""
        was_held, self._is_held = self._is_held, True
        yield
        self._is_held = was_held
        layout = self._window.layout()
        if layout is not None and self._window.isVisible():
            layout.activate()
            self.fill_seen()

    def complete(self) -> None:
        """Fill all but the heavy ones."""
        while not self.is_complete:
            self._fill_next()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Begin once the window is shown, go on once it is painted, end before anybody acts."""
        kind = event.type()
        if kind in _BY_PEOPLE:
            self.complete()
        elif watched is self._window and kind is QEvent.Type.Show:
            self.fill_seen()
            self._latest.start()
            self._fill_narrow()
        elif watched is self._window and kind is QEvent.Type.Resize:
            self._fill_narrow()
        elif watched is self._window and kind is QEvent.Type.Paint:
            self._window.removeEventFilter(self)
            QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]
            self._next.start()
        return False

    def _fill_narrow(self) -> None:
        """Fill all where there is little room: docks behind others decide about it too."""
        width = self._window.width() / self._window.fontMetrics().averageCharWidth()
        if self._window.isVisible() and width < _NARROW_CHARACTERS:
            self.complete()

    def _go_on(self) -> None:
        if not self.is_complete:
            self._fill_next()
            self._next.start()

    def _fill_next(self) -> None:
        for name in self._waiting:
            self.fill(name)
            return
        self.is_complete = True
        self._latest.stop()
        QApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]
        self.completed.emit()


def placeholder() -> QWidget:
    """Return what stands in a dock until its view is there, unseen."""
    empty = QWidget()
    as_dock_content(empty)
    return empty


def as_dock_content(content: QWidget) -> None:
    """Let the style draw a widget as the content of a dock."""
    content.setProperty("dockContent", True)
    content.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)


def _follow_in_tab_order(stand_in: QWidget, content: QWidget) -> None:
    """Let Tab go through ``content`` where its stand-in stood; what is new comes last."""
    fields: list[QWidget] = []
    field: QWidget | None = content
    for _ in range(len(content.findChildren(QWidget)) + 1):
        if field is None:
            break
        if field.focusPolicy() & Qt.FocusPolicy.TabFocus and content.isAncestorOf(field):
            fields.append(field)
        field = field.nextInFocusChain()
    before = stand_in
    stand_in.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # Qt orders nothing after any other
    for field in fields:
        QWidget.setTabOrder(before, field)
        before = field
