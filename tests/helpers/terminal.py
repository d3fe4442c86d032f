"""A terminal for a process: what it shows is read, keys are pressed. Not on Windows."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from helpers.trainer_process import PATIENCE_S


class Terminal:
    """Runs a command with all three standard streams in a terminal of its own."""

    def __init__(self, command: Sequence[str], *, cwd: Path | None = None) -> None:
        self.shown = ""
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            if cwd is not None:
                os.chdir(cwd)
            os.execv(command[0], command)
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._is_over:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
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

    def end(self) -> int:
        """Wait until the process has ended by itself; return its exit code, -9 for SIGKILL."""
        deadline = time.monotonic() + PATIENCE_S
        while self._read(deadline):
            pass
        self._is_over = True
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

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
