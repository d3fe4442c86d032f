"""Reads tensors from a weights file, a few ahead, and fills modules that hold no memory yet."""

from __future__ import annotations

import math
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from trainer_core.errors import ModelFileError
from trainer_core.families.layouts.family_layout import Names, Place
from trainer_core.files.reading import open_regular
from trainer_core.model_files.tensor_index import TensorEntry, TensorIndex, cut_short
from trainer_core.model_files.weights_file import unreadable
from trainer_core.texts import T

_DTYPES: Mapping[str, torch.dtype] = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}


#: Most of a file's time goes into memory that the system has to make, which threads share.
_READERS = 2
#: What may be read and not taken yet, beside the tensor that is over it.
_AHEAD_BYTES = 64 * 2**20


class Read(NamedTuple):
    """A tensor on the CPU, and the sum of its numbers if that came with reading it.

    The sum is finite only if all numbers are.
    """

    tensor: Tensor
    total: float | None


class TensorFile:
    """Open weights; never maps them: a file that is cut short meanwhile would kill the process.

    No more than a few tensors are there twice.

    Args:
        index: Which tensors there are, and where; of one file or of several that make one.
    """

    def __init__(self, index: TensorIndex) -> None:
        self.index = index
        # Each thread has a place of its own.
        self._files: dict[tuple[int, Path], BufferedReader] = {}

    def close(self) -> None:
        """Close what was opened."""
        for file in self._files.values():
            file.close()

    def read_all(self, names: Sequence[str], dtype: torch.dtype) -> Iterator[Read]:
        """Yield tensors in the order of their names, while threads read the next ones.

        32-bit numbers that stay so are added up.

        Raises:
            ModelFileError: As for `read`.
        """
        ahead: deque[tuple[TensorEntry, Tensor, Future[float | None]]] = deque()
        waiting = 0  # bytes

        def first() -> Read:
            # Converted here: memory that another thread made would stay with that thread.
            entry, content, total = ahead.popleft()
            added_up = total.result()
            return Read(_shaped(entry, content, dtype), added_up)

        with ThreadPoolExecutor(_READERS, thread_name_prefix="weights") as pool:
            for name in names:
                entry = self._known(name)
                content = torch.empty(entry.num_bytes, dtype=torch.uint8)
                is_kept = entry.dtype == "F32" and dtype == torch.float32
                read = self._added_up if is_kept else self._read_into
                ahead.append((entry, content, pool.submit(read, content, entry)))
                waiting += entry.num_bytes
                while waiting > _AHEAD_BYTES and len(ahead) > 1:
                    waiting -= ahead[0][0].num_bytes
                    yield first()
            while ahead:
                yield first()

    def read(self, name: str, dtype: torch.dtype) -> Tensor:
        """Read one tensor into the CPU's memory, contiguous, as ``dtype``, in the stored shape.

        Raises:
            ModelFileError: It is stored in a type that is not known, or the file is cut short or
                cannot be read any more.
        """
        entry = self._known(name)
        content = torch.empty(entry.num_bytes, dtype=torch.uint8)
        self._read_into(content, entry)
        return _shaped(entry, content, dtype)

    def _added_up(self, content: Tensor, entry: TensorEntry) -> float:
        self._read_into(content, entry)
        # By numpy, which takes no more threads for it: they are all reading.
        with np.errstate(over="ignore", invalid="ignore"):
            return float(content.view(torch.float32).numpy().sum())

    def _known(self, name: str) -> TensorEntry:
        entry = self.index.entries[name]
        if entry.dtype not in _DTYPES:
            raise ModelFileError(
                T("Errors", "The tensor {name} in {path} has the type {dtype}."),
                T("Errors", "Choose a model with weights in full or half precision."),
                name=name,
                path=self.index.file(entry),
                dtype=entry.dtype,
            )
        return entry

    def _read_into(self, content: Tensor, entry: TensorEntry) -> None:
        path = self.index.file(entry)
        try:
            file = self._file(path)
            file.seek(entry.offset)
            count = file.readinto(content.numpy().data)
        except OSError as error:  # removed since its header was read, or its disk is away
            raise unreadable(path, error) from error
        if count != entry.num_bytes:
            raise cut_short(path, entry.offset + count, entry.offset + entry.num_bytes)

    def _file(self, path: Path) -> BufferedReader:
        place = threading.get_ident(), path
        if place not in self._files:
            self._files[place] = open_regular(path)
        return self._files[place]


def _shaped(entry: TensorEntry, content: Tensor, dtype: torch.dtype) -> Tensor:
    """Return a tensor as `TensorFile.read` gives it, of the bytes that it has in the file."""
    elements = content.view(_DTYPES[entry.dtype])
    stride = entry.stride
    shaped = elements.as_strided(entry.shape, stride) if stride else elements.view(entry.shape)
    return shaped.to(dtype).contiguous()


def fill_module(
    module: nn.Module,
    file: TensorFile,
    names_in_file: Names,
    dtype: torch.dtype,
    *,
    device: torch.device | None = None,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> None:
    """Give a module its weights, so that no more than a few of them are in memory twice.

    Args:
        module: Built under ``torch.device("meta")``; frozen and in evaluation mode afterwards.
        file: Where the tensors are.
        names_in_file: From a name in the module's state dict to where it may be in the file.
        dtype: Of the weights, whatever the file has.
        device: Where they go; None is the CPU.
        memory_format: Of weights with four dimensions; they are put in order on the CPU.

    Raises:
        ModelFileError: A tensor is missing, has another shape, or is not finite.
    """
    state, totals, doubtful = {}, {}, []
    places = found_places(module, file.index, names_in_file)
    wanted = module.state_dict()
    stored_tensors = _each_once(file, [places[name].name for name in wanted], dtype)
    for (name, expected), (stored, total) in zip(wanted.items(), stored_tensors, strict=True):
        # A linear layer may be stored as a 1x1 convolution, and the other way round.
        tensor = places[name].taken_from(stored).view(expected.shape)
        if tensor.dim() == 4:
            tensor = tensor.to(memory_format=memory_format)
        state[name] = tensor if device is None else tensor.to(device)
        if total is None:
            totals[name] = _total(state[name])
        elif not math.isfinite(total):
            doubtful.append(name)
    sums = zip(totals, _finite(totals.values()), strict=True)
    doubtful += [name for name, is_finite in sums if not is_finite]
    for name in doubtful:  # the sum may only have overflowed
        if not state[name].isfinite().all():
            raise _not_finite(file, places[name].name, dtype)
    module.load_state_dict(state, assign=True)
    module.requires_grad_(False).eval()


def _each_once(file: TensorFile, names: Sequence[str], dtype: torch.dtype) -> Iterator[Read]:
    """Yield what is stored under each name in turn.

    What is asked for several times, as it holds shares for several layers, is read once and kept
    until it was asked for the last time.
    """
    left, kept = Counter(names), dict[str, Read]()
    stored = file.read_all(list(left), dtype)
    for name in names:
        if name not in kept:
            kept[name] = next(stored)
        left[name] -= 1
        yield kept[name] if left[name] else kept.pop(name)


def found_places(module: nn.Module, index: TensorIndex, names_in_file: Names) -> dict[str, Place]:
    """Return the place in the file of every tensor in the module's state dict.

    Only shapes are looked at, so the module may be on the meta device.

    Raises:
        ModelFileError: A tensor is missing or has another shape; sides of 1 do not count.
    """
    places = {}
    for name, expected in module.state_dict().items():
        possible = names_in_file(name)
        found = next((place for place in possible if place.name in index.entries), None)
        if found is None:
            raise _missing(index.path, possible[0].name)
        entry, wanted = index.entries[found.name], found.stored_shape(expected.shape)
        if _without_ones(entry.shape) != _without_ones(wanted):
            raise _misshapen(index.file(entry), found.name, entry.shape, wanted)
        places[name] = found
    return places


def _total(tensor: Tensor) -> Tensor:
    """Return a sum that is finite only if all numbers are, on their device; not waited for.

    It takes a tenth of the time that looking at each takes.
    """
    if tensor.dtype == torch.float32 and tensor.is_contiguous() and tensor.is_cpu:
        return torch.dot(tensor.view(-1), tensor.view(-1))  # twice as fast as a sum there
    return tensor.sum()


def _finite(totals: Iterable[Tensor]) -> list[bool]:
    """Tell of each sum whether it is finite; read once from the device."""
    together = list(totals)
    flags: list[bool] = torch.stack(together).isfinite().tolist() if together else []
    return flags


def _not_finite(file: TensorFile, name: str, dtype: torch.dtype) -> ModelFileError:
    """Return the error for a tensor that is not finite: as it is stored, or only as ``dtype``."""
    path = file.index.file(file.index.entries[name])
    if bool(file.read(name, torch.float64).isfinite().all()):
        return ModelFileError(
            T("Errors", "The tensor {name} in {path} has numbers too large for {dtype}."),
            T("Errors", "Use bf16 or 32 bit."),
            name=name,
            path=path,
            dtype=str(dtype).removeprefix("torch."),
        )
    return ModelFileError(
        T("Errors", "{path} is damaged: the tensor {name} holds numbers that are not finite."),
        T("Errors", "Download the model again or choose another one; a failed merge does this."),
        path=path,
        name=name,
    )


def _without_ones(shape: tuple[int, ...]) -> list[int]:
    return [size for size in shape if size != 1]


def _missing(path: Path, name: str) -> ModelFileError:
    return ModelFileError(
        T("Errors", "{path} lacks the tensor {name}."),
        T("Errors", "The file is incomplete or of an unusual layout. Choose another model."),
        path=path,
        name=name,
    )


def _misshapen(
    path: Path, name: str, found: tuple[int, ...], expected: tuple[int, ...]
) -> ModelFileError:
    return ModelFileError(
        T("Errors", "The tensor {name} in {path} has the shape {found} instead of {expected}."),
        T("Errors", "The file is damaged or of an unusual layout. Choose another model."),
        name=name,
        path=path,
        found=found,
        expected=expected,
    )
