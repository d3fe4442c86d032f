"""One trainer at a time works in a run folder, and a dead one holds nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trainer_core.errors import OutputError
from trainer_core.run_lock import RunLock

HOLDER = """\
import sys, time
from pathlib import Path
from trainer_core.run_lock import RunLock
with RunLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cat.run" / "lock"


@pytest.fixture(autouse=True)
def _run_folder(path: Path) -> None:
    path.parent.mkdir()


def test_a_held_lock_keeps_others_out_in_words(path: Path) -> None:
    with RunLock(path), pytest.raises(OutputError, match=r"cat\.run is in use") as caught:
        RunLock(path).__enter__()

    assert caught.value.hint is not None


def test_a_lock_is_free_after_its_block(path: Path) -> None:
    with RunLock(path) as lock:
        assert lock.is_held
    assert not lock.is_held

    with RunLock(path) as again:
        assert again.is_held


def test_a_lock_is_free_after_an_error_in_its_block(path: Path) -> None:
    with pytest.raises(ValueError, match="oh"), RunLock(path):
        raise ValueError("oh")

    with RunLock(path) as again:
        assert again.is_held


def test_being_refused_does_not_free_the_lock_of_the_other(path: Path) -> None:
    with RunLock(path):
        for _ in range(2):
            with pytest.raises(OutputError):
                RunLock(path).__enter__()


def test_the_file_names_the_process_and_its_start(path: Path) -> None:
    path.write_text("x" * 500)  # longer than what is written
    with RunLock(path):
        content = json.loads(path.read_text())

    assert content["pid"] == os.getpid()
    assert abs(content["started"] - time.time()) < 60


def test_the_lock_of_a_killed_process_is_free(path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(OutputError, match="is in use"):
                RunLock(path).__enter__()
        finally:
            holder.kill()
            holder.wait()

    with RunLock(path) as lock:
        assert lock.is_held


def test_a_lock_that_cannot_be_written_is_named(path: Path) -> None:
    with pytest.raises(OutputError, match="gone"):
        RunLock(path.parent / "gone" / "lock").__enter__()
