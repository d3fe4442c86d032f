"""Numbers of a file's tensors, read one by one without torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from trainer_core.model_files.tensor_index import ITEM_BYTES, TensorEntry

_PLAIN = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "<i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "<u1",
    "BOOL": "?",
}
#: Elements read at once: 64 MiB of the largest type.
_PIECE = 2**23


@dataclass(frozen=True, slots=True)
class TensorNumbers:
    """What is worth knowing of the elements of one tensor.

    Attributes:
        mean: Of the magnitudes of the finite elements; 0 if there are none.
        largest: Magnitude of the largest finite element; 0 if there are none.
        not_finite: How many elements are NaN or infinite.
        count: How many elements there are.
    """

    mean: float
    largest: float
    not_finite: int
    count: int


def is_readable(entry: TensorEntry) -> bool:
    """Tell whether the numbers of a tensor of this type can be read."""
    return entry.dtype in ITEM_BYTES


def numbers_of(file: BinaryIO, entry: TensorEntry) -> TensorNumbers:
    """Return the numbers of one tensor of the open file."""
    total = largest = 0.0
    count = finite_count = 0
    for values in _pieces(file, entry):
        is_finite = np.isfinite(values)
        magnitudes = np.abs(values[is_finite])
        count += values.size
        finite_count += magnitudes.size
        if magnitudes.size:
            total += float(magnitudes.sum())
            largest = max(largest, float(magnitudes.max()))
    return TensorNumbers(total / max(finite_count, 1), largest, count - finite_count, count)


def scalar_of(file: BinaryIO, entry: TensorEntry) -> float | None:
    """Return the number that a tensor of one element holds, None if it holds another amount."""
    pieces = list(_pieces(file, entry)) if entry.num_bytes else []
    return float(pieces[0][0]) if len(pieces) == 1 and pieces[0].size == 1 else None


def _pieces(file: BinaryIO, entry: TensorEntry) -> Iterator[NDArray[np.float64]]:
    """Yield the elements as float64, those of a tensor without gaps in pieces."""
    file.seek(entry.offset)
    item_bytes = ITEM_BYTES[entry.dtype]
    left = entry.num_bytes // item_bytes
    if entry.stride is not None:  # as PyTorch keeps a transposed matrix: all of it at once
        stored = _as_float(file.read(entry.num_bytes), entry.dtype)
        strides = tuple(step * stored.itemsize for step in entry.stride)
        yield np.lib.stride_tricks.as_strided(stored, entry.shape, strides).reshape(-1)
        return
    while left:
        piece = min(left, _PIECE)
        yield _as_float(file.read(piece * item_bytes), entry.dtype)
        left -= piece


def _as_float(raw: bytes, dtype: str) -> NDArray[np.float64]:
    if dtype in _PLAIN:
        stored: NDArray[Any] = np.frombuffer(raw, _PLAIN[dtype])
        return stored.astype(np.float64)
    if dtype == "BF16":  # the upper half of a 32-bit float
        halves = np.frombuffer(raw, "<u2").astype(np.uint32) << 16
        return halves.view(np.float32).astype(np.float64)
    return _F8_TABLES[dtype][np.frombuffer(raw, np.uint8)]


def _f8_table(mantissa_bits: int, bias: int, *, has_infinity: bool) -> NDArray[np.float64]:
    """Return the value of each of the 256 codes of an 8-bit float.

    Source: Micikevicius et al. 2022, arXiv:2209.05433, table 1.
    """
    codes = np.arange(256)
    magnitude = codes & 0x7F
    exponent, mantissa = magnitude >> mantissa_bits, magnitude & (2**mantissa_bits - 1)
    fraction = mantissa / 2**mantissa_bits
    values = np.where(
        exponent == 0,
        fraction * 2.0 ** (1 - bias),
        (1 + fraction) * 2.0 ** (exponent - bias).astype(np.float64),
    )
    if has_infinity:
        top = 2 ** (7 - mantissa_bits) - 1
        values[(exponent == top) & (mantissa == 0)] = np.inf
        values[(exponent == top) & (mantissa != 0)] = np.nan
    else:
        values[magnitude == 0x7F] = np.nan
    signed: NDArray[np.float64] = np.where(codes & 0x80, -values, values)
    return signed


_F8_TABLES = {
    "F8_E4M3": _f8_table(3, 7, has_infinity=False),
    "F8_E5M2": _f8_table(2, 15, has_infinity=True),
}
