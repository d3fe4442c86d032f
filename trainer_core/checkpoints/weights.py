"""Weight files: tensors and metadata as safetensors, read back before they get their name."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.precisions import SAVE_PRECISIONS
from trainer_core.checkpoints.hashes import WeightHashes
from trainer_core.checkpoints.safetensors_file import (
    Layout,
    Written,
    differences,
    is_finite,
    pieces,
    read_file,
    write_into,
)
from trainer_core.errors import ModelFileError, NumericError, OutputError
from trainer_core.files.writing import publish_file
from trainer_core.texts import T

_ALPHA = "alpha"
_BASE_MODEL_PREFIXES = ("model.diffusion_model.", "cond_stage_model.", "conditioner.", "unet.")


@dataclass(frozen=True, slots=True)
class WeightFile:
    """What a weight file holds, on the CPU in its own types; the file is closed."""

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]


def write_lora(
    path: Path,
    tensors: Mapping[str, Tensor],
    *,
    metadata: Mapping[str, str],
    precision: str,
    replace: bool = False,
) -> None:
    """Write an adapter, all of it (alphas too) in ``precision``, with both hashes.

    The tensors are of 16 bits or more and on any device; a few MiB at a time are copied.

    Raises:
        NumericError: A tensor is not finite, or does not fit into ``precision``.
        OutputError: The file cannot be written, or does not read back as it was.
    """
    dtype = _dtype(precision)
    training = {key: value for key, value in metadata.items() if key.startswith("ss_")}
    layout = Layout.of(tensors, dtype)

    def write(file: BinaryIO) -> Written:
        # Written with hashes of the same length, then put right: one pass over the tensors.
        hashes = WeightHashes(layout.header(training))
        written = write_into(
            file,
            tensors,
            metadata={**metadata, **hashes.entries()},
            dtype=dtype,
            convert=lambda name, piece: _converted(name, piece, tensors[name], precision),
            observe=hashes.update,
        )
        complete = {**metadata, **hashes.entries()}
        file.seek(0)
        file.write(layout.header(complete))
        file.seek(0, os.SEEK_END)
        return replace_fields(written, metadata=complete)

    _publish(path, write, replace=replace)


def write_tensors(
    path: Path,
    tensors: Mapping[str, Tensor],
    *,
    metadata: Mapping[str, str],
    replace: bool = False,
) -> None:
    """Write tensors of any shape in the type they have; compare the file before it is named.

    They may be on any device; a few MiB at a time are copied.

    Raises:
        OutputError: The file cannot be written, or does not read back as it was.
    """
    _publish(path, lambda file: write_into(file, tensors, metadata=metadata), replace=replace)


def read_tensors(path: Path) -> WeightFile:
    """Read a whole safetensors file into the CPU's memory.

    Raises:
        ModelFileError: It is missing, damaged, or not a safetensors file.
    """
    if not path.is_file():
        raise ModelFileError(
            T("Errors", "There is no file {path}."),
            T("Errors", "Choose an existing .safetensors file."),
            path=path,
        )
    try:
        tensors, metadata = read_file(path)
    except OSError as error:
        raise ModelFileError(
            T("Errors", "{path} cannot be read: {reason}"),
            T("Errors", "Check that the file may be read and that its disk is there."),
            path=path,
            reason=error.strerror,
        ) from error
    return WeightFile(tensors, metadata)


def read_adapter(path: Path, marks: Collection[str]) -> WeightFile:
    """Read an adapter in the kohya key format into the CPU's memory.

    Args:
        path: The file.
        marks: Endings of the keys of one kind of adapter; ``alpha`` may stand beside them.

    Raises:
        ModelFileError: It is missing, damaged, of another kind, empty or not finite. Whether each
            module is complete is for the kind of adapter to say.
    """
    weights = read_tensors(path)
    if not weights.tensors:
        raise _unusable(path, T("Errors", "{path} holds no weights."), marks)
    for key, tensor in weights.tensors.items():
        if key.partition(".")[2] not in (*marks, _ALPHA):
            raise _other_kind(path, key, marks)
        if not is_finite(tensor):
            raise _unusable(path, T("Errors", "{path}: {name} is not finite."), marks, key)
    return weights


def incomplete(path: Path, module: str, reason: object, marks: Collection[str]) -> ModelFileError:
    """Return the error for a module of an adapter's file that cannot be taken."""
    message = T("Errors", "{path} is incomplete or damaged: {name}: {reason}")
    return _unusable(path, message, marks, module, reason=reason)


def _converted(name: str, piece: Tensor, tensor: Tensor, precision: str) -> Tensor:
    """Return a piece of ``tensor`` in ``precision``, or refuse it."""
    if not torch.isfinite(piece).all():
        raise NumericError(
            T("Errors", "The weights {name} are not finite; they were not saved."),
            T("Errors", "Lower the learning rate and go on from an earlier save."),
            setting="optimizer.learning_rate",
            name=name,
        )
    converted = piece.to(_dtype(precision))
    if not torch.isfinite(converted).all():
        raise NumericError(
            T("Errors", "The weights {name} reach {largest}, too much for {precision}."),
            T("Errors", "Set Save precision to bf16 or float."),
            setting="output.save_precision",
            name=name,
            largest=max(float(each.abs().max()) for each in pieces(tensor)),
            precision=precision,
        )
    return converted


def _dtype(precision: str) -> torch.dtype:
    found: torch.dtype = implementation(SAVE_PRECISIONS[precision].implementation)
    return found


def _publish(path: Path, write: Callable[[BinaryIO], Written], *, replace: bool) -> None:
    """Write a file and read it back before it gets its name."""
    written: list[Written] = []

    def verify(part: Path) -> None:
        wrong = differences(part, written[0])
        if wrong:
            raise OutputError(
                T("Errors", "{path} reads back otherwise than it was written: {name}"),
                T("Errors", "The disk or the memory may be failing; try another output folder."),
                path=path,
                name=min(wrong),
            )

    publish_file(path, lambda file: written.append(write(file)), verify=verify, replace=replace)


def _other_kind(path: Path, key: str, marks: Collection[str]) -> ModelFileError:
    message = T("Errors", "{path} is not a LoRA of this kind: it holds {name}.")
    if key.startswith(_BASE_MODEL_PREFIXES):
        message = T("Errors", "{path} is a base model, not a LoRA: it holds {name}.")
    return _unusable(path, message, marks, key)


def _unusable(
    path: Path, message: str, marks: Collection[str], name: str = "", reason: object = ""
) -> ModelFileError:
    hint = T("Errors", "Choose a LoRA with weights called {marks} as starting weights.")
    known = ", ".join(marks)
    return ModelFileError(message, hint, path=path, name=name, marks=known, reason=reason)
