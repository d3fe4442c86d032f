"""Whether a tool at work is to stop: by a signal, or by the app on stdin."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from types import FrameType

from trainer_core.errors import ProtocolError
from trainer_core.protocol.codec import decode_command
from trainer_core.protocol.messages import Stop
from trainer_core.runtime.stop_signals import StopSignals
from trainer_core.tools.base import Stopped

_STOPPING = b"Stopping; once more stops at once.\n"


class StopRequest:
    """Remembers that somebody wants the tool to stop.

    A second signal raises KeyboardInterrupt at once, for people who cannot wait.
    """

    def __init__(self) -> None:
        self._signals = StopSignals()
        self._is_asked = False

    @property
    def signal(self) -> signal.Signals | None:
        """The signal that asked, None if none did."""
        return self._signals.number

    def watch_signals(self) -> None:
        """Turn SIGINT, SIGTERM and SIGHUP into a request."""
        self._signals.watch(self._on_signal)

    def watch_stdin(self) -> None:
        """Read commands from stdin in a thread that never keeps the process from ending."""
        threading.Thread(target=self._read_stdin, daemon=True, name="commands").start()

    def ask(self) -> None:
        """Want the tool to stop."""
        self._is_asked = True

    def stop_if_asked(self) -> None:
        """Leave if it is to stop.

        Raises:
            Stopped: It is.
        """
        if self._is_asked:
            raise Stopped

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._signals.take(number):
            raise KeyboardInterrupt
        self._is_asked = True
        with contextlib.suppress(OSError):  # not logged: the signal may have come inside logging
            os.write(2, _STOPPING)

    def _read_stdin(self) -> None:
        # os.read, not sys.stdin: a daemon thread inside sys.stdin's buffer aborts Python's exit.
        rest = b""
        while True:
            try:
                data = os.read(0, 65536)
            except OSError:
                return
            if not data:
                return  # nobody is left who could ask
            *lines, rest = (rest + data).split(b"\n")
            self._is_asked = self._is_asked or any(map(_asks_to_stop, lines))


def _asks_to_stop(line: bytes) -> bool:
    """Read one command; what else a run may be told has no meaning for a tool."""
    try:
        return isinstance(decode_command(line), Stop)
    except ProtocolError:
        return False
