"""Reads the table of contents of a PyTorch checkpoint (``.ckpt``) without unpickling it.

A checkpoint is a zip archive with one pickle, which tells how to build the tensors, and one
uncompressed record for each block of numbers. The pickle's instructions are followed on paper
only: what it asks to import or to call becomes a symbol, so nothing in the file is ever run.
"""

from __future__ import annotations

import math
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from trainer_core.errors import ModelFileError
from trainer_core.model_files.pickle_outline import Call, ForbiddenName, Global, outline
from trainer_core.model_files.tensor_index import ITEM_BYTES, TensorEntry, TensorIndex, damaged
from trainer_core.texts import T

_STORAGES: Mapping[str, str] = {
    "torch.DoubleStorage": "F64",
    "torch.FloatStorage": "F32",
    "torch.HalfStorage": "F16",
    "torch.BFloat16Storage": "BF16",
    "torch.LongStorage": "I64",
    "torch.IntStorage": "I32",
    "torch.ShortStorage": "I16",
    "torch.CharStorage": "I8",
    "torch.ByteStorage": "U8",
    "torch.BoolStorage": "BOOL",
}
_TENSOR = "torch._utils._rebuild_tensor_v2"
_PARAMETER = "torch._utils._rebuild_parameter"
#: What honest checkpoints carry beside tensors: settings, counters, notes of the program that
#: wrote them. None of it is used. Any other name is refused: it has no business in a model.
_HARMLESS = frozenset(
    {
        *_STORAGES,
        _TENSOR,
        _PARAMETER,
        "_codecs.encode",
        "builtins.dict",
        "__builtin__.dict",
        "builtins.set",
        "__builtin__.set",
        "collections.Counter",
        "collections.OrderedDict",
        "collections.defaultdict",
        "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar",
        "numpy.dtype",
        "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
        "torch.Size",
        "torch.device",
        "torch.float16",
        "torch.float32",
        "torch.bfloat16",
    }
)
#: What zipfile raises on damage.
_BAD_ARCHIVE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError)
_MAX_PICKLE_BYTES = 64 * 2**20  # SD 1.5 with optimizer and averages has 1 MiB
_PIECE_BYTES = 2**20
_MAX_NESTING = 4


def read_checkpoint(path: Path) -> TensorIndex:
    """Read which tensors a checkpoint holds, and where.

    Raises:
        ModelFileError: It is damaged, or its pickle asks for a name that no model needs.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            pickled = _pickle_record(path, archive)
            described = _outline(path, _unpacked(archive, pickled))
            places = _places(archive, file, pickled.filename.removesuffix("data.pkl") + "data/")
    except _BAD_ARCHIVE as error:
        raise damaged(path, error) from error
    state = described.get("state_dict", described) if isinstance(described, dict) else {}
    calls = _tensor_calls(state, "", _MAX_NESTING, set())
    return TensorIndex(path, {name: _entry(path, name, call, places) for name, call in calls})


def _pickle_record(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the archive's one description, ``<any folder>/data.pkl``."""
    found = [record for record in archive.infolist() if record.filename.endswith("/data.pkl")]
    if len(found) != 1 or found[0].file_size > _MAX_PICKLE_BYTES:
        raise ModelFileError(
            T("Errors", "{path} is a zip archive, but no PyTorch checkpoint."),
            T("Errors", "Choose a .safetensors or .ckpt file, or a diffusers folder."),
            path=path,
        )
    return found[0]


def _unpacked(archive: zipfile.ZipFile, record: zipfile.ZipInfo) -> bytes:
    """Return a record piece by piece: what it says of its size need not be true.

    Raises:
        ValueError: It is larger than it says, or packed in a way that PyTorch never uses.
    """
    if record.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{record.filename} is packed in an unusual way")
    pieces = bytearray()
    with archive.open(record) as packed:
        while piece := packed.read(_PIECE_BYTES):  # zlib unpacks no more than is asked for
            pieces += piece
    if len(pieces) != record.file_size:
        raise ValueError(f"{record.filename} is of another size than it says")
    return bytes(pieces)


def _places(archive: zipfile.ZipFile, file: BinaryIO, root: str) -> dict[str, tuple[int, int]]:
    """Return first byte and length of every record below ``root`` that lies whole in the file."""
    end = file.seek(0, os.SEEK_END)
    places = {}
    for record in archive.infolist():
        if record.filename.startswith(root) and record.compress_type == zipfile.ZIP_STORED:
            # A record's bytes follow its local header: 30 bytes, of which the last four give the
            # lengths of two names behind them.
            file.seek(record.header_offset + 26)
            names_bytes = sum(int.from_bytes(file.read(2), "little") for _ in range(2))
            begin = record.header_offset + 30 + names_bytes
            if begin + record.file_size <= end:
                places[record.filename.removeprefix(root)] = (begin, record.file_size)
    return places


def _outline(path: Path, pickled: bytes) -> Any:
    try:
        return outline(pickled, _HARMLESS)
    except ForbiddenName as error:
        raise ModelFileError(
            T("Errors", "{path} was refused: it asks to run {name}, which no model needs."),
            T("Errors", "Nothing of it was run. Get the model as .safetensors from its maker."),
            path=path,
            name=error,
        ) from error
    except ValueError as error:
        raise damaged(path, error) from error


def _tensor_calls(
    tree: Any, prefix: str, levels: int, seen: set[int]
) -> Iterator[tuple[str, Call]]:
    """Yield the tensors of nested tables by their joined names; a table is looked into once.

    A few bytes can put one table into another a thousand times, and that into a third.
    """
    if not isinstance(tree, dict) or not levels or id(tree) in seen:
        return
    seen.add(id(tree))
    for key, value in tree.items():
        call = _unwrapped(value)
        if isinstance(call, Call) and _is_name(call.function, _TENSOR):
            yield f"{prefix}{key}", call
        else:
            yield from _tensor_calls(value, f"{prefix}{key}.", levels - 1, seen)


def _unwrapped(value: object) -> object:
    """Return the tensor of ``_rebuild_parameter(tensor, requires_grad, hooks)``."""
    if isinstance(value, Call) and _is_name(value.function, _PARAMETER):
        return value.arguments[0] if isinstance(value.arguments, tuple) else None
    return value


def _is_name(symbol: object, name: str) -> bool:
    return isinstance(symbol, Global) and symbol.name == name


def _entry(path: Path, name: str, call: Call, places: Mapping[str, tuple[int, int]]) -> TensorEntry:
    """Turn ``_rebuild_tensor_v2(storage, first element, sizes, strides, ...)`` into an entry."""
    try:
        stored, first, shape, stride = call.arguments[:4]  # type: ignore[index]
        _, storage, key, *_ = stored.identity
        dtype = _STORAGES[storage.name]
        begin, record_bytes = places[key]
        num_bytes = _reach(first, shape, stride) * ITEM_BYTES[dtype]
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise damaged(path, name) from error
    skipped = first * ITEM_BYTES[dtype]
    if skipped + num_bytes > record_bytes:
        raise damaged(path, name)
    is_in_order = 0 in shape or stride == _row_major(shape)
    return TensorEntry(dtype, shape, begin + skipped, num_bytes, None if is_in_order else stride)


def _reach(first: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> int:
    """Return how many elements lie from the first to the last, gaps included."""
    numbers = (first, *shape, *stride)
    if not all(type(number) is int and 0 <= number < 2**63 for number in numbers):
        raise ValueError("a size is no whole number")
    steps = (step * (size - 1) for size, step in zip(shape, stride, strict=True))
    return 0 if 0 in shape else sum(steps) + 1


def _row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of a tensor whose elements lie in order."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
