"""The table of contents of a weights file: name, type, shape and place of every tensor."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from trainer_core.errors import ModelFileError
from trainer_core.texts import T

_TYPES_BY_BITS: Mapping[int, tuple[str, ...]] = {
    64: ("F64", "I64", "U64", "C64"),
    32: ("F32", "I32", "U32"),
    16: ("F16", "BF16", "I16", "U16"),
    8: ("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I8", "U8", "BOOL"),
    6: ("F6_E2M3", "F6_E3M2"),
    4: ("F4",),
}
#: Every type that safetensors knows, by its name there. Source: safetensors 0.8, ``Dtype``.
_ITEM_BITS = {name: size for size, names in _TYPES_BY_BITS.items() for name in names}
#: Bytes of one element by safetensors' type names, of those that fill whole bytes.
ITEM_BYTES = {name: size // 8 for name, size in _ITEM_BITS.items() if size % 8 == 0}
#: safetensors itself refuses longer headers.
_MAX_HEADER_BYTES = 100_000_000
_MAX_COUNT = 2**64 - 1  # sizes are 64 bits wide there
_METADATA = "__metadata__"
_ENTRY_KEYS = ("dtype", "shape", "data_offsets")


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """Where one tensor lies in its file.

    Attributes:
        dtype: Element type in safetensors' words ("F16").
        shape: Sizes, outermost first.
        offset: Of the tensor's first byte in the file.
        num_bytes: From there to the end of the last element.
        stride: In elements; None if the elements lie in order without gaps.
        file: The name of the file that has it, of a model in several; empty: the index's own.
    """

    dtype: str
    shape: tuple[int, ...]
    offset: int
    num_bytes: int
    stride: tuple[int, ...] | None = None
    file: str = ""


@dataclass(frozen=True, slots=True)
class TensorIndex:
    """Every tensor of one file, or of several that make one, and what it says of itself."""

    path: Path
    entries: Mapping[str, TensorEntry]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def file(self, entry: TensorEntry) -> Path:
        """Return the file that has a tensor."""
        return self.path.with_name(entry.file) if entry.file else self.path


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
    """Read the header of a ``.safetensors`` file; refuse what the safetensors library refuses.

    Format: 8 bytes little-endian header length, the header as a JSON table, the tensors' bytes
    without gaps; places count from the header's end.

    Raises:
        ModelFileError: It is no such file, is damaged, or ends too early or too late.
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
    metadata = _metadata(path, header.pop(_METADATA, None))
    first_byte = 8 + header_bytes
    entries = {name: _entry(path, name, raw, first_byte) for name, raw in header.items()}
    _require_no_gaps(path, entries, first_byte)
    return TensorIndex(path, entries, metadata)


def _parse_header(path: Path, file: BinaryIO, header_bytes: int) -> dict[str, Any]:
    file.seek(8)
    raw = file.read(header_bytes)
    if len(raw) < header_bytes:
        raise cut_short(path, 8 + len(raw), 8 + header_bytes)
    try:
        header: dict[str, Any] = json.loads(  # begins with "{"
            raw.decode(),
            object_pairs_hook=_table,
            parse_constant=_refuse_constant,
            parse_int=_whole_number,
        )
    except (ValueError, RecursionError) as error:  # ValueError: no JSON or no UTF-8
        raise damaged(path, error) from error
    return header


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of the header; the format forbids names that occur twice."""
    table = dict(pairs)
    if len(table) != len(pairs):
        names = Counter(name for name, _ in pairs)
        raise ValueError(f"{names.most_common(1)[0][0]!r} occurs twice")
    for name in table:
        name.encode()  # half of a surrogate pair is no text
    return table


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")  # Python reads NaN and Infinity


def _whole_number(digits: str) -> int | float:
    return int(digits) if digits != "-0" else -0.0  # what the library takes it for


def _metadata(path: Path, raw: Any) -> Mapping[str, str]:
    if raw is None:
        return {}
    if not isinstance(raw, dict) or not all(map(_is_text, raw.values())):
        raise damaged(path, _METADATA)
    return raw


def _is_text(value: object) -> bool:
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def _entry(path: Path, name: str, raw: Any, first_byte: int) -> TensorEntry:
    try:
        dtype, shape, (begin, end) = raw["dtype"], raw["shape"], raw["data_offsets"]
        num_bits = _ITEM_BITS[dtype] * _num_elements(shape)
        is_sane = type(begin) is type(end) is int and 0 <= begin <= end
        more = [value for key, value in raw.items() if key not in _ENTRY_KEYS]
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise damaged(path, name) from error
    is_plain = not any(isinstance(value, dict | list) for value in more)
    if not is_sane or not is_plain or num_bits != 8 * (end - begin) or num_bits > _MAX_COUNT:
        raise damaged(path, name)
    return TensorEntry(dtype, tuple(shape), first_byte + begin, end - begin)


def _num_elements(shape: Any) -> int:
    """Return the product of a shape's sides.

    Raises:
        ValueError: A side is no whole number, or the product of some does not fit into 64 bits.
    """
    if not isinstance(shape, list):
        raise ValueError("the shape is no list")
    count = 1
    for side in shape:
        if type(side) is not int or not 0 <= side <= _MAX_COUNT:  # True is an int too
            raise ValueError("a side is no whole number")
        count *= side
        if count > _MAX_COUNT:
            raise ValueError("a size is too large")
    return count


def _require_no_gaps(path: Path, entries: Mapping[str, TensorEntry], first_byte: int) -> None:
    """Refuse tensors that overlap or leave bytes between them, and a file of another size."""
    end = first_byte
    for name, entry in sorted(
        entries.items(), key=lambda item: (item[1].offset, item[1].num_bytes)
    ):
        if entry.offset != end:
            raise damaged(path, name)
        end += entry.num_bytes
    size = path.stat().st_size
    if size < end:
        raise cut_short(path, size, end)
    if size > end:
        raise ModelFileError(
            T(
                "Errors",
                "{path} is damaged: {extra} [extra:byte follows|bytes follow] the last tensor.",
            ),
            T("Errors", "Download or copy the file again."),
            path=path,
            extra=size - end,
        )
