"""A file is read again exactly when its path, size or time of change is another."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from trainer_core.errors import DatasetError
from trainer_core.pipeline import file_hashes
from trainer_core.pipeline.file_hashes import FileHashes

# SHA-256 of "abc" and of "abd": FIPS 180-2, appendix B.1, and `printf abd | sha256sum`.
SHA_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
SHA_ABD = "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(b"abc")
    return path


def changed_behind_its_back(path: Path) -> None:
    """Give a file other bytes of the same size, and the time of change that it had."""
    before = path.stat()
    path.write_bytes(b"abd")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_the_hash_is_that_of_the_bytes(tmp_path: Path, picture: Path) -> None:
    assert FileHashes(tmp_path).sha256(picture) == SHA_ABC


def test_a_hash_is_remembered_by_path_size_and_time(tmp_path: Path, picture: Path) -> None:
    hashes = FileHashes(tmp_path)
    hashes.sha256(picture)

    changed_behind_its_back(picture)
    assert hashes.sha256(picture) == SHA_ABC  # so it was not read again


def test_the_next_run_remembers_too(tmp_path: Path, picture: Path) -> None:
    hashes = FileHashes(tmp_path)
    hashes.sha256(picture)
    hashes.close()

    changed_behind_its_back(picture)
    assert FileHashes(tmp_path).sha256(picture) == SHA_ABC


@pytest.mark.parametrize("later_ns", [1, -1])
def test_another_time_makes_it_read_again(tmp_path: Path, picture: Path, later_ns: int) -> None:
    hashes = FileHashes(tmp_path)
    hashes.sha256(picture)

    changed_behind_its_back(picture)
    os.utime(picture, ns=(0, picture.stat().st_mtime_ns + later_ns))
    assert hashes.sha256(picture) == SHA_ABD


def test_another_size_makes_it_read_again(tmp_path: Path, picture: Path) -> None:
    hashes = FileHashes(tmp_path)
    hashes.sha256(picture)
    before = picture.stat()
    picture.write_bytes(b"")

    os.utime(picture, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert hashes.sha256(picture) != SHA_ABC


def test_another_path_is_another_file(tmp_path: Path, picture: Path) -> None:
    hashes = FileHashes(tmp_path)
    hashes.sha256(picture)
    other = tmp_path / "other.png"
    other.write_bytes(b"abd")

    os.utime(other, ns=(0, picture.stat().st_mtime_ns))
    assert hashes.sha256(other) == SHA_ABD


@pytest.mark.skipif(os.name == "nt", reason="Windows' file names are always text")
def test_a_file_name_need_not_be_valid_text(tmp_path: Path, picture: Path) -> None:
    odd = picture.rename(tmp_path / os.fsdecode(b"caf\xe9.png"))
    hashes = FileHashes(tmp_path)

    assert hashes.sha256(odd) == SHA_ABC
    changed_behind_its_back(odd)
    assert hashes.sha256(odd) == SHA_ABC


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone\.png"):
        FileHashes(tmp_path).sha256(tmp_path / "gone.png")


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 200])
def test_a_damaged_memory_is_made_again(tmp_path: Path, picture: Path, content: bytes) -> None:
    (tmp_path / "files.sqlite").write_bytes(content)
    hashes = FileHashes(tmp_path)
    assert hashes.sha256(picture) == SHA_ABC
    hashes.close()

    changed_behind_its_back(picture)
    assert FileHashes(tmp_path).sha256(picture) == SHA_ABC


def test_without_a_place_for_it_hashes_are_not_remembered(tmp_path: Path, picture: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")

    assert FileHashes(tmp_path / "cache").sha256(picture) == SHA_ABC


def test_of_many_files_only_new_and_changed_ones_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / f"{number}.png" for number in range(20)]
    for file in files:
        file.write_bytes(b"abc")
    hashes, told = FileHashes(tmp_path), list[tuple[int, int]]()
    assert hashes.of_all(files, threads=3, progress=lambda *at: told.append(at)) == [SHA_ABC] * 20
    assert told == [(done, 20) for done in range(1, 21)]

    read: list[Path] = []
    monkeypatch.setattr(
        file_hashes, "open_regular", lambda path: (read.append(path), path.open("rb"))[1]
    )
    files[3].write_bytes(b"abcd")
    os.utime(files[7], ns=(0, 1))
    assert len(set(hashes.of_all(files, threads=3, progress=lambda *at: None))) == 2
    assert sorted(read) == sorted([files[3], files[7]])


def test_reading_many_files_stops_where_it_is_told_to(tmp_path: Path, picture: Path) -> None:
    class Enough(Exception):  # noqa: N818 - not an error
        pass

    def stop(done: int, total: int) -> None:
        raise Enough

    with pytest.raises(Enough):
        FileHashes(tmp_path).of_all([picture] * 5, threads=2, progress=stop)
    names = [thread.name for thread in threading.enumerate()]
    assert not any(name.startswith("hashes") for name in names)
