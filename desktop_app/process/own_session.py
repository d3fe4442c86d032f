"""On POSIX, a child in a session of its own: out of reach of a terminal, killed as a whole.

Windows knows no such thing: there a kill reaches the child alone.
"""

from __future__ import annotations

import contextlib
import os
import signal

from PySide6.QtCore import QProcess


def give_own_session(process: QProcess) -> None:
    """Have a process that is about to start lead a session of its own."""
    if os.name == "posix":
        parameters = QProcess.UnixProcessParameters()
        parameters.flags = QProcess.UnixProcessFlag.CreateNewSession
        process.setUnixProcessParameters(parameters)


def kill_session(process: QProcess) -> None:
    """End a process that was given a session, and whatever it started, without any saving."""
    pid = process.processId()
    if os.name == "posix" and pid > 0:
        with contextlib.suppress(ProcessLookupError):  # it has no session of its own yet
            os.killpg(pid, signal.SIGKILL)
    process.kill()
