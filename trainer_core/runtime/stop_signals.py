"""The signals that ask a process to stop: Ctrl-C, a request to end, a terminal that is gone."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

_HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)  # Windows has none
_ASKING = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Remembers which signal asked, and knows a person who asks again.

    A terminal that closes is no person: shell and kernel both send SIGHUP then, and at the end of
    a session SIGTERM comes with it. So SIGHUP asks to stop, but never hurries.

    Attributes:
        number: The signal that asked, None if none did.
    """

    def __init__(self) -> None:
        self.number: signal.Signals | None = None

    def watch(self, handler: Callable[[int, FrameType | None], None]) -> None:
        """Have ``handler`` called at each of them; SIGHUP stays ignored where it is (``nohup``)."""
        for number in _ASKING:
            signal.signal(number, handler)
        if _HANGUP is not None and signal.getsignal(_HANGUP) is not signal.SIG_IGN:
            signal.signal(_HANGUP, handler)

    def take(self, number: int) -> bool:
        """Remember that ``number`` came; True if somebody cannot wait after asking already."""
        if self.number not in (None, _HANGUP):
            return number != _HANGUP
        self.number = signal.Signals(number)
        return False
