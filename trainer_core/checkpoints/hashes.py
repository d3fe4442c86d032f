"""Hashes by which programs recognise a model file."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import BinaryIO

_LEGACY_OFFSET = 0x100000
_LEGACY_LENGTH = 0x10000
_CHUNK_BYTES = 1 << 20


def sshs_model_hash(file: BinaryIO) -> str:
    """Return the SHA-256 of a safetensors file's tensor bytes: everything after its header.

    Source: vectors/README.md, metadata.json (``sshs_model_hash``).
    """
    file.seek(0)
    header_bytes = int.from_bytes(file.read(8), "little")
    file.seek(8 + header_bytes)
    return _sha256_of_rest(file)


def legacy_hash(file: BinaryIO) -> str:
    """Return the old short hash: 8 digits of the SHA-256 of 64 KiB at offset 1 MiB.

    It is ``e3b0c442``, the hash of nothing, for anything shorter than that.
    Source: vectors/README.md, metadata.json (``sshs_legacy_hash``).
    """
    file.seek(_LEGACY_OFFSET)
    return hashlib.sha256(file.read(_LEGACY_LENGTH)).hexdigest()[:8]


def base_model_hashes(path: Path) -> tuple[str, str]:
    """Return the old short hash and the SHA-256 of a whole model file."""
    with path.open("rb") as file:
        short = legacy_hash(file)
        file.seek(0)
        return short, _sha256_of_rest(file)


def weight_hashes(plain_file: bytes) -> dict[str, str]:
    """Return the two hash entries of a weight file's metadata.

    Args:
        plain_file: The safetensors file with its ``ss_`` metadata only, hashes not yet in it.
    """
    file = io.BytesIO(plain_file)
    return {"sshs_model_hash": sshs_model_hash(file), "sshs_legacy_hash": legacy_hash(file)}


def _sha256_of_rest(file: BinaryIO) -> str:
    # Not hashlib.file_digest: for a BytesIO it hashes the whole, wherever the file stands.
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()
