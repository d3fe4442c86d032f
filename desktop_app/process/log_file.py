"""The log of a run as a file: read while it grows, in step with the run's events."""

from __future__ import annotations

import os
import re
import time
from collections import deque
from pathlib import Path
from typing import BinaryIO

from desktop_app.process.lines import LineSplitter
from trainer_core.files.reading import open_regular
from trainer_core.protocol.codec import MAX_LINE_BYTES

_SLICE_BYTES = 64 * 1024
_NEWEST_BYTES = 1024 * 1024  # about as many lines as the log keeps
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


class LogFile:
    """Gives the lines of ``trainer.log`` in the order in which they stand between events.

    A line states its time at its beginning; one that states none belongs to the line before.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset: int | None = None
        self._splitter = LineSplitter(MAX_LINE_BYTES)
        self._lines: deque[tuple[str, str]] = deque()  # with the time that holds for each
        self._time = ""

    def lines_until(self, time_s: float) -> list[str]:
        """Return the lines not given before that were written up to ``time_s`` (Unix seconds)."""
        return self._take(time.strftime(_TIME_FORMAT, time.localtime(time_s)))

    def all_lines(self) -> list[str]:
        """Return all lines not given before."""
        return self._take(None)

    def last_lines(self) -> list[str]:
        """Return all lines not given before, with one that the end of the trainer cut off."""
        rest = self.all_lines()
        return rest + [_decoded(line) for line in self._splitter.close()]

    def _take(self, until: str | None) -> list[str]:
        taken: list[str] = []
        while self._lines or self._read():
            if self._lines:
                stated, line = self._lines[0]
                if until is not None and stated > until:
                    break
                taken.append(line)
                self._lines.popleft()
        return taken

    def _read(self) -> bool:
        """Read on, and tell whether there was anything new."""
        try:
            with open_regular(self._path) as file:
                data = self._slice(file)
        except OSError:
            return False  # not there yet, or held by another program for a moment
        for line in map(_decoded, self._splitter.feed(data)):
            stated = _TIME.match(line)
            self._time = stated.group() if stated else self._time
            self._lines.append((self._time, line))
        return bool(data)

    def _slice(self, file: BinaryIO) -> bytes:
        if self._offset is None:
            end = file.seek(0, os.SEEK_END)
            self._offset = max(0, end - _NEWEST_BYTES)
            file.seek(self._offset)
            if self._offset:
                self._offset += len(file.readline(MAX_LINE_BYTES))  # only a part of a line
        file.seek(self._offset)
        data = file.read(_SLICE_BYTES)
        self._offset += len(data)
        return data


def _decoded(line: bytes) -> str:
    return line.decode(errors="replace")
