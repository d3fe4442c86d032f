"""A layout of the docks as bytes, with the room that its sizes were made for."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QByteArray, QRect, QSize
from PySide6.QtWidgets import QLayout, QMainWindow

_MARK = b"room"  # Qt's own bytes, which older layouts are, begin with zeros
_ROOM = struct.Struct(">4sII")  # the mark, then width and height in device-independent pixels


def sized_state(window: QMainWindow, version: int) -> QByteArray:
    """Return the layout of a window, for `in_room_of`."""
    room = _layout(window).geometry()
    return QByteArray(_ROOM.pack(_MARK, room.width(), room.height())) + window.saveState(version)


@contextmanager
def in_room_of(window: QMainWindow, state: QByteArray) -> Iterator[QByteArray]:
    """Lay a window out, for a while, in the room that a layout was saved in.

    There every dock gets the size it had. In any other room Qt gives the difference to the docks
    as it likes. A window that is not shown yet takes a layout when it is shown.

    Yields:
        What `QMainWindow.restoreState` takes.
    """
    if not state.startsWith(_MARK) or state.size() < _ROOM.size:
        yield state
        return
    _, width, height = _ROOM.unpack(state.data()[: _ROOM.size])
    qt_state = state.mid(_ROOM.size)
    if not window.isVisible():
        yield qt_state
        return
    layout = _layout(window)
    layout.setGeometry(QRect(layout.geometry().topLeft(), QSize(width, height)))
    layout.setEnabled(False)  # or each dock that is shown would lay out the real room
    yield qt_state
    layout.setEnabled(True)
    layout.invalidate()
    layout.activate()


def _layout(window: QMainWindow) -> QLayout:
    layout = window.layout()
    assert layout is not None, "a main window has one from the beginning"
    return layout
