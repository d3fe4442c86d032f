"""Events go to the event file first, then to the app, without ever holding up a step."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from trainer_core.file_writing import output_error
from trainer_core.protocol.codec import encode
from trainer_core.protocol.messages import EventBase, Overflowed, Progress, TextData, Warned
from trainer_core.runtime.streams import PatientWriter
from trainer_core.texts import Text

_PROGRESS_INTERVAL_S = 0.1


class Emitter:
    """Writes events to ``events.jsonl`` and, if there is an app, to its pipe.

    Events emitted before `open_file` are kept and written to the file then. Listeners are called
    in the emitting thread with every event (the terminal's progress bar, TensorBoard).
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self._writer = PatientWriter(descriptor) if descriptor is not None else None
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self._early: list[bytes] = []
        self._lost_from: int | None = None
        self._last_progress = 0.0
        self.listeners: list[Callable[[EventBase], None]] = []

    def open_file(self, path: Path) -> None:
        """Append to the event file ``path`` from now on, with what was emitted before.

        Raises:
            OutputError: It cannot be written.
        """
        self._path = path
        try:
            self._file = path.open("a+b", buffering=0)
        except OSError as error:
            raise output_error(error, path) from error
        if _ends_inside_a_line(self._file):  # what a full disk or a power cut left
            self._to_file(b"\n")
        for line in self._early:
            self._to_file(line)
        self._early.clear()

    def emit(self, event: EventBase) -> None:
        """Send one event, with the time of now.

        Raises:
            OutputError: The event file cannot be written; later events go to the app only.
        """
        stamped = event.model_copy(update={"time": time.time()})
        line = encode(stamped)
        offset = self._file.tell() if self._file is not None else 0
        try:
            self._to_file(line)
        finally:  # told to people even where the disk is full
            self._to_app(line, offset)
            for listener in self.listeners:
                listener(stamped)

    def progress(self, phase: str, done: int, total: int) -> None:
        """Send how far a phase is, at most 10 times a second and always at its end."""
        now = time.monotonic()
        if done < total and now - self._last_progress < _PROGRESS_INTERVAL_S:
            return
        self._last_progress = now
        self.emit(Progress(phase=phase, done=done, total=total))

    def warn(self, message: Text, hint: Text | None = None) -> None:
        """Send a warning."""
        shown_hint = TextData.of(hint) if hint else None
        self.emit(Warned(message=TextData.of(message), hint=shown_hint))

    def close(self) -> None:
        """Give the app what is queued and close the file."""
        if self._writer is not None:
            self._tell_of_loss(self._writer, self._file.tell() if self._file else 0)
            self._writer.close()
        if self._file is not None:
            self._file.close()

    def _to_file(self, line: bytes) -> None:
        if self._file is None:
            if self._path is None:
                self._early.append(line)
            return
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError as error:
            self._file = None  # the failure itself can then still be told to the app
            assert self._path is not None
            raise output_error(error, self._path) from error

    def _to_app(self, line: bytes, offset: int) -> None:
        if self._writer is None or not self._tell_of_loss(self._writer, offset):
            return
        if not self._writer.offer(line):
            self._lost_from = offset

    def _tell_of_loss(self, writer: PatientWriter, end: int) -> bool:
        """Send where the app finds what it missed; False while there is still no room."""
        if self._lost_from is None:
            return True
        lost = Overflowed(path=str(self._path), offset=self._lost_from, end=end, time=time.time())
        if not writer.offer(encode(lost)):
            return False
        self._lost_from = None
        return True


def _ends_inside_a_line(file: BinaryIO) -> bool:
    if file.seek(0, os.SEEK_END) == 0:
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"
