"""Opens the table of contents of one weights file, whatever its name says it is."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from trainer_core.errors import ModelFileError
from trainer_core.files.reading import open_regular
from trainer_core.model_files.checkpoint import read_checkpoint
from trainer_core.model_files.tensor_index import TensorIndex, read_safetensors
from trainer_core.texts import T

_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"
_HEADER = b"{"  # safetensors' header, after the 8 bytes of its length
#: Large, so that a thread that hashes seldom waits for Python's lock, or makes others wait for it.
_PIECE_BYTES = 8 * 2**20


def read_index(path: Path) -> TensorIndex:
    """Read the names, types, shapes and places of a file's tensors, told apart by its content.

    Raises:
        ModelFileError: The file is missing, empty, unreadable, damaged, hostile or no weights file.
    """
    try:
        with open_regular(path) as file:
            start = file.read(9)
        if not start:
            raise ModelFileError(
                T("Errors", "{path} is empty."),
                T("Errors", "Download or copy the file again."),
                path=path,
            )
        if start.startswith(_ZIP):
            return read_checkpoint(path)
        if start.startswith(_PICKLE) and start[8:] != _HEADER:
            raise ModelFileError(
                T(
                    "Errors",
                    "{path} is a bare pickle, as PyTorch wrote before 2020; it was not run.",
                ),
                T("Errors", "Get the model as .safetensors from its maker."),
                path=path,
            )
        return read_safetensors(path)
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> ModelFileError:
    """Return the error for a model file that the system does not let us read."""
    if isinstance(error, FileNotFoundError):
        return ModelFileError(
            T("Errors", "{path} does not exist."),
            T("Errors", "Choose the model file again; it may have been moved or renamed."),
            path=path,
        )
    return ModelFileError(
        T("Errors", "{path} cannot be read: {reason}"),
        T("Errors", "Check that the file may be read and that its disk is there."),
        path=path,
        reason=error.strerror,
    )


def sha256(path: Path) -> str:
    """Return the SHA-256 of a whole file, as web interfaces show it ("new hash")."""
    digest, piece = hashlib.sha256(), memoryview(bytearray(_PIECE_BYTES))
    with open_regular(path) as file:
        while count := file.readinto(piece):
            digest.update(piece[:count])
    return digest.hexdigest()


def tensor_hash(path: Path) -> str:
    """Return the SHA-256 of everything behind a safetensors file's header.

    Source: vectors/README.md, metadata.json (``sshs_model_hash``).
    """
    with open_regular(path) as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))
        return hashlib.file_digest(file, "sha256").hexdigest()


def legacy_hash(file: BinaryIO) -> str:
    """Return the 8 hex digits by which older web interfaces know a model file.

    They are the SHA-256 of 64 KiB at 1 MiB into the file; ``e3b0c442``, the hash of nothing, for
    anything shorter than that. Source: vectors/README.md, metadata.json (``sshs_legacy_hash``).
    """
    file.seek(0x100000)
    return hashlib.sha256(file.read(0x10000)).hexdigest()[:8]
