"""Events go to the event file first, then to the app, without ever holding up a step."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path

from trainer_core.errors import DiskFull, OutputError
from trainer_core.files.links import open_appending
from trainer_core.files.writing import is_full, output_error
from trainer_core.protocol.codec import MAX_LINE_BYTES, encode
from trainer_core.protocol.messages import EventBase, Overflowed, Progress, TextData, Warned
from trainer_core.runtime.streams import PatientWriter
from trainer_core.texts import T, Text

_PROGRESS_INTERVAL_S = 0.1
_MOST_UNWRITTEN = 16 * 2**20  # bytes of events that are kept while a disk is full
_LAST_PATIENCE_S = 2.0  # an app that sleeps must not keep the process from ending


class Emitter:
    """Writes events to ``events.jsonl`` and, if there is an app, to its pipe.

    Events emitted before `open_file` are kept and written to the file then. Listeners are called
    in the emitting thread with every event (the terminal's progress bar, TensorBoard).

    Args:
        descriptor: Of the app's pipe, if there is an app.
        keeps: False for a process that writes no files: its events reach the listeners alone.
    """

    def __init__(self, descriptor: int | None = None, *, keeps: bool = True) -> None:
        self._keeps = keeps
        self._writer = PatientWriter(descriptor) if descriptor is not None else None
        self._lock = threading.RLock()  # the thread that reads commands emits too
        self._file: FileIO | None = None
        self._path: Path | None = None
        self._kept_lines = bytearray()
        self._end = 0  # where the next event begins in the file, or in what is kept for it
        self._unwritten = bytearray()  # what a full disk did not take yet
        self._lost_from: int | None = None
        self._last_progress = 0.0
        self.listeners: list[Callable[[EventBase], None]] = []

    def open_file(self, path: Path) -> None:
        """Append to the event file ``path`` from now on, with what was emitted before.

        Raises:
            OutputError: It cannot be written.
        """
        with self._lock:
            self._path = path
            try:
                self._file = open_appending(path)
                start = _end_of_lines(self._file)
            except OSError as error:
                raise output_error(error, path) from error
            self._end = start
            if self._lost_from is not None:
                self._lost_from += start
            self._write(bytes(self._kept_lines))
            self._kept_lines.clear()

    def emit(self, event: EventBase) -> None:
        """Send one event, with the time of now.

        What a full disk does not take is kept, and written by a later call or `require_room`.

        Raises:
            OutputError: The event file cannot be written, for another reason or for too long.
        """
        with self._lock:
            stamped = event.model_copy(update={"time": time.time()})
            line = encode(stamped)
            start = self._end
            self._write(line)
            self._to_app(line, start)
            for listener in self.listeners:
                listener(stamped)

    def require_room(self) -> None:
        """Write what a full disk did not take.

        Raises:
            DiskFull: It takes no more.
            OutputError: The event file cannot be written, for another reason.
        """
        with self._lock:
            if self._unwritten and self._file is not None and self._path is not None:
                self._write_file(self._file, self._path)
            if self._unwritten and self._path is not None:
                no_room = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                raise DiskFull.at(self._path, _failure(self._path, no_room))

    def progress(self, phase: str, done: int, total: int, work: Text | None = None) -> None:
        """Send how far a phase is, at most 10 times a second and always at its end."""
        now = time.monotonic()
        if done < total and now - self._last_progress < _PROGRESS_INTERVAL_S:
            return
        self._last_progress = now
        work_data = TextData.of(work) if work else None
        self.emit(Progress(phase=phase, done=done, total=total, work=work_data))

    def warn(self, message: Text, hint: Text | None = None) -> None:
        """Send a warning."""
        shown_hint = TextData.of(hint) if hint else None
        self.emit(Warned(message=TextData.of(message), hint=shown_hint))

    def close(self) -> None:
        """Give the app what is queued and close the file."""
        if self._writer is not None:
            self._tell_of_loss(self._writer, self._end, patience_s=_LAST_PATIENCE_S)
            self._writer.close(timeout_s=_LAST_PATIENCE_S)
        if self._file is not None:
            with contextlib.suppress(OutputError):  # it was said already
                self.require_room()
        if self._file is not None:
            self._file.close()

    def _write(self, lines: bytes) -> None:
        """Write to the file, or keep for it; after a failure nothing more is written."""
        if self._path is None:
            self._kept_lines += lines if self._keeps else b""
        elif self._file is None:
            return
        else:
            self._unwritten += lines
            self._write_file(self._file, self._path)
        self._end += len(lines)

    def _write_file(self, file: FileIO, path: Path) -> None:
        try:
            while self._unwritten:  # on a disk that is nearly full, one write takes a part
                del self._unwritten[: file.write(self._unwritten)]
        except OSError as error:
            if is_full(error) and len(self._unwritten) < _MOST_UNWRITTEN:
                return
            self._file = None  # the failure itself can then still be told to the app
            self._unwritten.clear()
            raise _failure(path, error) from error

    def _to_app(self, line: bytes, start: int) -> None:
        if self._writer is None or not self._tell_of_loss(self._writer, start):
            return
        if not self._writer.offer(line):
            self._lost_from = start

    def _tell_of_loss(self, writer: PatientWriter, end: int, *, patience_s: float = 0.0) -> bool:
        """Send where the app finds what it missed; False while that cannot be told yet."""
        if self._lost_from is None:
            return True
        if self._path is None:
            return False
        lost = Overflowed(path=str(self._path), offset=self._lost_from, end=end, time=time.time())
        if not writer.offer(encode(lost), patience_s=patience_s):
            return False
        self._lost_from = None
        return True


def _failure(path: Path, error: OSError) -> OutputError:
    return OutputError(
        T("Errors", "The event file {path} cannot be written: {reason}"),
        T("Errors", "Free some space on the disk, then resume from the newest state."),
        path=path,
        reason=error.strerror,
    )


def _end_of_lines(file: FileIO) -> int:
    """Return where new lines begin, after cutting off half a line that a killed trainer left."""
    last_line = max(0, file.seek(0, os.SEEK_END) - MAX_LINE_BYTES)
    file.seek(last_line)
    end = last_line + file.read().rfind(b"\n") + 1
    file.truncate(end)
    file.seek(end)
    return end
