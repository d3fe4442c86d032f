"""Weight files: tensors and metadata as safetensors, read back before they get their name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.precisions import SAVE_PRECISIONS
from trainer_core.checkpoints.hashes import weight_hashes
from trainer_core.errors import ModelFileError, NumericError, OutputError
from trainer_core.files.writing import publish_file
from trainer_core.texts import T

_DOWN, _UP, _ALPHA = "lora_down.weight", "lora_up.weight", "alpha"
_BASE_MODEL_PREFIXES = ("model.diffusion_model.", "cond_stage_model.", "conditioner.", "unet.")


@dataclass(frozen=True, slots=True)
class WeightFile:
    """What a weight file holds, wholly in memory: the file is closed."""

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
    converted = {name: _converted(name, tensor, precision) for name, tensor in tensors.items()}
    training = {key: value for key, value in metadata.items() if key.startswith("ss_")}
    hashes = weight_hashes(save(converted, metadata=training))
    write_tensors(path, converted, metadata={**metadata, **hashes}, replace=replace)


def write_tensors(
    path: Path,
    tensors: Mapping[str, Tensor],
    *,
    metadata: Mapping[str, str],
    replace: bool = False,
) -> None:
    """Write contiguous tensors in the type they have, and compare the file before it is named.

    Raises:
        OutputError: The file cannot be written, or does not read back as it was.
    """
    data = save(dict(tensors), metadata=dict(metadata))
    publish_file(
        path,
        lambda file: file.write(data),
        verify=lambda part: _compare(part, tensors, metadata, path),
        replace=replace,
    )


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
        with safe_open(path, "pt") as file:
            # Clones, because the tensors of an open file are mapped to it.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
            return WeightFile(tensors, file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise ModelFileError(
            T("Errors", "{path} is damaged or not a safetensors file: {reason}"),
            T("Errors", "Choose a complete .safetensors file, or copy this one again."),
            path=path,
            reason=error,
        ) from error


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


def _converted(name: str, tensor: Tensor, precision: str) -> Tensor:
    if not torch.isfinite(tensor).all():
        raise NumericError(
            T("Errors", "The weights {name} are not finite; they were not saved."),
            T("Errors", "Lower the learning rate and go on from an earlier save."),
            setting="optimizer.learning_rate",
            name=name,
        )
    dtype = implementation(SAVE_PRECISIONS[precision].implementation)
    converted = tensor.detach().to(device="cpu", dtype=dtype, copy=True)
    if not torch.isfinite(converted).all():
        raise NumericError(
            T("Errors", "The weights {name} reach {largest}, too much for {precision}."),
            T("Errors", "Set Save precision to bf16 or float."),
            setting="output.save_precision",
            name=name,
            largest=float(tensor.detach().abs().max()),
            precision=precision,
        )
    return converted.contiguous()


def _compare(
    part: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str], path: Path
) -> None:
    """Raise unless the file ``part``, to be called ``path``, holds exactly what was given."""
    try:
        with safe_open(part, "pt") as file:
            wrong = set(file.keys()) ^ set(tensors)
            if (file.metadata() or {}) != dict(metadata):
                wrong.add("__metadata__")
            wrong |= {
                name
                for name, tensor in tensors.items()
                if name not in wrong and not _is_same(file.get_tensor(name), tensor)
            }
    except SafetensorError as error:
        wrong = {str(error)}
    if wrong:
        raise OutputError(
            T("Errors", "{path} reads back otherwise than it was written: {name}"),
            T("Errors", "The disk or the memory may be failing; try another output folder."),
            path=path,
            name=min(wrong),
        )


def _is_same(read: Tensor, written: Tensor) -> bool:
    if read.dtype != written.dtype or read.shape != written.shape:
        return False
    return torch.equal(*(tensor.reshape(-1).view(torch.uint8) for tensor in (read, written)))


def _other_kind(path: Path, key: str) -> ModelFileError:
    message = T("Errors", "{path} is not a LoRA in the usual format: it holds {name}.")
    if key.startswith(_BASE_MODEL_PREFIXES):
        message = T("Errors", "{path} is a base model, not a LoRA: it holds {name}.")
    return _unusable(path, message, key)


def _unusable(path: Path, message: str, name: str) -> ModelFileError:
    hint = T("Errors", "Choose a LoRA with lora_down and lora_up weights as starting weights.")
    return ModelFileError(message, hint, path=path, name=name)
