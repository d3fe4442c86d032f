"""A VAE that is used instead of the base model's: where its tensors are, and what they are called.

It may be a file of its own, in diffusers' or the original layout, or inside of a whole model; or a
folder of diffusers, the VAE's own or that of a whole model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer_core.catalogue.families import FAMILIES
from trainer_core.errors import ModelFileError
from trainer_core.files.resources import resource_path
from trainer_core.model_files.diffusers_folder import DiffusersFolder
from trainer_core.model_files.part_configs import VaeConfig, checked_config
from trainer_core.model_files.recognise import kind_of
from trainer_core.model_files.tensor_index import TensorIndex
from trainer_core.model_files.weights_file import read_index
from trainer_core.texts import T

VAE_SETTING = "model.vae"
_PART = "vae"
_SCALE = "scaling_factor"
_UNSTATED_SCALE = 0.18215  # of diffusers' ``AutoencoderKL``; older configs leave it out
#: What may stand before its names in a file: of whole models, of other programs' files, nothing.
_PREFIXES = ("first_stage_model.", "vae.", "")
_IN_EVERY_VAE = "encoder.conv_in.weight"
_IN_DIFFUSERS_LAYOUT = "encoder.down_blocks.0.resnets.0.conv1.weight"


@dataclass(frozen=True, slots=True)
class SeparateVae:
    """A VAE in files of its own.

    Attributes:
        path: What was named.
        index: Of its tensors.
        prefix: What stands before their names.
        is_original: Whether they have the original layout's names; else diffusers'.
        config: What a config beside it says, checked, or the scale of latents of the base model
            that it is in; empty if there is neither.
    """

    path: Path
    index: TensorIndex
    prefix: str
    is_original: bool
    config: Mapping[str, Any] = field(default_factory=dict)


def open_separate_vae(path: Path) -> SeparateVae:
    """Read the headers of a VAE.

    Raises:
        ModelFileError: It is missing or damaged, or there is no VAE in it.
    """
    if path.is_dir():
        folder = path / _PART if (path / _PART).is_dir() else path
        return _of_folder(path, folder)
    index = read_index(path)
    prefix = next((each for each in _PREFIXES if each + _IN_EVERY_VAE in index.entries), None)
    if prefix is None:
        raise _no_vae(path)
    is_original = prefix + _IN_DIFFUSERS_LAYOUT not in index.entries
    has_config = not is_original and (path.parent / "config.json").is_file()
    config = _config(path.parent) if has_config else _scale_of_whole_model(index)
    return SeparateVae(path, index, prefix, is_original, config)


def _scale_of_whole_model(index: TensorIndex) -> dict[str, Any]:
    """Return the published scale of latents if the file is a base model; else nothing."""
    kind = kind_of(index.entries)
    if kind not in FAMILIES:
        return {}
    published = DiffusersFolder(resource_path("model_configs", kind)).config(_PART)
    return {_SCALE: published[_SCALE]}


def _of_folder(path: Path, folder: Path) -> SeparateVae:
    index = DiffusersFolder(folder.parent).index(folder.name)
    if _IN_EVERY_VAE not in index.entries:
        raise _no_vae(path)
    return SeparateVae(path, index, "", is_original=False, config=_config(folder))


def _config(folder: Path) -> dict[str, Any]:
    parts = DiffusersFolder(folder.parent)
    stated = checked_config(parts.config_path(folder.name), parts.config(folder.name), VaeConfig)
    return {_SCALE: _UNSTATED_SCALE, **stated}


def _no_vae(path: Path) -> ModelFileError:
    return ModelFileError(
        T("Errors", "{path} holds no VAE."),
        T("Errors", "Choose a VAE's file or folder, or leave it empty for the base model's own."),
        setting=VAE_SETTING,
        path=path,
    )


def require_same_latents(
    vae: SeparateVae, found: Mapping[str, Any], own: Mapping[str, Any]
) -> None:
    """Refuse a VAE whose latents are others than those that the base model was trained with.

    Args:
        vae: The VAE.
        found: Its config, in diffusers' words.
        own: That of the base model's own.

    Raises:
        ModelFileError: They have other channels, or another size or scale.
    """
    facts = {
        "channels": (found["latent_channels"], own["latent_channels"]),
        "resolutions": (len(found["block_out_channels"]), len(own["block_out_channels"])),
        "scaling factor": (vae.config.get(_SCALE), own[_SCALE]),
    }
    for name, (theirs, wanted) in facts.items():
        if theirs is not None and theirs != wanted:
            raise ModelFileError(
                T(
                    "Errors",
                    "The VAE in {path} is for another kind of base model: {name} {theirs} instead "
                    "of {wanted}.",
                ),
                T("Errors", "Choose another VAE, or leave it empty for the base model's own."),
                setting=VAE_SETTING,
                path=vae.path,
                name=name,
                theirs=theirs,
                wanted=wanted,
            )
