"""A run that meets a full disk waits for room, while there is somebody who may make some."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, Protocol, TypeVar

from trainer_core.disk_space.room import disk_of
from trainer_core.errors import DiskFull, StopRequested
from trainer_core.events.emitter import Emitter
from trainer_core.protocol.messages import DiskFilled, Phase
from trainer_core.train.control import Control

POLL_S = 3.0  # between two looks at the disk
MOST_POLL_S = 60.0  # the same, once several attempts failed although there seemed to be room
UNATTENDED_S = 60.0  # how long nobody is waited for

Result = TypeVar("Result")


class WithRoom(Protocol):
    """Does what writes; where the disk is full it is done again once there is room."""

    def __call__(
        self, write: Callable[[], Result], *, phase: str, num_bytes: Callable[[], int]
    ) -> Result:
        """Do it, however long it takes.

        Args:
            write: Can be done again after it raised `DiskFull`.
            phase: What the run is at, told again when it goes on.
            num_bytes: About how much it writes.

        Raises:
            DiskFull: There is no room, and nobody makes some; it says whether that was decided.
            StopRequested: The run is to end at once, without saving.
        """
        ...


def at_once(write: Callable[[], Result], *, phase: str, num_bytes: Callable[[], int]) -> Result:
    """Do it without waiting for anything: a `WithRoom` that asks nobody."""
    del phase, num_bytes
    return write()


@dataclass(slots=True)
class WaitForRoom:
    """Pauses the run where a disk is full, tells of it, and goes on once there is room.

    That is seen on the disk every few seconds, or tried when somebody says "go on". Whoever says
    "stop and save" ends the wait with the error, by which the run is saved elsewhere. Without an
    app that listens and without a terminal the wait ends by itself after `UNATTENDED_S`; what is
    written after that is not waited for again until something could be written.

    Args:
        emitter: Told of the pause.
        control: Gives what people ask, and tells whether there is anybody.
        now: The clock, in seconds.
    """

    emitter: Emitter
    control: Control
    now: Callable[[], float] = time.monotonic
    _failures: int = field(default=0, init=False)  # in a row
    _is_decided: bool = field(default=False, init=False)  # the run is to end
    _is_hopeless: bool = field(default=False, init=False)  # nobody came

    def __call__(
        self, write: Callable[[], Result], *, phase: str, num_bytes: Callable[[], int]
    ) -> Result:
        """Do it, waiting for room if need be; see `WithRoom`."""
        while True:
            try:
                result = write()
            except DiskFull as error:
                self._failures += 1
                self._wait(error, num_bytes)
                self.emitter.emit(Phase.model_validate({"phase": phase}))
            else:
                self._failures, self._is_hopeless = 0, False
                return result

    def _wait(self, error: DiskFull, num_bytes: Callable[[], int]) -> None:
        if self._is_decided:
            self._give_up(error)
        if self._is_hopeless:
            raise error
        needed, place = num_bytes(), error.path
        self.control.take_go_on()  # what was said before is about something else
        self.emitter.emit(
            DiskFilled(folder=str(place.parent), needed_bytes=needed, free_bytes=_free(place) or 0)
        )
        self.emitter.emit(Phase(phase="paused"))
        began = looked_at = self.now()
        while not self._is_to_go_on(error):
            if not self.control.is_attended and self.now() - began >= UNATTENDED_S:
                self._is_hopeless = True
                raise error
            if self.now() - looked_at >= self._pause_s:
                looked_at, free = self.now(), _free(place)
                if free is not None and free >= needed:
                    return

    @property
    def _pause_s(self) -> float:
        """How long after a failed attempt the next one comes: a quota shows free space too."""
        return min(POLL_S * 2.0 ** (self._failures - 1), MOST_POLL_S)

    def _is_to_go_on(self, error: DiskFull) -> bool:
        """Wait a moment for what people say; tell whether they say that there is room."""
        self.control.wait()
        self.control.look()
        stop = self.control.stop_command
        if stop is not None and not stop.save:
            raise StopRequested
        if stop is not None:
            self._give_up(error)
        return self.control.take_go_on()

    def _give_up(self, error: DiskFull) -> NoReturn:
        self._is_decided = error.is_decided = True
        raise error


def _free(place: Path) -> int | None:
    disk = disk_of(place.parent)
    return None if disk is None else disk.free_bytes
