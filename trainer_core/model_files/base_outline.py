"""What a base model is like, read off its headers: the layers that get adapters, its latents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainer_core.catalogue.families import PARTS, FamilyEntry, part_of_module
from trainer_core.model_files.diffusers_folder import DiffusersFolder
from trainer_core.model_files.tensor_index import TensorEntry
from trainer_core.model_files.weights_file import read_index

Shape = tuple[int, ...]

_IMAGE_PART, _IMAGE_PREFIX = "vae", "first_stage_model."  # of all Stable Diffusions
_FUSED = ".in_proj_weight"  # OpenCLIP's query, key and value
_LATENT = "post_quant_conv.weight"
_BLOCK = re.compile(r"\bencoder\.down(?:_blocks)?\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class BaseOutline:
    """What decides how large a run's files become.

    Attributes:
        layers: Of each part that can be trained, the shapes of the weights of the layers that get
            an adapter if nothing else is asked for.
        latent_channels: Channels of a latent.
        pixels_per_latent: Picture rows and columns that one latent cell stands for.
    """

    layers: Mapping[str, tuple[Shape, ...]]
    latent_channels: int
    pixels_per_latent: int


def base_outline(path: Path, entry: FamilyEntry) -> BaseOutline | None:
    """Read what a base model of a family is like; None if its headers do not tell.

    Args:
        path: The file or diffusers folder.
        entry: Of the family.

    Raises:
        ModelFileError: It is missing, damaged, or lacks a part.
    """
    tensors = _of_folder(path, entry) if path.is_dir() else _of_file(path, entry)
    latent = tensors[_IMAGE_PART].get(_LATENT)
    blocks = {match[1] for name in tensors[_IMAGE_PART] if (match := _BLOCK.search(name))}
    layers = {part.name: standard_layers(tensors[part.name], part.layers) for part in entry.parts}
    if latent is None or not latent.shape or not blocks or not all(layers.values()):
        return None
    return BaseOutline(layers, latent.shape[0], 2 ** (len(blocks) - 1))


def standard_layers(tensors: Mapping[str, TensorEntry], pattern: str) -> tuple[Shape, ...]:
    """Return the shapes of the weights whose names have a ``pattern`` in them."""
    return tuple(
        shape
        for name, entry in tensors.items()
        if len(entry.shape) > 1 and re.search(pattern, name)
        for shape in _layers_of(name, entry.shape)
    )


def _layers_of(name: str, shape: Shape) -> list[Shape]:
    """Return the shapes of the layers whose weights one tensor holds."""
    if not name.endswith(_FUSED):
        return [shape]
    rows, *rest = shape
    return [(rows // 3, *rest)] * 3


def _of_folder(path: Path, entry: FamilyEntry) -> dict[str, Mapping[str, TensorEntry]]:
    names = [_IMAGE_PART, *(part.name for part in entry.parts)]
    return {name: DiffusersFolder(path).index(name).entries for name in names}


def _of_file(path: Path, entry: FamilyEntry) -> dict[str, Mapping[str, TensorEntry]]:
    prefixes = {_IMAGE_PART: _IMAGE_PREFIX, **{p.name: p.file_prefix for p in entry.parts}}
    entries = read_index(path).entries
    return {
        part: {
            name.removeprefix(prefix): tensor
            for name, tensor in entries.items()
            if name.startswith(prefix)
        }
        for part, prefix in prefixes.items()
    }


def starting_shapes(path: Path) -> Mapping[str, tuple[Shape, ...]]:
    """Return the shapes of all tensors in a file of adapters, by part of any family.

    Raises:
        ModelFileError: The file is missing, unreadable or damaged.
    """
    found: dict[str, list[Shape]] = {name: [] for name in PARTS}
    for name, tensor in read_index(path).entries.items():
        part = part_of_module(name)
        if part is not None:
            found[part.name].append(tensor.shape)
    return {name: tuple(shapes) for name, shapes in found.items()}
