"""Hashes by which programs recognise a model file."""

from __future__ import annotations

import hashlib
import io
from typing import BinaryIO

from trainer_core.model_files.weights_file import legacy_hash

_CHUNK_BYTES = 1 << 20


def sshs_model_hash(file: BinaryIO) -> str:
    """Return the SHA-256 of a safetensors file's tensor bytes: everything after its header.

    Source: vectors/README.md, metadata.json (``sshs_model_hash``).
    """
    file.seek(0)
    header_bytes = int.from_bytes(file.read(8), "little")
    file.seek(8 + header_bytes)
    return _sha256_of_rest(file)


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
