import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainer_core.runtime.streams import PatientWriter

FULL_PIPE = b"x" * 2**20  # more than a pipe holds
QUEUED = 3


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe that nobody reads yet."""
    read_end, write_end = os.pipe()
    yield read_end, write_end
    os.close(write_end)


def test_what_is_offered_arrives_in_order(pipe: tuple[int, int]) -> None:
    read_end, write_end = pipe
    writer = PatientWriter(write_end)
    assert all(writer.offer(b"%d\n" % number) for number in range(100))
    writer.close()
    assert os.read(read_end, 65536).split() == [b"%d" % number for number in range(100)]
    os.close(read_end)


def test_a_reader_that_sleeps_makes_the_queue_overflow_and_holds_nobody_up(
    pipe: tuple[int, int],
) -> None:
    read_end, write_end = pipe
    writer = PatientWriter(write_end, capacity=QUEUED)
    started = time.monotonic()
    taken = [writer.offer(FULL_PIPE) for _ in range(50)]
    assert time.monotonic() - started < 1.0
    assert taken[:QUEUED] == [True] * QUEUED
    assert taken[QUEUED + 1 :] == [False] * (49 - QUEUED)  # one more if the thread took one out
    os.close(read_end)


def test_a_reader_that_sleeps_delays_the_end_only_so_long(pipe: tuple[int, int]) -> None:
    read_end, write_end = pipe
    writer = PatientWriter(write_end, capacity=QUEUED)
    while writer.offer(FULL_PIPE):
        pass
    started = time.monotonic()
    writer.close(timeout_s=0.1)
    assert time.monotonic() - started < 2.0
    os.close(read_end)


def test_without_a_reader_everything_is_dropped(pipe: tuple[int, int]) -> None:
    read_end, write_end = pipe
    os.close(read_end)
    writer = PatientWriter(write_end, capacity=1000)
    assert all(writer.offer(b"words\n") for _ in range(500))
    writer.close()
    assert not writer._thread.is_alive()


def guarded(tmp_path: Path, body: str, **streams: object) -> subprocess.CompletedProcess[bytes]:
    """Run ``body`` in a process of its own with guarded streams and a log."""
    indented = "\n".join(f"    {line}" for line in body.strip().splitlines())
    program = f"""
import ctypes, logging, os, subprocess, sys
from pathlib import Path
from trainer_core.runtime.streams import GuardedStreams
with GuardedStreams() as streams:
    streams.open_log(Path({str(tmp_path / "log")!r}))
{indented}
"""
    command = [sys.executable, "-I", "-u", "-X", "utf8", "-c", program]
    return subprocess.run(command, timeout=60, check=False, **streams)  # type: ignore[call-overload]


CHATTER = """
print("from python")
os.write(1, b"from descriptor 1\\n")
libc = ctypes.CDLL(None)
libc.puts(b"from C")
libc.fflush(None)
subprocess.run(["echo", "from a child"])
os.write(streams.events, b"an event\\n")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="loads the C library by its Unix name")
def test_nothing_that_a_library_prints_reaches_the_events(tmp_path: Path) -> None:
    done = guarded(tmp_path, CHATTER, capture_output=True)
    assert done.stdout == b"an event\n"
    said = {b"from python", b"from descriptor 1", b"from C", b"from a child"}
    assert set(done.stderr.splitlines()) == said
    assert set((tmp_path / "log").read_bytes().splitlines()) == said


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot close a child's streams")
def test_it_starts_without_any_standard_stream(tmp_path: Path) -> None:
    body = """
print("to nobody")
logging.basicConfig(level=logging.INFO)
logging.info("to the log")
assert os.open(os.devnull, os.O_RDONLY) > 2
"""

    def close_all() -> None:
        os.closerange(0, 3)

    done = guarded(tmp_path, body, preexec_fn=close_all)
    assert done.returncode == 0
    assert b"to the log" in (tmp_path / "log").read_bytes()


def test_a_crash_in_native_code_leaves_its_place_in_the_log(tmp_path: Path) -> None:
    done = guarded(tmp_path, "ctypes.string_at(0)", capture_output=True)
    assert done.returncode != 0
    assert b"string_at" in (tmp_path / "log").read_bytes()
