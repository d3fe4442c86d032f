"""What meets a full disk waits for room as long as somebody may make some, and no longer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from helpers.stubs import StubEmitter

from trainer_core.disk_space.room import Disk
from trainer_core.errors import DiskFull, StopRequested
from trainer_core.protocol.messages import Continue, DiskFilled, Stop
from trainer_core.train.control import Control
from trainer_core.train.full_disk import waiting
from trainer_core.train.full_disk.waiting import POLL_S, UNATTENDED_S, WaitForRoom


@dataclass
class Place:
    """A disk, a clock, and whoever says something at a time; the clock runs while it is waited."""

    monkeypatch: pytest.MonkeyPatch
    is_attended: bool = True
    free: int = 0
    seconds: float = 0.0
    attempts: list[float] = field(default_factory=list)
    happens: dict[float, Callable[[], object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.emitter = StubEmitter([])
        self.control = Control(
            warn=lambda words: None, detached=lambda: None, has_terminal=self.is_attended
        )
        self.monkeypatch.setattr(self.control, "wait", self._wait)
        self.monkeypatch.setattr(waiting, "disk_of", lambda folder: Disk(1, self.free))
        emitter: object = self.emitter
        self.with_room = WaitForRoom(emitter, self.control, now=lambda: self.seconds)  # type: ignore[arg-type]

    def _wait(self) -> None:
        self.seconds += 1.0
        assert self.seconds < 10_000, "it waits for ever"
        for at in [at for at in self.happens if at <= self.seconds]:
            self.happens.pop(at)()

    def write(self) -> str:
        """Write 100 bytes where there is room for them."""
        self.attempts.append(self.seconds)
        if self.free < 100:
            error = DiskFull("It is full.")
            error.path = Path("/disk/file")
            raise error
        return "written"

    def run(self) -> str:
        return self.with_room(self.write, phase="saving", num_bytes=lambda: 100)

    def make_room(self) -> None:
        self.free = 1000

    @property
    def told(self) -> list[DiskFilled]:
        return [event for event in self.emitter.events if isinstance(event, DiskFilled)]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(monkeypatch)


@pytest.fixture
def lonely(monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(monkeypatch, is_attended=False)


def test_where_there_is_room_nothing_is_told(place: Place) -> None:
    place.make_room()

    assert place.run() == "written"
    assert place.emitter.events == []


def test_it_is_paused_and_goes_on_once_the_disk_has_room(place: Place) -> None:
    place.happens[500] = place.make_room

    assert place.run() == "written"
    (told,) = place.told
    assert (told.folder, told.needed_bytes, told.free_bytes) == ("/disk", 100, 0)
    assert place.emitter.phases == ["paused", "saving"]
    assert 500 <= place.attempts[-1] <= 500 + POLL_S


def test_an_attempt_is_made_when_somebody_says_go_on(place: Place) -> None:
    place.happens[1] = lambda: place.control.obey(Continue())
    place.happens[2] = place.make_room
    place.happens[2.5] = lambda: place.control.obey(Continue())

    assert place.run() == "written"
    assert place.attempts == [0, 1, 3]
    assert len(place.told) == 2


def test_where_the_disk_seems_to_have_room_attempts_become_rare(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "disk_of", lambda folder: Disk(1, 1000))  # as with a quota
    place.happens[1000] = place.make_room

    assert place.run() == "written"
    pauses = [after - at for at, after in zip(place.attempts, place.attempts[1:], strict=False)]
    assert pauses[:5] == [3, 6, 12, 24, 48]
    assert set(pauses[5:]) == {60}


def test_stop_and_save_ends_it_for_this_and_all_that_follows(place: Place) -> None:
    place.happens[5] = lambda: place.control.obey(Stop(save=True))

    for _ in range(2):
        with pytest.raises(DiskFull) as caught:
            place.run()
        assert caught.value.is_decided
    assert place.attempts == [0, 5]
    assert len(place.told) == 1


def test_stop_without_saving_leaves_at_once(place: Place) -> None:
    place.happens[5] = lambda: place.control.obey(Stop(save=False))

    with pytest.raises(StopRequested):
        place.run()


def test_nobody_is_waited_for_long_and_not_again_before_something_could_be_written(
    lonely: Place,
) -> None:
    for _ in range(2):
        with pytest.raises(DiskFull) as caught:
            lonely.run()
        assert not caught.value.is_decided
    assert lonely.attempts == [0, UNATTENDED_S]
    assert lonely.seconds == UNATTENDED_S

    lonely.make_room()
    assert lonely.run() == "written"
    lonely.free = 0
    with pytest.raises(DiskFull):
        lonely.run()
    assert lonely.seconds == 2 * UNATTENDED_S


def test_room_that_comes_in_time_is_used_though_nobody_is_there(lonely: Place) -> None:
    lonely.happens[UNATTENDED_S / 2] = lonely.make_room

    assert lonely.run() == "written"
