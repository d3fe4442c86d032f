"""Commands reach the loop from every source, once, and nothing else on the way does harm."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainer_core.errors import StopRequested
from trainer_core.protocol.codec import encode
from trainer_core.protocol.command_file import write_command
from trainer_core.protocol.messages import (
    Continue,
    Detach,
    Pause,
    SampleNow,
    SaveNow,
    Stop,
)
from trainer_core.texts import Text
from trainer_core.train.control import Control, Wishes

PATIENCE_S = 30.0
HANGUP = [signal.SIGHUP] if hasattr(signal, "SIGHUP") else []


class Told:
    """What a control told others."""

    def __init__(self) -> None:
        self.warnings: list[Text] = []
        self.detached = 0

    def detach(self) -> None:
        self.detached += 1


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def control(told: Told) -> Control:
    return Control(warn=told.warnings.append, detached=told.detach)


@pytest.fixture
def folder(tmp_path: Path, control: Control) -> Path:
    """A control folder that is looked into."""
    control.watch_folder(tmp_path / "control")
    return tmp_path / "control"


# ------------------------------------------------------------------ what is asked


def test_keeping_a_state_is_asked_for_once_whenever_the_time_has_passed(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def is_asked_at(now: float) -> bool:
        clock[0] = now
        return control.take_wishes() == Wishes(keep=True)

    control.keep_every(60)
    times = (1000.0, 1059.9, 1060.0, 1061.0, 1119.9, 1125.0)
    assert list(filter(is_asked_at, times)) == [1060.0, 1125.0]
    control.keep_every(None)
    assert not is_asked_at(5000.0)


@pytest.mark.parametrize("save", [True, False])
def test_a_stop_is_kept_with_its_wish(control: Control, save: bool) -> None:
    control.obey(Stop(save=save))

    assert [control.take_wishes().command for _ in range(2)] == [Stop(save=save)] * 2


def test_a_second_stop_replaces_the_first(control: Control) -> None:
    control.obey(Stop(save=True))
    control.obey(Stop(save=False))

    assert control.take_wishes().command == Stop(save=False)


def test_a_stop_before_training_leaves_at_once(control: Control) -> None:
    control.obey(Stop())

    with pytest.raises(StopRequested):
        control.stop_if_asked()


def test_a_save_is_taken_once(control: Control) -> None:
    control.obey(SaveNow())

    assert [control.take_wishes() for _ in range(2)] == [Wishes(save=True), Wishes()]


def test_samples_are_taken_once(control: Control) -> None:
    control.obey(SampleNow())

    assert [control.take_wishes() for _ in range(2)] == [Wishes(sample=True), Wishes()]


def test_a_pause_lasts_until_told_to_go_on(control: Control) -> None:
    control.obey(Pause())
    assert control.take_wishes().pause

    control.obey(Continue())
    assert not control.take_wishes().pause


def test_a_stop_ends_a_pause(control: Control) -> None:
    control.obey(Pause())
    control.obey(Stop())

    assert not control.take_wishes().pause


def test_a_detach_is_answered(control: Control, told: Told) -> None:
    control.obey(Detach())

    assert told.detached == 1
    assert control.take_wishes().command is None


# ------------------------------------------------------------------ waiting


def test_waiting_ends_as_soon_as_something_is_asked(control: Control) -> None:
    control.obey(Pause())
    control.wait(poll_s=0)  # takes note of the pause itself
    timer = threading.Timer(0.02, control.obey, [Continue()])
    started = time.monotonic()
    timer.start()

    control.wait(poll_s=PATIENCE_S)
    assert time.monotonic() - started < PATIENCE_S / 2
    assert not control.take_wishes().pause
    timer.join()


def test_a_pause_ends_by_a_command_in_the_folder(control: Control, folder: Path) -> None:
    control.obey(Pause())
    write_command(folder, Continue(), "1")

    assert not control.take_wishes().pause


# ------------------------------------------------------------------ the folder


def test_a_command_in_the_folder_is_taken_and_removed(control: Control, folder: Path) -> None:
    write_command(folder, Stop(save=False), "1")

    assert control.take_wishes().command == Stop(save=False)
    assert list(folder.iterdir()) == []


def test_commands_are_taken_in_the_order_of_their_names(control: Control, folder: Path) -> None:
    write_command(folder, Stop(save=False), "2")
    write_command(folder, Stop(save=True), "1")

    assert control.take_wishes().command == Stop(save=False)


def test_commands_of_an_earlier_start_are_not_for_this_one(
    tmp_path: Path, control: Control
) -> None:
    (tmp_path / "control").mkdir()
    write_command(tmp_path / "control", Stop(), "1")

    control.watch_folder(tmp_path / "control")
    assert control.take_wishes().command is None


def test_a_command_that_is_being_written_is_left_alone(control: Control, folder: Path) -> None:
    (folder / "1.part").write_bytes(encode(Stop())[:5])

    assert control.take_wishes().command is None
    assert [path.name for path in folder.iterdir()] == ["1.part"]


@pytest.mark.parametrize("content", [b"", b"{", b'{"command": "dance"}', b"\xff", b"[" * 50_000])
def test_a_command_that_is_not_understood_is_warned_of_once(
    control: Control, folder: Path, told: Told, content: bytes
) -> None:
    (folder / "1.json").write_bytes(content)
    write_command(folder, SaveNow(), "2")

    control.look()
    control.look()
    assert len(told.warnings) == 1
    assert control.take_wishes().save


def test_an_entry_that_cannot_be_read_does_not_hide_later_commands(
    control: Control, folder: Path
) -> None:
    (folder / "1.json").mkdir()
    write_command(folder, SaveNow(), "2")

    control.look()
    assert control.take_wishes().save


def test_no_command_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "control").symlink_to("mine")

    with pytest.raises(OSError, match="link"):
        write_command(tmp_path / "control", Stop(), "1")
    assert list((tmp_path / "mine").iterdir()) == []


OWN_NAME = "01234567890123456789-1234-000001.json"


@pytest.mark.parametrize(("name", "stays"), [(OWN_NAME, False), ("notes.json", True)])
def test_only_what_bears_a_name_of_ours_is_removed_unless_it_is_obeyed(
    control: Control, folder: Path, name: str, stays: bool
) -> None:
    (folder / name).write_bytes(b'{"a list": "of a user"}')

    control.look()
    assert (folder / name).exists() is stays


@pytest.mark.parametrize(
    ("name", "stays"),
    [(OWN_NAME, False), (OWN_NAME.replace("json", "part"), False), ("notes.json", True)],
)
def test_what_an_earlier_start_left_is_removed_by_its_name(
    tmp_path: Path, control: Control, name: str, stays: bool
) -> None:
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / name).write_bytes(encode(Stop()))

    control.watch_folder(tmp_path / "control")
    assert control.take_wishes().command is None
    assert (tmp_path / "control" / name).exists() is stays


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.timeout(20)
def test_a_pipe_a_link_and_a_large_file_are_told_once_and_not_read(
    control: Control, folder: Path, told: Told
) -> None:
    os.mkfifo(folder / "1.json")
    (folder / "2.json").symlink_to(folder.parent / "elsewhere.json")
    (folder.parent / "elsewhere.json").write_bytes(encode(Stop()))
    (folder / "3.json").write_bytes(encode(Stop()) + b" " * 2**16)

    control.look()
    assert control.take_wishes().command is None
    assert [str(warning).count("no file that a command") for warning in told.warnings] == [1] * 3
    assert len(list(folder.iterdir())) == 3


def test_a_folder_that_is_gone_asks_nothing(control: Control, folder: Path) -> None:
    folder.rmdir()

    assert control.take_wishes().command is None


# ------------------------------------------------------------------ stdin


def read_from_stdin(control: Control, *written: bytes) -> None:
    """Let the control read what an app wrote to stdin before it closed it."""
    kept = os.dup(0)
    reader, writer = os.pipe()
    os.dup2(reader, 0)
    os.close(reader)
    try:
        control.watch_stdin()
        (thread,) = (each for each in threading.enumerate() if each.name == "commands")
        for data in written:
            os.write(writer, data)
        os.close(writer)
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def test_a_command_on_stdin_is_taken(control: Control) -> None:
    read_from_stdin(control, encode(Stop(save=False)))

    assert control.take_wishes().command == Stop(save=False)


def test_lines_may_come_in_pieces_or_together(control: Control) -> None:
    line = encode(SaveNow())
    read_from_stdin(control, b"\n  \n" + line[:4], line[4:] + encode(SampleNow()) + encode(Stop()))

    assert control.take_wishes() == Wishes(stop=True, saves_first=True, save=True, sample=True)


def test_a_line_that_is_no_command_is_warned_of(control: Control, told: Told) -> None:
    read_from_stdin(control, b"stop please\n" + encode(SaveNow()))

    assert control.take_wishes().save
    (warning,) = told.warnings
    assert "stop please" in str(warning)


def test_the_end_of_stdin_asks_nothing(control: Control, told: Told) -> None:
    read_from_stdin(control, encode(Stop())[:5])  # the app died while it wrote

    assert control.take_wishes().command is None
    assert told.warnings == []


# ------------------------------------------------------------------ signals


@pytest.fixture
def signals(control: Control) -> Iterator[None]:
    """The control takes the process's signals; afterwards they are as before."""
    numbers = [signal.SIGINT, signal.SIGTERM, *HANGUP]
    before = {number: signal.getsignal(number) for number in numbers}
    control.watch_signals()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, *HANGUP])
def test_a_signal_saves_and_stops(control: Control, number: signal.Signals) -> None:
    signal.raise_signal(number)

    assert control.take_wishes().command == Stop(save=True)
    assert control.signal is number


@pytest.mark.usefixtures("signals")
def test_a_second_signal_ends_at_once(control: Control) -> None:
    signal.raise_signal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert control.signal is signal.SIGTERM


@pytest.mark.usefixtures("signals")
def test_a_second_signal_that_a_library_swallowed_is_not_forgotten(control: Control) -> None:
    for number in (signal.SIGINT, signal.SIGINT):
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(number)

    with pytest.raises(KeyboardInterrupt):
        control.stop_if_asked()


@pytest.mark.usefixtures("signals")
def test_a_signal_does_not_make_a_stop_without_saving_save(control: Control) -> None:
    control.obey(Stop(save=False))
    signal.raise_signal(signal.SIGTERM)

    assert control.take_wishes().command == Stop(save=False)


@pytest.mark.usefixtures("signals")
def test_a_signal_ends_a_pause(control: Control) -> None:
    control.obey(Pause())
    signal.raise_signal(signal.SIGTERM)

    assert not control.take_wishes().pause
