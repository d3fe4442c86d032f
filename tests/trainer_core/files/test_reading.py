"""Only regular files are read, and no more of them than they may hold."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from trainer_core.files.reading import open_regular, read_limited

ONLY_POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def link_to_pipe(path: Path) -> Path:
    path.symlink_to(pipe(path.with_name("pipe")))
    return path


def link_to_device(path: Path) -> Path:
    path.symlink_to("/dev/zero")
    return path


def bound_socket(path: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    return path


@pytest.mark.parametrize("size", [0, 1, 1024])
def test_a_file_within_the_limit_is_read_whole(size: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * size)

    assert read_limited(tmp_path / "file", 1024) == b"x" * size


@pytest.mark.parametrize(("limit", "words"), [(1024, "1 KiB"), (2**20, "1 MiB")])
def test_a_larger_file_is_refused_with_the_limit(limit: int, words: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(limit + 1))

    with pytest.raises(OSError, match=f"it is larger than {words}"):
        read_limited(tmp_path / "file", limit)


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")

    assert read_limited(tmp_path / "link", 3) == b"abc"


@ONLY_POSIX
@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", [pipe, link_to_pipe, link_to_device, bound_socket])
def test_what_never_ends_is_not_opened(make: Callable[[Path], Path], tmp_path: Path) -> None:
    with pytest.raises(OSError, match="it is a pipe or a device, not a file"):
        open_regular(make(tmp_path / "odd"))


def test_a_folder_is_called_one(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "absent")
