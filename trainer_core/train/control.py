"""What people ask of a run while it runs: by stdin, by the control folder, by a signal."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from trainer_core.errors import ProtocolError, StopRequested
from trainer_core.protocol.codec import decode_command
from trainer_core.protocol.command_file import CommandFolder
from trainer_core.protocol.messages import (
    Command,
    Continue,
    Detach,
    Pause,
    SampleNow,
    SaveNow,
    Stop,
)
from trainer_core.runtime.stop_signals import StopSignals
from trainer_core.texts import T, Text, text

_STOPPING = b"Stopping as soon as it can be resumed; once more stops at once, without saving.\n"


class Wishes(NamedTuple):
    """What is asked of a run between two steps, once; of a team, what any of its processes asks.

    ``saves_first`` says how to stop: with weights and a state, or at once. ``keep`` asks for a
    state because some time has passed.
    """

    stop: bool = False
    saves_first: bool = False
    pause: bool = False
    save: bool = False
    sample: bool = False
    keep: bool = False

    def as_numbers(self) -> list[float]:
        """Return 1 for each wish and 0 for each that nobody has, so that sums can be agreed on."""
        return [float(wish) for wish in self]

    @classmethod
    def of(cls, numbers: Iterable[float]) -> Wishes:
        """Return the wishes that at least one process has."""
        return cls(*(number > 0 for number in numbers))

    @property
    def command(self) -> Stop | None:
        """The command to stop, if there is one."""
        return Stop(save=self.saves_first) if self.stop else None


class Control:
    """Collects commands from every source; the loop asks once per step.

    A second signal raises KeyboardInterrupt at once, for people who cannot wait.

    Args:
        warn: Told what is no command.
        detached: Called when the app leaves.
        has_terminal: Whether a person may be looking at a terminal.
    """

    def __init__(
        self,
        *,
        warn: Callable[[Text], None],
        detached: Callable[[], None],
        has_terminal: bool = False,
    ) -> None:
        self._warn = warn
        self._has_terminal = has_terminal
        self._has_app = False
        self._detached = detached
        self._folder: CommandFolder | None = None
        self._wake = threading.Event()
        self._stop: Stop | None = None
        self._is_paused = False
        self._goes_on = False
        self._save = False
        self._sample = False
        self._keep_every_s: float | None = None
        self._last_kept = 0.0
        self._signals = StopSignals()
        self.is_impatient = False

    # ------------------------------------------------------------- sources

    def watch_folder(self, folder: Path) -> None:
        """Look into ``folder`` at every step; what lay there before is not for this start."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = CommandFolder(folder)

    def watch_stdin(self) -> None:
        """Read commands from stdin in a thread that never keeps the process from ending."""
        self._has_app = True
        threading.Thread(target=self._read_stdin, daemon=True, name="commands").start()

    def watch_signals(self) -> None:
        """Turn SIGINT, SIGTERM and SIGHUP into "save and stop"."""
        self._signals.watch(self._on_signal)

    @property
    def signal(self) -> signal.Signals | None:
        """The signal that asked to stop, None if none did."""
        return self._signals.number

    @property
    def is_attended(self) -> bool:
        """True if somebody can answer: an app that reads what is told, or a person at a terminal.

        Nobody knows whether an app looks at the run's folder.
        """
        return self._has_app or self._has_terminal

    @property
    def stop_command(self) -> Stop | None:
        """The command to stop, if there is one."""
        return self._stop

    def take_go_on(self) -> bool:
        """Tell whether somebody said to go on, paused or not, since this was last asked."""
        goes_on, self._goes_on = self._goes_on, False
        return goes_on

    def keep_every(self, seconds: float | None) -> None:
        """Ask for a state whenever so much time has passed from now on; None asks for none."""
        self._keep_every_s, self._last_kept = seconds, time.monotonic()

    def obey(self, command: Command) -> None:
        """Take one command."""
        match command:
            case Stop():
                self._stop = command
            case Pause():
                self._is_paused = True
            case Continue():
                self._is_paused, self._goes_on = False, True
            case SaveNow():
                self._save = True
            case SampleNow():
                self._sample = True
            case Detach():
                self._has_app = False
                self._detached()
        self._wake.set()

    # ------------------------------------------------------------- what is asked

    def look(self) -> None:
        """Take the commands that lie in the control folder."""
        if self.is_impatient:  # something that ran at the second signal has swallowed it
            raise KeyboardInterrupt
        if self._folder is None:
            return
        for command in self._folder.take():
            if isinstance(command, ProtocolError):
                self._warn_of(command)
            else:
                self.obey(command)

    def wait(self, *, poll_s: float = 0.2) -> None:
        """Block until something is asked, ``poll_s`` at most."""
        self._wake.wait(poll_s)
        self._wake.clear()

    def take_wishes(self) -> Wishes:
        """Look, and return what is asked; saving, sampling and keeping are asked for once."""
        self.look()
        stop = self._stop
        wishes = Wishes(
            stop=stop is not None,
            saves_first=stop is not None and stop.save,
            pause=self._is_paused and stop is None,
            save=self._save,
            sample=self._sample,
            keep=self._is_time_to_keep(),
        )
        self._save = self._sample = False
        return wishes

    def _is_time_to_keep(self) -> bool:
        now = time.monotonic()
        if self._keep_every_s is None or now - self._last_kept < self._keep_every_s:
            return False
        self._last_kept = now
        return True

    def is_stopping(self) -> bool:
        """Look, and tell whether the run was told to stop."""
        self.look()
        return self._stop is not None

    def stop_if_asked(self) -> None:
        """Leave, before training has begun, if the run was told to stop.

        Raises:
            StopRequested: It was.
        """
        if self.is_stopping():
            raise StopRequested

    # ------------------------------------------------------------- reading

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._signals.take(number):
            self.is_impatient = True
            raise KeyboardInterrupt
        with contextlib.suppress(OSError):  # not logged: the signal may have come inside logging
            os.write(2, _STOPPING)
        # Without waking `wait`: the signal may have come while this thread holds the event's lock.
        if self._stop is None:
            self._stop = Stop(save=True)

    def _read_stdin(self) -> None:
        # os.read, not sys.stdin: a daemon thread inside sys.stdin's buffer aborts Python's exit.
        rest = b""
        while True:
            data = b""
            with contextlib.suppress(OSError):
                data = os.read(0, 65536)
            if not data:
                self._has_app = False  # it is gone; the run goes on
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.strip():
                    self._take_line(line)

    def _take_line(self, line: bytes) -> None:
        try:
            self.obey(decode_command(line))
        except ProtocolError as error:
            self._warn_of(error)

    def _warn_of(self, error: ProtocolError) -> None:
        self._warn(text(T("Events", "A command was not understood: {reason}"), reason=error))
