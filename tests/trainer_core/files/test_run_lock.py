"""One trainer at a time works in a run folder, and a dead one holds nothing."""

from __future__ import annotations

import errno
import json
import os
import platform
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from trainer_core.errors import OutputError
from trainer_core.files import run_lock
from trainer_core.files.run_lock import LockHolder, RunLock, lock_holder

HOLDER = """\
import sys, time
from pathlib import Path
from trainer_core.files.run_lock import RunLock
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


def test_a_held_lock_tells_who_holds_it(path: Path) -> None:
    before = time.time()
    with RunLock(path):
        holder = lock_holder(path)

    assert holder is not None
    assert holder.pid == os.getpid()
    assert before <= holder.started <= time.time()
    assert holder.is_here


def test_nobody_holds_a_lock_that_was_let_go_or_never_was(path: Path) -> None:
    assert lock_holder(path) is None
    with RunLock(path):
        pass
    assert lock_holder(path) is None


def test_asking_who_holds_a_lock_neither_takes_nor_frees_it(path: Path) -> None:
    with RunLock(path):
        lock_holder(path)
        with pytest.raises(OutputError):
            RunLock(path).__enter__()
    lock_holder(path)
    with RunLock(path) as lock:
        assert lock.is_held


def test_a_lock_whose_file_says_nothing_yet_is_held_all_the_same(path: Path) -> None:
    with RunLock(path):
        path.write_bytes(b"")
        assert lock_holder(path) == LockHolder()


def test_a_process_of_another_machine_is_not_here(path: Path) -> None:
    with RunLock(path):
        said = json.loads(path.read_text())
        path.write_text(json.dumps(said | {"host": "elsewhere"}))
        holder = lock_holder(path)

    assert holder is not None
    assert not holder.is_here


def test_a_trainer_that_starts_while_somebody_asks_gets_its_lock(path: Path) -> None:
    asker = RunLock(path).__enter__()
    threading.Timer(0.1, asker.__exit__, (None, None, None)).start()
    with RunLock(path) as lock:
        assert lock.is_held


# ------------------------------------------------------------------ without locks


@pytest.fixture
def _no_locks(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(run_lock, "_try_lock", refuse)
    monkeypatch.setattr(run_lock, "_try_share", refuse)


# What flock says on Lustre without -o flock, NFS without a lock daemon, and some FUSE.
WITHOUT_LOCKS = pytest.mark.parametrize(
    "_no_locks", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP], indirect=True
)


@WITHOUT_LOCKS
@pytest.mark.usefixtures("_no_locks")
def test_a_file_system_without_locks_is_told_from_a_lock_that_is_held(path: Path) -> None:
    with RunLock(path) as lock:
        assert lock.is_held
        assert not lock.has_locks
        holder = lock_holder(path)

    assert holder is not None
    assert holder.pid == os.getpid()
    assert lock_holder(path) is None


@WITHOUT_LOCKS
@pytest.mark.usefixtures("_no_locks")
def test_without_locks_a_process_that_is_gone_holds_nothing(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    path.write_text(json.dumps({"pid": gone.pid, "started": 1.0, "host": platform.node()}))

    assert lock_holder(path) is None


def test_a_lock_that_is_a_link_is_refused_and_its_target_kept(path: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    path.symlink_to(tmp_path / "mine")

    with pytest.raises(OutputError, match="is a link"):
        RunLock(path).__enter__()
    assert (tmp_path / "mine").read_bytes() == b"mine"
