"""The event file of a run: read from any point on, and followed while it grows."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from trainer_core.errors import ProtocolError
from trainer_core.files.reading import open_regular
from trainer_core.protocol.codec import MAX_LINE_BYTES, decode_event
from trainer_core.protocol.messages import Event

_SLICE_BYTES = 2 * MAX_LINE_BYTES  # holds at least one whole line; some 5 ms of decoding
_POLL_MS = 500
_TURN_S = 0.01  # for delivering, then the window has its turn


class EventFile:
    """Reads ``events.jsonl`` slice by slice, whole lines only; what is no event is skipped."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self._offset = offset
        self._identity: tuple[int, int] | None = None
        self.began_anew = False

    def read(self) -> list[Event] | None:
        """Return the next events, None when there is nothing new.

        ``began_anew`` then tells whether another file has taken the place of the one read so far;
        the events are the first ones of that file.
        """
        self.began_anew = False
        try:
            with open_regular(self._path) as file:
                self._look_at(os.fstat(file.fileno()))
                file.seek(self._offset)
                data = file.read(_SLICE_BYTES)
        except OSError:
            return None  # not there yet, or held by another program for a moment
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) < _SLICE_BYTES:
            return None
        self._offset += whole or len(data)
        return events_in(data[:whole])

    def _look_at(self, facts: os.stat_result) -> None:
        before, self._identity = self._identity, (facts.st_dev, facts.st_ino)
        is_another = before is not None and before != self._identity
        self.began_anew = is_another or facts.st_size < self._offset
        if self.began_anew:
            self._offset = 0


class EventFollower(QObject):
    """Delivers a run's events from its file, a slice at a time so that the app stays fluid."""

    event_received = Signal(object)  # a protocol Event
    began_anew = Signal()  # another run has replaced the file: its events follow
    caught_up = Signal()  # everything that stands in the file was delivered

    def __init__(self, path: Path, offset: int = 0, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file = EventFile(path, offset)
        self._waiting: deque[Event] = deque()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._read)
        self._timer.start(0)

    def poke(self) -> None:
        """Look at the file now: it has grown."""
        self._timer.start(0)

    def close(self) -> None:
        """Deliver nothing more."""
        self._timer.stop()
        self._waiting.clear()

    def _read(self) -> None:
        if self._waiting:
            self._timer.start(0)
            self._deliver()
            return
        events = self._file.read()
        if self._file.began_anew:
            self.began_anew.emit()
        self._timer.start(_POLL_MS if events is None else 0)
        if events is None:
            self.caught_up.emit()
        else:
            self._waiting.extend(events)
            self._deliver()

    def _deliver(self) -> None:
        until = time.monotonic() + _TURN_S
        while self._waiting and time.monotonic() < until:
            self.event_received.emit(self._waiting.popleft())


def events_in(data: bytes) -> list[Event]:
    """Return the events on the lines of a file; what is none is skipped."""
    found = []
    for line in data.splitlines():
        with contextlib.suppress(ProtocolError):
            event = decode_event(line)
            if event is not None:
                found.append(event)
    return found
