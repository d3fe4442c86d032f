"""Folders appear whole or not at all, and a killed process leaves nothing half under its name."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from trainer_core.errors import OutputError
from trainer_core.files import writing as file_writing
from trainer_core.files.writing import publish_bytes, publish_folder, remove_leftovers

ROOT = Path(__file__).parents[3]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


KILLED_WRITER = """
import sys, time
from pathlib import Path
from trainer_core.files.writing import publish_bytes, publish_file, publish_folder

def write(file):
    file.write(b"half")
    file.flush()
    print("half", flush=True)
    time.sleep(600)

def fill(folder):
    publish_bytes(folder / "first", b"x")
    publish_file(folder / "second", write)

path = Path(sys.argv[2])
if sys.argv[1] == "file":
    publish_file(path, write, replace=True)
else:
    publish_folder(path, fill, replace=True)
"""


def kill_while_writing(kind: str, path: Path) -> None:
    """Start a process that writes ``path``, and kill it with signal 9 when half is written."""
    command = [sys.executable, "-c", KILLED_WRITER, kind, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.kill()
    assert process.returncode != 0


def test_a_killed_writer_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    kill_while_writing("file", path)
    assert path.read_bytes() == b"old"
    assert len(names(tmp_path)) == 2

    remove_leftovers(tmp_path, lambda name: name == "a.bin")
    assert names(tmp_path) == ["a.bin"]


def test_a_killed_writer_leaves_no_half_file_under_its_name(tmp_path: Path) -> None:
    kill_while_writing("file", tmp_path / "a.bin")
    assert not (tmp_path / "a.bin").exists()

    remove_leftovers(tmp_path, lambda name: name == "a.bin")
    assert names(tmp_path) == []


def test_a_killed_writer_leaves_the_old_folder_whole(tmp_path: Path) -> None:
    path = tmp_path / "a-state"
    publish_folder(path, lambda folder: publish_bytes(folder / "old", b"x"))

    kill_while_writing("folder", path)
    assert names(path) == ["old"]

    remove_leftovers(tmp_path, lambda name: name == "a-state")
    assert names(tmp_path) == ["a-state"]


def test_a_kill_between_two_folder_renames_is_undone(tmp_path: Path) -> None:
    # What is on the disk then: the old folder moved aside, the new one not yet named.
    publish_bytes(tmp_path / ".a-state.0123abcd.old" / "whole", b"x")
    publish_bytes(tmp_path / ".a-state.4567cdef.part" / "new", b"x")

    remove_leftovers(tmp_path, lambda name: name == "a-state")

    assert names(tmp_path) == ["a-state"]
    assert names(tmp_path / "a-state") == ["whole"]


def test_a_kill_after_both_folder_renames_leaves_the_new_one(tmp_path: Path) -> None:
    publish_bytes(tmp_path / ".a-state.0123abcd.old" / "old", b"x")
    publish_bytes(tmp_path / "a-state" / "new", b"x")

    remove_leftovers(tmp_path, lambda name: name == "a-state")

    assert names(tmp_path) == ["a-state"]
    assert names(tmp_path / "a-state") == ["new"]


def test_only_our_own_leftovers_are_removed(tmp_path: Path) -> None:
    strangers = [".b.bin.0123abcd.part", ".a.bin.part", "a.bin.0123abcd.part", ".a.bin.xyz.part"]
    for name in (*strangers, ".a.bin.0123abcd.part"):
        (tmp_path / name).write_bytes(b"x")

    remove_leftovers(tmp_path, lambda name: name == "a.bin")

    assert names(tmp_path) == sorted(strangers)


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a-state"

    def fill(folder: Path) -> None:
        publish_bytes(folder / "one", b"1")
        assert not path.exists()
        publish_bytes(folder / "two", b"2")

    publish_folder(path, fill)

    assert names(tmp_path) == ["a-state"]
    assert names(path) == ["one", "two"]


def test_a_folder_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a-state"
    publish_folder(path, lambda folder: publish_bytes(folder / "old", b"x"))

    def fill(folder: Path) -> None:
        publish_bytes(folder / "new", b"x")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match="disk is full"):
        publish_folder(path, fill, replace=True)

    assert names(tmp_path) == ["a-state"]
    assert names(path) == ["old"]


def test_an_existing_folder_is_refused_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "a-state"
    publish_folder(path, lambda folder: publish_bytes(folder / "old", b"x"))

    with pytest.raises(OutputError, match="exists already"):
        publish_folder(path, lambda folder: pytest.fail("filled"))
    publish_folder(path, lambda folder: publish_bytes(folder / "new", b"x"), replace=True)

    assert names(path) == ["new"]
    assert names(tmp_path) == ["a-state"]


def test_a_folder_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a-state"

    def fill(folder: Path) -> None:
        publish_bytes(folder / "ours", b"x")
        publish_bytes(path / "theirs", b"x")

    with pytest.raises(OutputError) as caught:
        publish_folder(path, fill)

    assert names(path) == ["theirs"]
    assert names(Path(str(caught.value.message.values["kept"]))) == ["ours"]


def test_a_held_folder_stays_and_the_new_one_is_kept_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a-state"
    publish_folder(path, lambda folder: publish_bytes(folder / "old", b"x"))
    monkeypatch.setattr(file_writing, "RENAME_PATIENCE_S", 0.0)
    rename = Path.rename

    def refuse_name(self: Path, target: Path) -> Path:
        if target == path and self.suffix == ".part":
            raise PermissionError(errno.EACCES, "held by another program")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse_name)

    with pytest.raises(OutputError) as caught:
        publish_folder(path, lambda folder: publish_bytes(folder / "new", b"x"), replace=True)

    kept = Path(str(caught.value.message.values["kept"]))
    assert names(path) == ["old"]
    assert names(kept) == ["new"]
    assert names(tmp_path) == sorted(["a-state", kept.name])
