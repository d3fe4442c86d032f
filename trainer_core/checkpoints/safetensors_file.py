"""Safetensors files, written and read tensor by tensor: no file is ever wholly in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from trainer_core.errors import ModelFileError
from trainer_core.model_files.tensor_index import (
    ITEM_BYTES,
    TensorEntry,
    TensorIndex,
    damaged,
    read_safetensors,
)
from trainer_core.texts import T

#: The formats in the order in which the safetensors library lays them out, names sorted within
#: one. Source: safetensors 0.8, ``prepare`` in tensor.rs; a test compares with the library.
_FORMATS: Mapping[torch.dtype, str] = {
    torch.uint64: "U64",
    torch.int64: "I64",
    torch.float64: "F64",
    torch.float32: "F32",
    torch.uint32: "U32",
    torch.int32: "I32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.uint16: "U16",
    torch.int16: "I16",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_DTYPES = {name: dtype for dtype, name in _FORMATS.items()}
_RANKS = {dtype: rank for rank, dtype in enumerate(_FORMATS)}
_METADATA = "__metadata__"
_ALIGNMENT = 8  # the header is padded with spaces, so that the tensors begin at a multiple of it
_PIECE_BYTES = 1 << 22  # what is converted, hashed and written at once

#: Checks a piece of the tensor of that name and gives what is written of it.
Convert = Callable[[str, Tensor], Tensor]


def unchanged(name: str, piece: Tensor) -> Tensor:
    """Return the piece, of any shape and type, as it is."""
    return piece


@dataclass(frozen=True, slots=True)
class Layout:
    """Which tensors a file holds, in their order, each with format name and shape."""

    formats: Mapping[str, tuple[str, tuple[int, ...]]]

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor], dtype: torch.dtype | None = None) -> Layout:
        """Lay out ``tensors``, all in ``dtype`` or each in its own; only shapes are looked at.

        Raises:
            TypeError: safetensors has no such format.
        """
        dtypes = {name: dtype or tensor.dtype for name, tensor in tensors.items()}
        unknown = [f"{name}: {dtype}" for name, dtype in dtypes.items() if dtype not in _RANKS]
        if unknown:
            raise TypeError(f"safetensors has no format for {unknown[0]}")
        order = sorted(tensors, key=lambda name: (_RANKS[dtypes[name]], name))
        shapes = {name: tuple(tensors[name].shape) for name in order}
        return cls({name: (_FORMATS[dtypes[name]], shape) for name, shape in shapes.items()})

    def header(self, metadata: Mapping[str, str] | None = None) -> bytes:
        """Return everything before the first tensor; its length depends on no value but texts'."""
        table: dict[str, Any] = {} if metadata is None else {_METADATA: dict(metadata)}
        begin = 0
        for name, (form, shape) in self.formats.items():
            end = begin + _num_bytes(form, shape)
            table[name] = {"dtype": form, "shape": list(shape), "data_offsets": [begin, end]}
            begin = end
        text = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
        text += b" " * (-len(text) % _ALIGNMENT)
        return len(text).to_bytes(8, "little") + text


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of a file: enough to tell whether it reads back as it was."""

    layout: Layout
    metadata: Mapping[str, str]
    digests: Mapping[str, bytes]
    size: int
    sha256: str


def write_into(
    file: BinaryIO,
    tensors: Mapping[str, Tensor],
    *,
    metadata: Mapping[str, str] | None = None,
    dtype: torch.dtype | None = None,
    convert: Convert = unchanged,
    observe: Callable[[Any], object] = lambda data: None,
) -> Written:
    """Write a whole safetensors file from its beginning, byte for byte as the library would.

    Args:
        file: Where it goes, at its start.
        tensors: On any device, contiguous or not; pieces of a few MiB are copied at a time.
        metadata: Written in the order given; the library's order is by chance.
        dtype: What ``convert`` gives; None: the tensors' own types.
        convert: Gets flat pieces on the CPU, in row-major order; may raise to refuse.
        observe: Gets the bytes of every piece as they are written (the header's not).
    """
    layout = Layout.of(tensors, dtype)
    header = layout.header(metadata)
    file.write(header)
    whole, size, digests = hashlib.sha256(header), len(header), {}
    for name in layout.formats:
        digest = hashlib.sha256()
        for piece in pieces(tensors[name]):
            data = _bytes_of(convert(name, piece.cpu()))
            file.write(data)
            observe(data)
            digest.update(data)
            whole.update(data)
            size += data.nbytes
        digests[name] = digest.digest()
    return Written(layout, metadata or {}, digests, size, whole.hexdigest())


def differences(path: Path, written: Written) -> set[str]:
    """Return the names of the tensors in ``path`` that are not as they were written.

    ``__metadata__`` stands for the metadata, an error's words for a file that cannot be read.
    """
    try:
        index = _read_header(path)
    except ModelFileError as error:
        return {str(error)}
    formats = written.layout.formats
    wrong = set(index.entries) ^ set(formats)
    if index.metadata != written.metadata:
        wrong.add(_METADATA)
    with path.open("rb") as file:
        for name in set(formats) - wrong:
            entry = index.entries[name]
            is_same_kind = (entry.dtype, entry.shape) == formats[name]
            if not is_same_kind or _digest(file, entry) != written.digests[name]:
                wrong.add(name)
    return wrong


def read_file(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return a file's tensors, on the CPU in its types, and its metadata.

    Nothing is mapped, and the file is closed.

    Raises:
        ModelFileError: It is damaged or not a safetensors file.
        OSError: It cannot be read.
    """
    index = _read_header(path)
    with path.open("rb") as file:
        tensors = {name: _read_tensor(path, file, entry) for name, entry in index.entries.items()}
    return tensors, dict(index.metadata)


def pieces(tensor: Tensor) -> Iterator[Tensor]:
    """Yield the elements flat and in row-major order, a few MiB at a time.

    The tensor may be of any shape, strides and type; the pieces are on its device.
    """
    tensor = tensor.detach()
    num_bytes = tensor.numel() * tensor.element_size()
    if num_bytes <= _PIECE_BYTES:
        yield tensor.reshape(-1)
    elif tensor.is_contiguous():
        yield from torch.split(tensor.view(-1), _PIECE_BYTES // tensor.element_size())
    elif num_bytes // len(tensor) > _PIECE_BYTES:
        for row in tensor:
            yield from pieces(row)
    else:
        for rows in torch.split(tensor, _PIECE_BYTES // (num_bytes // len(tensor))):
            yield rows.reshape(-1)


def is_finite(tensor: Tensor) -> bool:
    """Tell whether all elements are finite, whatever the shape, type and device."""
    # isfinite() knows no 8-bit floats.
    known = (each.float() if each.element_size() == 1 else each for each in pieces(tensor))
    return all(bool(torch.isfinite(piece).all()) for piece in known)


def _bytes_of(flat: Tensor) -> Any:
    """Return the memory of a flat tensor on the CPU, as a NumPy array."""
    flat = flat.contiguous()
    # The stride of a single number may be anything, which view() refuses.
    return flat.as_strided(flat.shape, (1,)).view(torch.uint8).numpy()


def _num_bytes(form: str, shape: Iterable[int]) -> int:
    total = ITEM_BYTES[form]
    for side in shape:
        total *= side
    return total


def _read_header(path: Path) -> TensorIndex:
    """Read the table of contents; refuse what the library would, and types torch does not have."""
    with path.open("rb") as file:
        start = file.read(9)
    if start[8:] != b"{":
        raise ModelFileError(
            T("Errors", "{path} is not a safetensors file."),
            T("Errors", "Choose a complete .safetensors file, or copy this one again."),
            path=path,
        )
    index = read_safetensors(path)
    unknown = [entry.dtype for entry in index.entries.values() if entry.dtype not in _DTYPES]
    if unknown:
        raise damaged(path, unknown[0])
    return index


def _read_tensor(path: Path, file: BinaryIO, entry: TensorEntry) -> Tensor:
    tensor = torch.empty(entry.shape, dtype=_DTYPES[entry.dtype], device="cpu")
    data = memoryview(_bytes_of(tensor.view(-1)))
    file.seek(entry.offset)
    done = 0
    while done < len(data):
        count = file.readinto(data[done:])  # type: ignore[attr-defined]
        if not count:
            raise damaged(path, f"{done} < {len(data)} B")
        done += count
    return tensor


def _digest(file: BinaryIO, entry: TensorEntry) -> bytes:
    digest = hashlib.sha256()
    file.seek(entry.offset)
    for begin in range(0, entry.num_bytes, _PIECE_BYTES):
        digest.update(file.read(min(_PIECE_BYTES, entry.num_bytes - begin)))
    return digest.digest()
