"""The networks of a model, built from its configs without memory for their weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from trainer_core.errors import ModelFileError
from trainer_core.families.clip import ClipTokenizer, published_name
from trainer_core.families.layouts.original_names import (
    TEXT_PREFIX,
    UNET_PREFIX,
    VAE_PREFIX,
    UNetNames,
    vae_original,
)
from trainer_core.families.layouts.sd1_architecture import Architecture, Config
from trainer_core.texts import T

Rename = Callable[[str], str]


@dataclass(slots=True)
class Networks:
    """The parts of a model by their names, and the settings of its noise schedule."""

    modules: dict[str, Any]
    tokenizer: ClipTokenizer
    scheduler: Config


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
    modules = {"unet": unet, "vae": vae, "text_encoder": text_encoder}
    for module in modules.values():
        module.requires_grad_(False).eval()
    tokenizer = ClipTokenizer(tokenizer_folder, text_encoder.config.max_position_embeddings)
    return Networks(modules, tokenizer, architecture.scheduler)


def original_names(networks: Networks) -> dict[str, Rename]:
    """Return, by part, the way from a network's names to a single file's."""
    config = networks.modules["unet"].config
    unet_names = UNetNames(config.layers_per_block, config.up_block_types)
    num_blocks = len(networks.modules["vae"].config.block_out_channels)
    return {
        "unet": lambda name: UNET_PREFIX + unet_names.original(name),
        "vae": lambda name: VAE_PREFIX + vae_original(name, num_blocks),
        "text_encoder": lambda name: TEXT_PREFIX + published_name(name),
    }


def original_state(networks: Networks, part: str) -> dict[str, Tensor]:
    """Return a part's tensors under the names and in the shapes of a single file.

    They are the part's own, or views of them: in its type, on its device.
    """
    rename = original_names(networks)[part]
    state = {rename(name): t for name, t in networks.modules[part].state_dict().items()}
    for name, tensor in state.items():
        if ".mid.attn_1." in name and tensor.dim() == 2:  # 1x1 convolutions in the original
            state[name] = tensor[:, :, None, None]
    return state
