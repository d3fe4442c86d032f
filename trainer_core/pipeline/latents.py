"""Encoded pictures by content: in memory for this run, on disk for the next ones.

A latent is kept as the mean and deviation of the encoder's posterior; the draw is made anew at
every step. Its key covers everything it depends on, so a changed picture, crop, VAE or program
never finds an old latent.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import threading
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from trainer_core.dataset.buckets import Placement
from trainer_core.errors import DatasetError, OutputError
from trainer_core.files.writing import publish_bytes
from trainer_core.texts import T

ENCODER_VERSION = 1  # raised when decode or encoding gives other numbers for the same picture

Posterior = tuple[Tensor, Tensor]  # mean and deviation, CHW, float32, on the CPU


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
                with path.open("rb") as stream:
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
        with database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS files"
                " (path BLOB PRIMARY KEY, size INTEGER, changed INTEGER, sha256 TEXT)"
            )
    except sqlite3.Error:
        database.close()
        raise
    return database


def latent_key(file_sha256: str, placement: Placement, *, flip: bool, encoder: str) -> str:
    """Return the key of one encoded picture.

    Args:
        file_sha256: Hash of the file's bytes, which hold its orientation too.
        placement: How it is scaled and cropped.
        flip: Whether it is mirrored.
        encoder: Identity of the VAE's weights and of their precision.
    """
    facts = [
        ENCODER_VERSION,
        file_sha256,
        placement.resized,
        placement.crop_offset,
        placement.bucket,
        flip,
        encoder,
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


class LatentStore:
    """Latents by key: always in memory, and in ``folder`` if one is given."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._memory: dict[str, Posterior] = {}

    def has(self, key: str) -> bool:
        """Tell whether the latent is there, taking it into memory from the disk if need be."""
        if key in self._memory:
            return True
        found = self._read(key)
        if found is not None:
            self._memory[key] = found
        return found is not None

    def get(self, key: str) -> Posterior:
        """Return a latent that is there."""
        return self._memory[key]

    def put(self, key: str, posterior: Posterior) -> None:
        """Keep a latent.

        Raises:
            OutputError: The disk refuses it.
        """
        self._memory[key] = posterior
        path = self._path(key)
        if path is None or path.exists():
            return
        mean, std = posterior
        content = save({"mean": mean.contiguous(), "std": std.contiguous()})
        try:
            publish_bytes(path, content, replace=False)
        except OutputError as error:
            if not path.exists():  # else another run stored the same latent meanwhile
                raise OutputError(
                    T("Errors", "The latent cache cannot be written: {reason}"),
                    T(
                        "Errors",
                        "Free some space in {folder}, set LORA_LOOM_CACHE to another folder, or "
                        "switch cache_latents_to_disk off.",
                    ),
                    setting="dataset.cache_latents_to_disk",
                    reason=error,
                    folder=self._folder,
                ) from error

    def _path(self, key: str) -> Path | None:
        return self._folder / key[:2] / f"{key}.safetensors" if self._folder else None

    def _read(self, key: str) -> Posterior | None:
        path = self._path(key)
        if path is None or not path.is_file():
            return None
        try:
            tensors = load(path.read_bytes())
            return tensors["mean"], tensors["std"]
        except (OSError, SafetensorError, KeyError):
            with contextlib.suppress(OSError):
                path.unlink()  # damaged: it is made again
            return None
