import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainer_core.errors import DiskFull, OutputError
from trainer_core.events.emitter import Emitter
from trainer_core.protocol.codec import decode_event
from trainer_core.protocol.messages import EventBase, Overflowed, Progress, StepDone

MORE_THAN_FITS = 4000  # 64 KiB of pipe and 2000 queued lines hold fewer


class Reader:
    """The app's end of the pipe: asleep until it is told to read on."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._thread: threading.Thread | None = None
        self._data = bytearray()

    def wake(self) -> None:
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while data := os.read(self._descriptor, 65536):
            self._data += data

    def lines(self) -> list[bytes]:
        """Return everything, once the other end is closed."""
        assert self._thread is not None
        self._thread.join(20)
        return bytes(self._data).splitlines(keepends=True)


class Wire:
    """An emitter on a pipe whose reader is asleep."""

    def __init__(self, file: Path) -> None:
        read_end, self.write_end = os.pipe()
        self.file = file
        self.reader = Reader(read_end)
        self.emitter = Emitter(self.write_end)

    def end(self) -> list[bytes]:
        """Close the trainer's side; return the lines that the app has read."""
        self.emitter.close()
        os.close(self.write_end)
        return self.reader.lines()

    def rebuilt(self, lines: list[bytes]) -> bytes:
        """Return what the app knows in the end: what it missed taken from the file."""
        known = b""
        for line in lines:
            event = decode_event(line)
            if isinstance(event, Overflowed):
                assert event.path == str(self.file)
                line = self.file.read_bytes()[event.offset : event.end]
            known += line
        return known


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    made = Wire(tmp_path / "events.jsonl")
    yield made
    os.close(made.reader._descriptor)


def steps(emitter: Emitter, numbers: range) -> None:
    for number in numbers:
        emitter.emit(StepDone(step=number, epoch=1, loss=0.5, learning_rates={"unet": 1e-4}))


def overflows(lines: list[bytes]) -> int:
    return sum(isinstance(decode_event(line), Overflowed) for line in lines)


def read(path: Path) -> list[EventBase | None]:
    return [decode_event(line) for line in path.read_bytes().splitlines()]


def test_every_event_is_in_the_file_and_on_the_pipe(wire: Wire) -> None:
    wire.reader.wake()
    wire.emitter.open_file(wire.file)
    steps(wire.emitter, range(50))
    assert b"".join(wire.end()) == wire.file.read_bytes()
    assert len(read(wire.file)) == 50


def test_a_reader_that_slept_can_rebuild_everything_from_the_file(wire: Wire) -> None:
    wire.emitter.open_file(wire.file)
    steps(wire.emitter, range(MORE_THAN_FITS))
    wire.reader.wake()
    steps(wire.emitter, range(MORE_THAN_FITS, MORE_THAN_FITS + 100))
    lines = wire.end()
    assert overflows(lines) >= 1
    assert len(lines) < MORE_THAN_FITS
    assert wire.rebuilt(lines) == wire.file.read_bytes()
    assert len(read(wire.file)) == MORE_THAN_FITS + 100


def test_what_was_lost_last_is_told_at_the_end(wire: Wire) -> None:
    wire.emitter.open_file(wire.file)
    steps(wire.emitter, range(MORE_THAN_FITS))
    wire.reader.wake()
    lines = wire.end()
    assert isinstance(decode_event(lines[-1]), Overflowed)
    assert wire.rebuilt(lines) == wire.file.read_bytes()


def test_what_is_lost_before_there_is_a_file_is_found_in_it_later(wire: Wire) -> None:
    wire.file.write_bytes(b'{"event": "detached"}\n')  # an earlier part of the same run
    steps(wire.emitter, range(MORE_THAN_FITS))
    wire.reader.wake()
    wire.emitter.open_file(wire.file)
    steps(wire.emitter, range(MORE_THAN_FITS, MORE_THAN_FITS + 100))
    lines = wire.end()
    assert overflows(lines) >= 1
    assert b'{"event": "detached"}\n' + wire.rebuilt(lines) == wire.file.read_bytes()


def test_events_before_the_file_is_open_are_written_to_it(tmp_path: Path) -> None:
    emitter = Emitter()
    steps(emitter, range(2))
    emitter.open_file(tmp_path / "events.jsonl")
    steps(emitter, range(2, 4))
    emitter.close()
    events = read(tmp_path / "events.jsonl")
    assert [event.step for event in events if isinstance(event, StepDone)] == [0, 1, 2, 3]


def test_half_a_line_of_a_killed_trainer_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"event": "detached"}\n{"event": "step_done", "st')
    emitter = Emitter()
    emitter.open_file(path)
    steps(emitter, range(1))
    emitter.close()
    assert [event and event.event for event in read(path)] == ["detached", "step_done"]  # type: ignore[attr-defined]


def test_threads_that_emit_at_once_do_not_mix_their_lines(wire: Wire) -> None:
    wire.reader.wake()
    wire.emitter.open_file(wire.file)
    workers = [
        threading.Thread(target=steps, args=(wire.emitter, range(first, first + 300)))
        for first in (0, 300, 600)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    lines = wire.end()
    assert wire.rebuilt(lines) == wire.file.read_bytes()
    numbers = [event.step for event in read(wire.file) if isinstance(event, StepDone)]
    assert sorted(numbers) == list(range(900))


def test_progress_is_sent_ten_times_a_second_at_most_and_at_its_end(tmp_path: Path) -> None:
    emitter = Emitter()
    emitter.open_file(tmp_path / "events.jsonl")
    for done in range(1001):
        emitter.progress("caching", done, 1000)
    emitter.close()
    events = [event for event in read(tmp_path / "events.jsonl") if isinstance(event, Progress)]
    assert (events[0].done, events[-1].done) == (0, 1000)
    assert len(events) <= 2 + 10 * (events[-1].time - events[0].time)


class FullFile:
    """An event file on a disk that takes so many bytes more."""

    def __init__(self, room: int, number: int = errno.ENOSPC) -> None:
        self.room, self.number = room, number
        self.content = b""

    def write(self, data: bytes) -> int:
        if self.room <= 0:
            raise OSError(self.number, os.strerror(self.number))
        taken = bytes(data[: self.room])
        self.content += taken
        self.room -= len(taken)
        return len(taken)

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def on_full_disk(tmp_path: Path) -> tuple[Emitter, FullFile]:
    """An emitter whose event file takes a line and a half."""
    emitter, file = Emitter(), FullFile(room=130)
    emitter.open_file(tmp_path / "events.jsonl")
    emitter._file.close()  # type: ignore[union-attr]
    emitter._file = file  # type: ignore[assignment]
    return emitter, file


def test_what_a_full_disk_does_not_take_is_written_once_there_is_room(
    on_full_disk: tuple[Emitter, FullFile],
) -> None:
    emitter, file = on_full_disk
    emitter.require_room()
    for number in range(5):
        emitter.emit(Progress(phase="caching", done=number, total=9))
    with pytest.raises(DiskFull, match=r"events\.jsonl cannot be written"):
        emitter.require_room()

    file.room = 10_000
    emitter.require_room()
    emitter.emit(Progress(phase="caching", done=5, total=9))
    events = [decode_event(line) for line in file.content.splitlines()]
    assert [e.done for e in events if isinstance(e, Progress)] == list(range(6))


def test_another_failure_of_the_disk_is_told_at_once(
    on_full_disk: tuple[Emitter, FullFile],
) -> None:
    emitter, file = on_full_disk
    file.number, file.room = errno.EIO, 0

    with pytest.raises(OutputError) as caught:
        emitter.emit(Progress(phase="caching", done=1, total=9))
    assert not isinstance(caught.value, DiskFull)
