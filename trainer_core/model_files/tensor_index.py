"""The table of contents of a weights file: name, type, shape and place of every tensor."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from trainer_core.errors import ModelFileError
from trainer_core.texts import T

_TYPES_BY_BYTES: Mapping[int, tuple[str, ...]] = {
    8: ("F64", "I64", "U64"),
    4: ("F32", "I32", "U32"),
    2: ("F16", "BF16", "I16", "U16"),
    1: ("F8_E4M3", "F8_E5M2", "I8", "U8", "BOOL"),
}
#: Bytes of one element by safetensors' type names.
ITEM_BYTES = {name: size for size, names in _TYPES_BY_BYTES.items() for name in names}
#: safetensors itself refuses longer headers.
_MAX_HEADER_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """Where one tensor lies in its file.

    Attributes:
        dtype: Element type in safetensors' words ("F16").
        shape: Sizes, outermost first.
        offset: Of the tensor's first byte in the file.
        num_bytes: From there to the end of the last element.
        stride: In elements; None if the elements lie in order without gaps.
    """

    dtype: str
    shape: tuple[int, ...]
    offset: int
    num_bytes: int
    stride: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class TensorIndex:
    """Every tensor of one file by name, and what the file says of itself."""

    path: Path
    entries: Mapping[str, TensorEntry]
    metadata: Mapping[str, str] = field(default_factory=dict)


def damaged(path: Path, reason: object) -> ModelFileError:
    """Return the error for a file whose table of contents makes no sense."""
    return ModelFileError(
        T("Errors", "{path} is damaged or cut short: {reason}"),
        T("Errors", "Download or copy the file again."),
        path=path,
        reason=reason,
    )


def cut_short(path: Path, have_bytes: int, want_bytes: int) -> ModelFileError:
    """Return the error for a file that ends before its last tensor."""
    return ModelFileError(
        T("Errors", "{path} is cut short: {have} of {want} [want:byte|bytes] are there."),
        T("Errors", "Download or copy the file again."),
        path=path,
        have=have_bytes,
        want=want_bytes,
    )


def read_safetensors(path: Path) -> TensorIndex:
    """Read the header of a ``.safetensors`` file.

    Format: 8 bytes little-endian header length, the header as a JSON table, the tensors' bytes;
    places count from the header's end.

    Raises:
        ModelFileError: It is no such file, is damaged, or ends too early.
    """
    with path.open("rb") as file:
        start = file.read(9)
        header_bytes = int.from_bytes(start[:8], "little")
        if start[8:] != b"{" or header_bytes > _MAX_HEADER_BYTES:
            raise ModelFileError(
                T("Errors", "{path} is neither a .safetensors file nor a PyTorch checkpoint."),
                T("Errors", "A web page or a pointer may be saved in its place. Get it again."),
                path=path,
            )
        header = _parse_header(path, file, header_bytes)
    metadata = header.pop("__metadata__", {})
    first_byte = 8 + header_bytes
    entries = {name: _entry(path, name, raw, first_byte) for name, raw in header.items()}
    end = max((entry.offset + entry.num_bytes for entry in entries.values()), default=first_byte)
    if path.stat().st_size < end:
        raise cut_short(path, path.stat().st_size, end)
    return TensorIndex(path, entries, metadata if isinstance(metadata, dict) else {})


def _parse_header(path: Path, file: BinaryIO, header_bytes: int) -> dict[str, Any]:
    file.seek(8)
    raw = file.read(header_bytes)
    if len(raw) < header_bytes:
        raise cut_short(path, 8 + len(raw), 8 + header_bytes)
    try:
        header: dict[str, Any] = json.loads(raw)  # begins with "{"
    except (ValueError, RecursionError) as error:  # ValueError: no JSON or no UTF-8
        raise damaged(path, error) from error
    return header


def _entry(path: Path, name: str, raw: Any, first_byte: int) -> TensorEntry:
    try:
        dtype, shape, (begin, end) = raw["dtype"], tuple(raw["shape"]), raw["data_offsets"]
        is_sane = all(isinstance(n, int) and n >= 0 for n in (*shape, begin, end - begin))
        num_bytes = math.prod(shape) * ITEM_BYTES.get(dtype, 0)
    except (TypeError, KeyError, ValueError) as error:
        raise damaged(path, name) from error
    if not is_sane or (dtype in ITEM_BYTES and end - begin != num_bytes):
        raise damaged(path, name)
    return TensorEntry(dtype, shape, first_byte + begin, end - begin)
