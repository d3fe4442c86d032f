"""Whole lines out of a stream that comes in pieces."""

from __future__ import annotations


class LineSplitter:
    """Collects bytes and gives back whole lines, without their ends.

    Of a line that rewrites itself with carriage returns (a progress bar) only the last state is
    kept; of one longer than ``limit_bytes`` only as much as shows that it is too long.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that ``data`` completes, empty ones left out."""
        *whole, rest = (self._rest + data).split(b"\n")
        if len(rest) > self._limit_bytes:
            rest = _last_state(rest)[: self._limit_bytes + 1]
        self._rest = rest
        return [line for line in map(_last_state, whole) if line]

    def close(self) -> list[bytes]:
        """Return the line that the end of the stream cut off, if there is one."""
        return self.feed(b"\n")


def _last_state(line: bytes) -> bytes:
    return line.rstrip(b"\r").rpartition(b"\r")[2]
