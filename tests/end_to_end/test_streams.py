"""No reader, gone, asleep or shouted at, can hold up a run or break its events."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import helpers.relay
import pytest
from helpers.pictures import write_picture
from helpers.run_results import Result
from helpers.tiny_model import TinySD1
from helpers.trainer_process import (
    PATIENCE_S,
    TELLS_EVENTS,
    Ended,
    TinyProject,
    run_trainer,
    trainer_command,
)

from trainer_core.protocol.codec import decode_event
from trainer_core.protocol.command_file import write_command
from trainer_core.protocol.messages import Finished, Hello, Overflowed, StepDone, Stop

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no SIGSTOP, and its C library another name"
)

# From the moment on in which the streams are guarded, a thread prints in every way that a library
# can: as long as the process lives.
CHATTER = """
import ctypes, os, threading, time
from trainer_core.runtime.streams import GuardedStreams
guard, libc = GuardedStreams.__enter__, ctypes.CDLL(None)
def chat():
    while True:
        os.write(1, b"said to descriptor 1\\n")
        os.write(2, b"said to descriptor 2\\n")
        libc.puts(b"said from C")
        libc.fflush(None)
        print("said from Python")
        time.sleep(0.005)
def enter(self):
    guarded = guard(self)
    threading.Thread(target=chat, daemon=True).start()
    return guarded
GuardedStreams.__enter__ = enter
"""
SAID = {"said to descriptor 1", "said to descriptor 2", "said from C", "said from Python"}
STEPS = 20
# More than the trainer's queue and the pipe hold, so that something has to be left out.
SLEPT_STEPS = 2500


def project_in(folder: Path, model: TinySD1) -> TinyProject:
    write_picture(folder / "pictures" / "a.png")
    changes = {
        "optimizer.max_train_steps": STEPS,
        "adapter.network_train_text_encoder_only": True,
        "buckets.resolution": [64, 64],
    }
    return TinyProject(folder, model.folder, folder / "pictures", changes)


def with_chatter(project: TinyProject) -> Ended:
    return run_trainer("train", project.run_file(), before=CHATTER)


def with_closed_pipes(project: TinyProject) -> int:
    """Close all three pipes as soon as the trainer has said hello; return its exit code."""
    command = trainer_command("train", project.run_file(), before=CHATTER)
    pipe = subprocess.PIPE
    env = os.environ | TELLS_EVENTS
    with subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, stderr=pipe) as trainer:
        try:
            assert isinstance(decode_event(trainer.stdout.readline()), Hello)
            for stream in (trainer.stdin, trainer.stdout, trainer.stderr):
                stream.close()
            return trainer.wait(PATIENCE_S)
        finally:
            trainer.kill()


@dataclass(frozen=True)
class Ends:
    """How the two runs ended that were spoken to and left alone."""

    chatting: Ended
    chatted: Result
    closed_code: int
    closed: Result


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory, tiny_model: TinySD1) -> Ends:
    folder = tmp_path_factory.mktemp("streams")
    one, other = (project_in(folder / name, tiny_model) for name in ("chatter", "closed"))
    with ThreadPoolExecutor() as pool:
        chatting, closed = pool.submit(with_chatter, one), pool.submit(with_closed_pipes, other)
    results = [Result.at(project.output, "tiny") for project in (one, other)]
    return Ends(chatting.result(), results[0], closed.result(), results[1])


def check_complete(result: Result) -> None:
    assert list(result.steps) == list(range(1, STEPS + 1))
    (finished,) = result.of(Finished)
    assert result.events[-1] == finished
    assert finished.reason == "completed"
    assert result.weights()


def check_said(log: str) -> None:
    assert not SAID - set(log.splitlines())


def test_a_run_with_all_pipes_closed_ends_as_planned(ends: Ends) -> None:
    assert ends.closed_code == 0
    check_complete(ends.closed)


def test_what_is_printed_after_the_pipes_were_closed_is_in_the_log(ends: Ends) -> None:
    check_said(ends.closed.folder.log_file.read_text(encoding="utf-8"))


def test_prints_of_libraries_do_not_reach_the_event_stream(ends: Ends) -> None:
    assert ends.chatting.out.encode() == ends.chatted.folder.event_file.read_bytes()
    check_complete(ends.chatted)


def test_prints_of_libraries_are_in_the_log_and_on_stderr(ends: Ends) -> None:
    check_said(ends.chatting.log)
    check_said(ends.chatted.folder.log_file.read_text(encoding="utf-8"))


class Relayed:
    """A long run behind a parent process that copies the events to a file of its own."""

    def __init__(self, folder: Path, model: TinySD1) -> None:
        project = project_in(folder, model)
        run_file = project.run_file({"optimizer.max_train_steps": 10**6})
        self.result = Result.at(project.output, "tiny")
        self._received = folder / "received.jsonl"
        command = [sys.executable, helpers.relay.__file__, str(self._received)]
        trainer = trainer_command("train", run_file)
        self.parent = subprocess.Popen([*command, *trainer], env=os.environ | TELLS_EVENTS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.parent.send_signal(signal.SIGCONT)
        if self.parent.poll() is None:
            hello = decode_event(self.lines()[0])
            assert isinstance(hello, Hello)
            os.kill(hello.pid, signal.SIGKILL)
        self.parent.wait(PATIENCE_S)

    def lines(self) -> list[bytes]:
        """Return what the parent has received."""
        return self._received.read_bytes().splitlines(keepends=True)

    def steps(self) -> int:
        """Return how many steps the trainer has done."""
        file = self.result.folder.event_file
        return file.read_bytes().count(b'"step_done"') if file.exists() else 0

    def has_overflowed(self) -> bool:
        return any(b'"overflowed"' in line for line in self.lines())


def wait_until(is_so: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def sleep_through_a_run(run: Relayed) -> tuple[float, float]:
    """Let the parent sleep through a part of the run; return when it fell asleep and awoke."""
    wait_until(lambda: run.steps() >= 100)
    run.parent.send_signal(signal.SIGSTOP)
    fell_asleep, steps = time.time(), run.steps()
    wait_until(lambda: run.steps() > steps + SLEPT_STEPS, 4 * PATIENCE_S)
    awoke = time.time()
    run.parent.send_signal(signal.SIGCONT)
    wait_until(run.has_overflowed)
    write_command(run.result.folder.control, Stop(save=False), "stop")
    assert run.parent.wait(PATIENCE_S) == 0
    return fell_asleep, awoke


@pytest.mark.slow
def test_a_reader_that_sleeps_costs_no_step(tmp_path: Path, tiny_model: TinySD1) -> None:
    with Relayed(tmp_path, tiny_model) as run:
        fell_asleep, awoke = sleep_through_a_run(run)
    times = [event.time for event in run.result.of(StepDone)]
    assert sum(fell_asleep < time < awoke for time in times) > SLEPT_STEPS / 2
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < 5.0

    written, known = run.result.folder.event_file.read_bytes(), b""
    for line in run.lines():
        event = decode_event(line)
        known += written[event.offset : event.end] if isinstance(event, Overflowed) else line
    assert known == written, "the reader can rebuild what it missed from the file"
