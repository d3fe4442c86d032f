"""Weight files: tensors and metadata as safetensors, read back before they get their name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
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
    pieces,
    read_file,
    write_into,
)
from trainer_core.errors import ModelFileError, NumericError, OutputError
from trainer_core.files.writing import publish_file
from trainer_core.texts import T

_DOWN, _UP, _ALPHA = "lora_down.weight", "lora_up.weight", "alpha"
_BASE_MODEL_PREFIXES = ("model.diffusion_model.", "cond_stage_model.", "conditioner.", "unet.")


@dataclass(frozen=True, slots=True)
class WeightFile:
    """What a weight file holds; the file is closed."""

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
    """Write tensors in the type they have, and compare the file before it is named.

    Raises:
        OutputError: The file cannot be written, or does not read back as it was.
    """
    _publish(path, lambda file: write_into(file, tensors, metadata=metadata), replace=replace)


def read_tensors(path: Path) -> WeightFile:
    """Read a whole safetensors file into memory.

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


def read_lora(path: Path) -> WeightFile:
    """Read an adapter in the kohya key format.

    Raises:
        ModelFileError: It is missing, damaged, of another kind, incomplete or not finite.
    """
    weights = read_tensors(path)
    modules: dict[str, dict[str, Tensor]] = {}
    for key, tensor in weights.tensors.items():
        module, _, part = key.partition(".")
        if part not in (_DOWN, _UP, _ALPHA):
            raise _other_kind(path, key)
        if not torch.isfinite(tensor).all():
            raise _unusable(path, T("Errors", "{path}: {name} is not finite."), key)
        modules.setdefault(module, {})[part] = tensor
    if not modules:
        raise _unusable(path, T("Errors", "{path} holds no weights."), "")
    for module, parts in modules.items():
        down, up = parts.get(_DOWN), parts.get(_UP)
        if down is None or up is None:
            raise _unusable(path, T("Errors", "{path}: a matrix of {name} is missing."), module)
        if down.ndim < 2 or up.ndim < 2 or down.shape[0] != up.shape[1]:
            raise _unusable(path, T("Errors", "{path}: the ranks of {name} differ."), module)
    return weights


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


def _other_kind(path: Path, key: str) -> ModelFileError:
    message = T("Errors", "{path} is not a LoRA in the usual format: it holds {name}.")
    if key.startswith(_BASE_MODEL_PREFIXES):
        message = T("Errors", "{path} is a base model, not a LoRA: it holds {name}.")
    return _unusable(path, message, key)


def _unusable(path: Path, message: str, name: str) -> ModelFileError:
    hint = T("Errors", "Choose a LoRA with lora_down and lora_up weights as starting weights.")
    return ModelFileError(message, hint, path=path, name=name)
