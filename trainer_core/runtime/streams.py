"""The process's standard streams, kept harmless: no reader, gone or asleep, can hold up a step.

File descriptors 1 and 2 are pointed at a pipe of our own, so that whatever a library prints,
from C too, ends up in the log and never in the event stream. A thread copies it to the log file
and hands it to the real stderr through a bounded queue.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import queue
import sys
import threading
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from trainer_core.files.links import open_appending


class PatientWriter:
    """Writes to a file descriptor from a thread of its own; ``offer`` does not wait for it.

    When the reader is gone (a broken pipe) everything later is dropped. When it is asleep the
    queue fills and ``offer`` returns False.
    """

    def __init__(self, descriptor: int, *, capacity: int = 2000) -> None:
        self._descriptor = descriptor
        self._queue: queue.Queue[bytes | None] = queue.Queue(capacity)
        self._thread = threading.Thread(target=self._run, daemon=True, name="patient-writer")
        self._thread.start()

    def offer(self, data: bytes, *, patience_s: float = 0.0) -> bool:
        """Queue ``data``; False if there is no room for so long."""
        try:
            self._queue.put(data, block=patience_s > 0, timeout=patience_s)
        except queue.Full:
            return False
        return True

    def close(self, *, timeout_s: float = 2.0) -> None:
        """Write what is queued, for ``timeout_s`` at most."""
        with contextlib.suppress(queue.Full):
            self._queue.put(None, timeout=timeout_s)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        is_open = True
        while (data := self._queue.get()) is not None:
            while is_open and data:
                try:
                    data = data[os.write(self._descriptor, data) :]
                except OSError:
                    is_open = False


class GuardedStreams:
    """While open, fds 1 and 2 feed the log; ``events`` is a duplicate of the real stdout.

    The log goes to ``log_file`` once `open_log` was called; what came before is kept for it.
    """

    def __init__(self) -> None:
        _fill_gaps()
        self.events = os.dup(1)
        self._real_stderr = os.dup(2)
        self._terminal = PatientWriter(self._real_stderr)
        self._lock = threading.Lock()
        self._kept_log = bytearray()
        self._log: FileIO | None = None
        read_end, self._write_end = os.pipe()
        self._reader = threading.Thread(target=self._copy, args=(read_end,), daemon=True)

    def __enter__(self) -> Self:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(self._write_end, 1)
        os.dup2(self._write_end, 2)
        os.close(self._write_end)
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os.dup2(self._real_stderr, 1)
        os.dup2(self._real_stderr, 2)  # the pipe's last write ends close here: the reader ends
        self._reader.join(2.0)
        self._terminal.close()
        with self._lock:
            if self._log is not None:
                faulthandler.disable()
                self._log.close()

    @property
    def log_file(self) -> str | None:
        """Where the log is written, once it is."""
        return None if self._log is None else str(self._log.name)

    @property
    def has_terminal(self) -> bool:
        """Whether the real stderr is a terminal."""
        return os.isatty(self._real_stderr)

    def open_log(self, path: Path) -> None:
        """Append the log to ``path`` from now on, with what was logged before.

        A log that cannot be written is no reason to stop: stderr has it too.
        """
        with self._lock, contextlib.suppress(OSError):
            self._log = open_appending(path)
            # A crash in native code ends the thread that copies; its traceback goes there directly.
            faulthandler.enable(self._log)
            self._log.write(bytes(self._kept_log))
            self._kept_log.clear()

    def write_terminal(self, words: str) -> None:
        """Write to the real stderr only, not to the log (progress bars)."""
        self._terminal.offer(words.encode(errors="replace"))

    def write_log(self, words: str) -> None:
        """Write to the log only; a full disk is no reason to stop."""
        self._to_log(words.encode(errors="replace"))

    def _copy(self, read_end: int) -> None:
        while data := os.read(read_end, 65536):
            self._terminal.offer(data)
            self._to_log(data)
        os.close(read_end)

    def _to_log(self, data: bytes) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._log is None:
                self._kept_log += data
            else:
                self._log.write(data)


def _fill_gaps() -> None:
    """Open the null device for standard streams that the process was started without.

    A file of ours would get their numbers, and what is printed would end up in it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    # Python has None in place of a stream that was closed at its start.
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
