"""Hashes by which programs recognise a model file."""

from __future__ import annotations

import hashlib
from typing import Any

# The legacy hash covers these bytes of the file. Source: vectors/README.md, metadata.json.
_LEGACY_BEGIN, _LEGACY_END = 0x100000, 0x110000


class WeightHashes:
    """The two hash entries of a weight file, from its bytes as they are written.

    ``sshs_model_hash`` is the SHA-256 of the tensors' bytes; ``sshs_legacy_hash`` 8 digits of
    that of 64 KiB at 1 MiB into the file as it would be with its ``ss_`` metadata only.

    Args:
        plain_header: The header of that file.

    Source: vectors/README.md, metadata.json.
    """

    def __init__(self, plain_header: bytes) -> None:
        self._tensors = hashlib.sha256()
        self._legacy = hashlib.sha256(plain_header[_LEGACY_BEGIN:_LEGACY_END])
        self._place = len(plain_header)

    def update(self, data: Any) -> None:
        """Take the next bytes of the tensors, as anything with one byte an item."""
        view = memoryview(data)
        self._tensors.update(view)
        begin, end = (max(0, edge - self._place) for edge in (_LEGACY_BEGIN, _LEGACY_END))
        self._legacy.update(view[begin:end])
        self._place += len(view)

    def entries(self) -> dict[str, str]:
        """Return both by their names; their lengths are the same at every moment."""
        return {
            "sshs_model_hash": self._tensors.hexdigest(),
            "sshs_legacy_hash": self._legacy.hexdigest()[:8],
        }
