"""Hashes of picture files, so that what was made of one is found again wherever it lies."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from trainer_core.errors import DatasetError
from trainer_core.files.reading import open_regular
from trainer_core.texts import T


class FileHashes:
    """SHA-256 of files, remembered by path, size and time of change.

    A memory that cannot be used is no error: the files are then read again.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._database = _open_database(folder / "files.sqlite")

    def sha256(self, path: Path) -> str:
        """Return the hash of a file's bytes; reads it only if it is new or was changed.

        Raises:
            DatasetError: The file cannot be read.
        """
        try:
            facts = path.stat()
            # As bytes: a file name need not be valid text.
            place = (os.fsencode(path), facts.st_size, facts.st_mtime_ns)
            digest = self._remembered(place)
            if digest is None:
                with open_regular(path) as stream:
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()
                self._remember(place, digest)
        except OSError as error:
            raise DatasetError(
                T("Errors", "The picture {path} cannot be read: {reason}"),
                T("Errors", "Replace or remove the file."),
                picture=str(path),
                path=path,
                reason=error.strerror,
            ) from error
        return digest

    def of_all(
        self, paths: Sequence[Path], *, threads: int, progress: Callable[[int, int], None]
    ) -> list[str]:
        """Return the hashes of files in their order, read by so many threads at once.

        Args:
            paths: The files; one may come again.
            threads: At least 1.
            progress: Called with the files done and their number; may raise to stop.

        Raises:
            DatasetError: One cannot be read.
        """
        digests: list[str] = []
        pool = ThreadPoolExecutor(threads, thread_name_prefix="hashes")
        try:
            for digest in pool.map(self.sha256, paths):
                digests.append(digest)
                progress(len(digests), len(paths))
        finally:
            pool.shutdown(cancel_futures=True)
        return digests

    def _remembered(self, place: tuple[bytes, int, int]) -> str | None:
        with self._lock, contextlib.suppress(sqlite3.Error):
            row = self._database.execute(
                "SELECT sha256 FROM files WHERE path = ? AND size = ? AND changed = ?", place
            ).fetchone()
            return str(row[0]) if row is not None else None
        return None

    def _remember(self, place: tuple[bytes, int, int], digest: str) -> None:
        with self._lock, contextlib.suppress(sqlite3.Error), self._database:
            self._database.execute("REPLACE INTO files VALUES (?, ?, ?, ?)", (*place, digest))

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _open_database(path: Path) -> sqlite3.Connection:
    """Open or make the database; a damaged one is made anew, in memory where the disk refuses."""
    with contextlib.suppress(OSError, sqlite3.OperationalError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _connected(str(path))
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:  # no database at all, or one that is damaged
            path.unlink()
            return _connected(str(path))
    return _connected(":memory:")


def _connected(place: str) -> sqlite3.Connection:
    database = sqlite3.connect(place, check_same_thread=False)
    try:
        # Not flushed for each file: what a power cut leaves is found damaged, and made anew.
        database.execute("PRAGMA synchronous = OFF")
        with database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS files"
                " (path BLOB PRIMARY KEY, size INTEGER, changed INTEGER, sha256 TEXT)"
            )
    except sqlite3.Error:
        database.close()
        raise
    return database
