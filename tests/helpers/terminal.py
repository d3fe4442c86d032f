"""A terminal for a process: what it shows is read, keys are pressed. Not on Windows."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from helpers.trainer_process import PATIENCE_S

# Only a terminal that rules its session turns Ctrl-C into a signal.
_RULE_THE_SESSION = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """Runs a command with all three standard streams in a terminal of its own."""

    def __init__(self, command: Sequence[str]) -> None:
        self.shown = ""
        self._is_gone = False
        self._terminal, inside = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _RULE_THE_SESSION, *command],
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
        if not self._is_gone:
            os.close(self._terminal)

    def wait_for(self, words: str) -> None:
        """Read until ``words`` were shown."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.shown:
            assert self._read(deadline), f"it ended without {words!r}:\n{self.shown}"

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something holds that is not shown, such as a file being there."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline, f"not in time:\n{self.shown}"
            time.sleep(0.02)

    def press_ctrl_c(self) -> None:
        """Press the keys that interrupt what runs in the terminal."""
        os.write(self._terminal, b"\x03")

    def hang_up(self) -> None:
        """Close the terminal, as a window that is closed or a connection that is lost."""
        self._is_gone = True
        os.close(self._terminal)

    def end(self) -> int:
        """Wait until the process has ended by itself and return its exit code."""
        if self._is_gone:
            return self._process.wait(PATIENCE_S)
        deadline = time.monotonic() + PATIENCE_S
        while self._read(deadline):
            pass
        return self._process.wait(PATIENCE_S)

    def _read(self, deadline: float) -> bool:
        """Take what is shown next; False once the terminal is closed."""
        ready, _, _ = select.select([self._terminal], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"nothing more in time:\n{self.shown}"
        try:
            data = os.read(self._terminal, 65536)
        except OSError:  # Linux says so when the last process has left
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)
