"""What a file of starting weights says of itself without torch: the alphas of its modules."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from trainer_core.catalogue.adapters import ADAPTERS
from trainer_core.catalogue.families import part_of_module
from trainer_core.model_files.tensor_index import TensorEntry, TensorIndex
from trainer_core.model_files.weights_file import read_index

_ALPHA = "alpha"
#: The axis of a matrix that has the rank, by the ending of its key.
_RANK_AXES = {name: axis for kind in ADAPTERS.values() for name, axis in kind.rank_axes.items()}
#: How `struct` calls the types of numbers, little-endian as in the file.
_FORMATS = {"F64": "<d", "F32": "<f", "F16": "<e", "I64": "<q", "I32": "<i"}


def alphas_by_part(path: Path) -> dict[str, tuple[float, ...]]:
    """Return the alphas of a file's modules, each once and rising, by part (``unet``).

    A module that has none has its rank. What has no rank is left out, and so is what no family
    calls a part.

    Raises:
        ModelFileError: The file is missing, unreadable or damaged.
    """
    index = read_index(path)
    found: dict[str, set[float]] = {}
    with path.open("rb") as file:
        for module, rank in _ranks(index).items():
            entry = index.entries.get(f"{module}.{_ALPHA}")
            alpha = float(rank) if entry is None else _number(file, entry)
            part = part_of_module(module)
            if alpha is not None and part is not None:
                found.setdefault(part.name, set()).add(alpha)
    return {part: tuple(sorted(alphas)) for part, alphas in found.items()}


def _ranks(index: TensorIndex) -> Mapping[str, int]:
    """Return the rank of each module that has one."""
    ranks = {}
    for key, entry in index.entries.items():
        module, _, suffix = key.partition(".")
        axis = _RANK_AXES.get(suffix)
        if axis is not None and len(entry.shape) > axis:
            ranks[module] = entry.shape[axis]
    return ranks


def _number(file: BinaryIO, entry: TensorEntry) -> float | None:
    """Return a tensor of one element; None if it is none, or not finite."""
    if math.prod(entry.shape) != 1:
        return None
    file.seek(entry.offset)
    data, form = file.read(entry.num_bytes), _FORMATS.get(entry.dtype)
    if entry.dtype == "BF16":  # the upper half of a float32
        data, form = bytes(2) + data, "<f"
    if form is None or len(data) != struct.calcsize(form):
        return None
    value = float(struct.unpack(form, data)[0])
    return value if math.isfinite(value) else None
