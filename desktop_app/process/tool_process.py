"""A program that runs beside the window and ends by itself: a probe, pip, the making of a venv."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

from desktop_app.process.environment import child_environment, give_own_session, kill_session
from desktop_app.process.lines import LineSplitter

_LINE_LIMIT_BYTES = 64 * 1024
_OUTPUT_LIMIT = 200_000  # characters kept; a talkative program must not fill the memory


class ToolEnding(StrEnum):
    """The ways in which a program can end."""

    EXITED = "exited"
    CRASHED = "crashed"
    NOT_STARTED = "not_started"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ToolEnd:
    """How a program ended, and what it wrote; of very much only the end, which tells most."""

    ending: ToolEnding
    exit_code: int
    output: str
    reason: str = ""  # the system's word why it did not start

    @property
    def ok(self) -> bool:
        """True if it ended by itself and says that all went well."""
        return self.ending is ToolEnding.EXITED and self.exit_code == 0


class ToolProcess(QObject):
    """One run of a program, in a cleaned environment and, on POSIX, a session of its own.

    Destroying this object ends the program.
    """

    line_received = Signal(str)  # of either stream
    ended = Signal(object)  # a ToolEnd, always the last signal

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines = LineSplitter(_LINE_LIMIT_BYTES)
        self._output: deque[str] = deque()
        self._output_size = 0
        self._killed_as: ToolEnding | None = None
        self._timeout = QTimer(self, singleShot=True)
        self._timeout.timeout.connect(self._on_timeout)
        self._process = QProcess(self)
        self._process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        self._process.setStandardInputFile(QProcess.nullDevice())  # nobody is there to be asked
        self._process.readyReadStandardOutput.connect(self._on_output)
        self._process.errorOccurred.connect(self._on_error)
        self._process.finished.connect(self._on_finished)

    def start(self, program: str, arguments: Sequence[str], *, timeout_s: float = 0.0) -> None:
        """Start the program; 0 seconds mean that it may take any time."""
        self._process.setProcessEnvironment(child_environment(program))
        self._process.setWorkingDirectory(tempfile.gettempdir())
        give_own_session(self._process)
        if timeout_s:
            self._timeout.start(round(timeout_s * 1000))
        self._process.start(program, list(arguments))

    def cancel(self) -> None:
        """End the program and whatever it started."""
        self._kill(ToolEnding.CANCELLED)

    def close(self) -> None:
        """End the program without a word, and wait until it is gone."""
        self.blockSignals(True)
        if self._process.state() is not QProcess.ProcessState.NotRunning:
            self.cancel()
            self._process.waitForFinished(2000)

    def _kill(self, ending: ToolEnding) -> None:
        self._killed_as = ending
        kill_session(self._process)

    def _on_timeout(self) -> None:
        self._kill(ToolEnding.TIMED_OUT)

    def _on_output(self) -> None:
        self._tell(self._lines.feed(bytes(self._process.readAllStandardOutput().data())))

    def _tell(self, lines: list[bytes]) -> None:
        for raw in lines:
            line = raw.decode(errors="replace")
            self._output.append(line)
            self._output_size += len(line)
            while self._output_size > _OUTPUT_LIMIT:
                self._output_size -= len(self._output.popleft())
            self.line_received.emit(line)

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:  # others are followed by finished
            self._timeout.stop()
            reason = self._process.errorString()
            self.ended.emit(ToolEnd(ToolEnding.NOT_STARTED, -1, "", reason))

    def _on_finished(self, exit_code: int, status: QProcess.ExitStatus) -> None:
        self._timeout.stop()
        self._on_output()
        self._tell(self._lines.close())
        has_crashed = status is QProcess.ExitStatus.CrashExit
        ending = self._killed_as or (ToolEnding.CRASHED if has_crashed else ToolEnding.EXITED)
        self.ended.emit(ToolEnd(ending, exit_code, "\n".join(self._output)))
