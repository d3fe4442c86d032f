"""Reads and writes the networks of Stable Diffusion 1.x, as one file or as a diffusers folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from trainer_core.errors import ModelFileError
from trainer_core.families.clip import (
    TEXT_MODEL,
    ClipTokenizer,
    fill_position_ids,
    published_name,
)
from trainer_core.families.layouts.original_names import (
    TEXT_PREFIX,
    UNET_PREFIX,
    VAE_PREFIX,
    UNetNames,
    vae_original,
)
from trainer_core.families.layouts.sd1_architecture import (
    Architecture,
    Config,
    file_architecture,
    folder_architecture,
)
from trainer_core.families.layouts.tensor_file import TensorFile, fill_module
from trainer_core.files.resources import resource_path
from trainer_core.model_files.diffusers_folder import DiffusersFolder
from trainer_core.texts import T

#: Names of the VAE's attention in folders written by diffusers before 0.17.
_OLD_VAE_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

Rename = Callable[[str], str]


@dataclass(slots=True)
class Networks:
    """The parts of a model, and the settings of its noise schedule."""

    unet: UNet2DConditionModel
    vae: AutoencoderKL
    text_encoder: CLIPTextModel
    tokenizer: ClipTokenizer
    scheduler: Config


@dataclass(frozen=True, slots=True)
class Precision:
    """The types that weights are given while they are read."""

    denoiser_and_text: torch.dtype
    vae: torch.dtype


def build_networks(path: Path, architecture: Architecture, tokenizer_folder: Path) -> Networks:
    """Build the networks on the meta device, without memory for their weights.

    Raises:
        ModelFileError: The sizes do not go together.
    """
    try:
        with torch.device("meta"):
            unet = UNet2DConditionModel.from_config(architecture.unet)
            vae = AutoencoderKL.from_config(architecture.vae)
            text_encoder = CLIPTextModel(CLIPTextConfig.from_dict(architecture.text_encoder))
    except (ValueError, TypeError, KeyError) as error:
        raise ModelFileError(
            T("Errors", "{path} describes networks that cannot be built: {reason}"),
            T("Errors", "The file is damaged or of an unusual layout. Choose another model."),
            path=path,
            reason=error,
        ) from error
    tokenizer = ClipTokenizer(tokenizer_folder, text_encoder.config.max_position_embeddings)
    return Networks(unet, vae, text_encoder, tokenizer, architecture.scheduler)


def outline_networks(path: Path) -> Networks:
    """Build the networks of a file or folder on the meta device, reading headers only.

    Raises:
        ModelFileError: It is damaged or hostile.
    """
    if path.is_dir():
        architecture = folder_architecture(path)
    else:
        with closing(TensorFile(path)) as file:
            architecture = file_architecture(file.index)
    return build_networks(path, architecture, resource_path("tokenizers", "clip"))


def read_folder(path: Path, precision: Precision) -> Networks:
    """Read a diffusers folder, its own tokenizer included if it has one.

    Raises:
        ModelFileError: A file is missing, damaged or hostile.
    """
    own = path / "tokenizer"
    tokenizer_folder = own if own.is_dir() else resource_path("tokenizers", "clip")
    networks = build_networks(path, folder_architecture(path), tokenizer_folder)
    folder = DiffusersFolder(path)
    _fill(networks.unet, folder.weights("unet"), _unchanged, precision.denoiser_and_text)
    _fill(networks.vae, folder.weights("vae"), _vae_names, precision.vae)
    _fill(
        networks.text_encoder,
        folder.weights("text_encoder"),
        _text_names,
        precision.denoiser_and_text,
    )
    fill_position_ids(networks.text_encoder)
    return networks


def _fill(
    module: nn.Module, path: Path, names: Callable[[str], Iterable[str]], dtype: torch.dtype
) -> None:
    with closing(TensorFile(path)) as file:
        fill_module(module, file, names, dtype)


def _unchanged(name: str) -> list[str]:
    return [name]


def _vae_names(name: str) -> list[str]:
    old = name
    for new_part, old_part in _OLD_VAE_NAMES.items():
        old = old.replace(f".{new_part}.", f".{old_part}.")
    return [name, old]


def _text_names(name: str) -> list[str]:
    published = published_name(name)
    return [published, published.removeprefix(TEXT_MODEL)]


def read_file(path: Path, precision: Precision) -> Networks:
    """Read one file in the original layout.

    Raises:
        ModelFileError: It is damaged, hostile or incomplete.
    """
    with closing(TensorFile(path)) as file:
        architecture = file_architecture(file.index)
        networks = build_networks(path, architecture, resource_path("tokenizers", "clip"))
        unet_name, vae_name, text_name = _original_names(networks)
        fill_module(
            networks.unet, file, lambda name: [unet_name(name)], precision.denoiser_and_text
        )
        fill_module(networks.vae, file, lambda name: [vae_name(name)], precision.vae)
        fill_module(
            networks.text_encoder,
            file,
            lambda name: [text_name(name), text_name(name).replace(f".{TEXT_MODEL}", ".")],
            precision.denoiser_and_text,
        )
    fill_position_ids(networks.text_encoder)
    return networks


def _original_names(networks: Networks) -> tuple[Rename, Rename, Rename]:
    """Return the way from a network's names to a single file's, for U-Net, VAE and text."""
    config = networks.unet.config
    unet_names = UNetNames(config.layers_per_block, config.up_block_types)
    num_blocks = len(networks.vae.config.block_out_channels)
    return (
        lambda name: UNET_PREFIX + unet_names.original(name),
        lambda name: VAE_PREFIX + vae_original(name, num_blocks),
        lambda name: TEXT_PREFIX + published_name(name),
    )


def original_state_dict(networks: Networks) -> dict[str, Tensor]:
    """Return the weights under the names and in the shapes of a single file."""
    parts = (networks.unet, networks.vae, networks.text_encoder)
    state: dict[str, Tensor] = {}
    for part, rename in zip(parts, _original_names(networks), strict=True):
        state |= {rename(name): tensor for name, tensor in part.state_dict().items()}
    for name, tensor in state.items():
        if ".mid.attn_1." in name and tensor.dim() == 2:  # 1x1 convolutions in the original
            state[name] = tensor[:, :, None, None]
    return state


def write_folder(networks: Networks, folder: Path) -> None:
    """Write a diffusers folder that transformers 4 reads as well as 5."""
    _write_part(networks.unet, folder / "unet" / "diffusion_pytorch_model.safetensors")
    _write_part(networks.vae, folder / "vae" / "diffusion_pytorch_model.safetensors")
    _write_part(
        networks.text_encoder, folder / "text_encoder" / "model.safetensors", published_name
    )
    networks.unet.save_config(folder / "unet")
    networks.vae.save_config(folder / "vae")
    networks.text_encoder.config.save_pretrained(folder / "text_encoder")
    scheduler = folder / "scheduler" / "scheduler_config.json"
    scheduler.parent.mkdir()
    scheduler.write_text(json.dumps(networks.scheduler, indent=2), encoding="utf-8")
    shutil.copytree(networks.tokenizer.folder, folder / "tokenizer", dirs_exist_ok=True)
    index = resource_path("model_configs", "sd1", "model_index.json")
    shutil.copyfile(index, folder / "model_index.json")


def _write_part(module: nn.Module, path: Path, rename: Rename = str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {rename(name): tensor.contiguous() for name, tensor in module.state_dict().items()}
    save_file(state, path, metadata={"format": "pt"})
