"""Files appear whole or not at all, and nothing is replaced unasked."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from trainer_core.errors import DiskFull, OutputError
from trainer_core.files import writing as file_writing
from trainer_core.files.writing import (
    discard,
    output_error,
    publish_bytes,
    publish_file,
    publish_text,
    remove_old_leftovers,
)

MIB = 1024 * 1024
NOBODY = 65534
on_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mount_tmpfs(folder: Path, options: str) -> bool:
    """Mount a small disk; False where this user may not."""
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return (
        bool(shutil.which("mount")) and not subprocess.run(command, capture_output=True).returncode
    )


def fail_above(limit: int, number: int) -> Callable[[Path, Callable[[BinaryIO], object]], None]:
    """Return a stand-in for the write function that fails beyond ``limit`` bytes."""
    fill = file_writing._fill

    def limited(part: Path, write: Callable[[BinaryIO], object]) -> None:
        buffer = io.BytesIO()
        write(buffer)
        if len(buffer.getvalue()) > limit:
            part.write_bytes(buffer.getvalue()[:limit])
            raise OSError(number, os.strerror(number))
        fill(part, write)

    return limited


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of 1 MiB: a real one where mounting is allowed, else a write that fails."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if mount_tmpfs(folder, "size=1m"):
        yield folder
        subprocess.run(["umount", folder], check=True)
    else:
        monkeypatch.setattr(file_writing, "_fill", fail_above(MIB, errno.ENOSPC))
        yield folder


@pytest.fixture
def read_only_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk mounted read-only where mounting is allowed, else a write that fails."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if mount_tmpfs(folder, "ro"):
        yield folder
        subprocess.run(["umount", folder], check=True)
    else:
        monkeypatch.setattr(file_writing, "_fill", fail_above(-1, errno.EROFS))
        yield folder


@pytest.fixture
def folder_of_others(tmp_path: Path) -> Iterator[Path]:
    """A folder that the running user may enter but not write to."""
    if os.geteuid() != 0:
        tmp_path.chmod(0o555)
        yield tmp_path
        tmp_path.chmod(0o755)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            os.seteuid(0)


def hold(monkeypatch: pytest.MonkeyPatch, held: Path, times: int) -> None:
    """Let another program hold the name ``held`` for so many attempts to rename to it."""
    left = times
    originals = {name: getattr(Path, name) for name in ("rename", "replace", "hardlink_to")}

    def refusing(name: str) -> Callable[[Path, Path], object]:
        def attempt(self: Path, other: Path) -> object:
            nonlocal left
            if held in (self if name == "hardlink_to" else other, other) and left:
                left -= 1
                raise PermissionError(errno.EACCES, "held by another program")
            return originals[name](self, other)

        return attempt

    for name in originals:
        monkeypatch.setattr(Path, name, refusing(name))


def test_written_bytes_are_the_file(tmp_path: Path) -> None:
    publish_bytes(tmp_path / "a.bin", b"\x00\xff" * 1000)

    assert (tmp_path / "a.bin").read_bytes() == b"\x00\xff" * 1000
    assert names(tmp_path) == ["a.bin"]


def test_text_is_utf8_with_its_own_line_ends(tmp_path: Path) -> None:
    publish_text(tmp_path / "a.txt", "ü\n日\r\n")

    assert (tmp_path / "a.txt").read_bytes() == b"\xc3\xbc\n\xe6\x97\xa5\r\n"


def test_missing_folders_are_made(tmp_path: Path) -> None:
    publish_bytes(tmp_path / "new" / "deep" / "a", b"x")

    assert (tmp_path / "new" / "deep" / "a").read_bytes() == b"x"


@on_posix
def test_a_file_gets_the_permissions_that_the_user_asks_for(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        publish_bytes(tmp_path / "a", b"x")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_an_existing_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    with pytest.raises(OutputError, match="exists already"):
        publish_file(path, lambda file: pytest.fail("written"))

    assert path.read_bytes() == b"old"


def test_an_existing_file_is_replaced_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    publish_bytes(path, b"new", replace=True)

    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("has_hard_links", [True, False])
def test_a_file_that_appears_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_hard_links: bool
) -> None:
    path = tmp_path / "a.bin"
    if not has_hard_links:
        monkeypatch.setattr(Path, "hardlink_to", lambda *_: os.link("", ""))

    with pytest.raises(OutputError) as caught:
        publish_file(path, lambda file: (path.write_bytes(b"theirs"), file.write(b"ours")))

    assert path.read_bytes() == b"theirs"
    assert Path(str(caught.value.message.values["kept"])).read_bytes() == b"ours"


def test_a_file_is_written_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(Path, "hardlink_to", no_links)

    publish_bytes(tmp_path / "a", b"x")

    assert names(tmp_path) == ["a"]


def test_a_file_is_on_the_disk_and_verified_before_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    done: list[str] = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda number: (done.append("sync"), sync(number))[1])
    monkeypatch.setattr(Path, "replace", lambda *args: (done.append("name"), replace(*args))[1])

    publish_file(
        path,
        lambda file: file.write(b"x"),
        verify=lambda part: done.append(f"verify {part.read_bytes()!r}"),
        replace=True,
    )

    assert done == ["sync", "verify b'x'", "name", "sync"]


def test_what_can_be_made_again_need_not_be_on_the_disk_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda number: pytest.fail("nobody waits for the disk"))

    publish_bytes(tmp_path / "a", b"x", sync=False)
    assert (tmp_path / "a").read_bytes() == b"x"
    assert names(tmp_path) == ["a"]


def test_a_file_that_fails_its_check_is_never_named(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def verify(part: Path) -> None:
        raise OutputError("wrong")

    with pytest.raises(OutputError, match="wrong"):
        publish_file(path, lambda file: file.write(b"new"), verify=verify, replace=True)

    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    def write(file: BinaryIO) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish_file(tmp_path / "a", write)

    assert names(tmp_path) == []


def test_a_full_disk_is_named_and_loses_nothing(small_disk: Path) -> None:
    path = small_disk / "a.bin"
    publish_bytes(path, b"old")

    with pytest.raises(OutputError, match=r"disk is full.*a\.bin") as caught:
        publish_bytes(path, bytes(2 * MIB), replace=True)

    assert "Free some space" in str(caught.value.hint)
    assert path.read_bytes() == b"old"
    assert names(small_disk) == ["a.bin"]


def test_a_read_only_disk_is_named(read_only_disk: Path) -> None:
    with pytest.raises(OutputError, match="read-only"):
        publish_bytes(read_only_disk / "a", b"x")


@on_posix
def test_a_folder_without_permission_is_named(folder_of_others: Path) -> None:
    with pytest.raises(OutputError, match="no permission to write") as caught:
        publish_bytes(folder_of_others / "a", b"x")

    assert str(folder_of_others) in str(caught.value.hint)


@pytest.mark.parametrize("below", ["a", "deep/a"])
def test_a_path_below_a_file_names_that_file(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_bytes(b"x")

    with pytest.raises(OutputError, match=r"file is a file, not a folder"):
        publish_bytes(tmp_path / "file" / below, b"x")


def test_a_name_too_long_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="too long"):
        publish_bytes(tmp_path / ("a" * 300), b"x")


def test_any_other_failure_gives_the_systems_reason() -> None:
    error = output_error(OSError(errno.EIO, "Input/output error"), Path("/x/a"))

    assert "Input/output error" in str(error)
    assert error.hint is not None


@pytest.mark.parametrize("replace", [True, False])
def test_a_file_held_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    monkeypatch.setattr(file_writing, "RENAME_PAUSE_S", 0.0)
    hold(monkeypatch, tmp_path / "a", times=4)

    publish_bytes(tmp_path / "a", b"x", replace=replace)

    assert (tmp_path / "a").read_bytes() == b"x"


def test_a_file_held_for_good_stays_and_the_new_one_is_kept_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    monkeypatch.setattr(file_writing, "RENAME_PATIENCE_S", 0.0)
    hold(monkeypatch, path, times=1000)

    with pytest.raises(OutputError, match=r"a\.bin could not be put in place") as caught:
        publish_bytes(path, b"new", replace=True)

    kept = Path(str(caught.value.message.values["kept"]))
    assert path.read_bytes() == b"old"
    assert kept.read_bytes() == b"new"
    assert kept.suffix == ".bin"
    assert names(tmp_path) == sorted(["a.bin", kept.name])


def test_files_and_folders_are_discarded(tmp_path: Path) -> None:
    publish_bytes(tmp_path / "file", b"x")
    publish_bytes(tmp_path / "folder" / "inside", b"x")

    discard(tmp_path / "file")
    discard(tmp_path / "folder")
    discard(tmp_path / "gone")

    assert names(tmp_path) == []


def test_what_cannot_be_discarded_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_bytes(tmp_path / "file", b"x")

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)

    with pytest.raises(OutputError, match="file cannot be removed: Permission denied"):
        discard(tmp_path / "file")


def test_old_leftovers_go_and_what_may_be_written_just_now_stays(tmp_path: Path) -> None:
    now = time.time()
    parts = {".a.bin.0a1b2c3d.part": 25, ".b.bin.0a1b2c3d.part": 23, ".mine.part": 99, "c.bin": 99}
    (tmp_path / "ab").mkdir()
    for name, hours in parts.items():
        (tmp_path / "ab" / name).touch()
        os.utime(tmp_path / "ab" / name, (now, now - hours * 3600))

    remove_old_leftovers(tmp_path)
    assert {path.name for path in (tmp_path / "ab").iterdir()} == parts.keys() - {
        ".a.bin.0a1b2c3d.part"
    }


def test_a_link_is_removed_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "mine").touch()
    (tmp_path / "link").symlink_to("album")

    discard(tmp_path / "link")
    assert [path.name for path in tmp_path.rglob("*")] == ["album", "mine"]


def test_a_link_that_leads_nowhere_is_in_the_way_too(tmp_path: Path) -> None:
    (tmp_path / "a.bin").symlink_to("nowhere")

    with pytest.raises(OutputError, match="exists already"):
        publish_bytes(tmp_path / "a.bin", b"x")
    publish_bytes(tmp_path / "a.bin", b"x", replace=True)
    assert not (tmp_path / "a.bin").is_symlink()
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_finds_no_room_is_named_as_it_would_be_called(tmp_path: Path) -> None:
    def fill(part: Path) -> None:
        def write(file: BinaryIO) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        publish_file(part / "inside", write)

    with pytest.raises(DiskFull) as caught:
        file_writing.publish_folder(tmp_path / "state", fill)
    assert caught.value.path == tmp_path / "state"
    assert str(caught.value).endswith(f"there is no space left for {tmp_path / 'state'}.")
    assert not list(tmp_path.iterdir())
