"""Stable Diffusion 2.x in files: its parts, their names, and its sizes.

The projections around the U-Net's attention are linear layers here. Files may have them as 1x1
convolutions, which compute the same: they are read as linear ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from diffusers import UNet2DConditionModel

from trainer_core.families.clip import Padding
from trainer_core.families.layouts.family_layout import (
    Architecture,
    Config,
    FamilyLayout,
    PartLayout,
    TokenizerPlace,
    filled_in,
    folder_architecture,
)
from trainer_core.families.layouts.openclip import openclip_config, openclip_part
from trainer_core.families.layouts.parts import unet_part, vae_part
from trainer_core.families.layouts.shapes import Shapes, unet_config, vae_config
from trainer_core.files.resources import resource_path
from trainer_core.model_files.tensor_index import TensorIndex

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
TEXT_PREFIX = "cond_stage_model.model."
_CONFIGS = "sd2"
_HEAD_WIDTH = 64  # channels


def _build_unet(config: Config) -> Any:
    return UNet2DConditionModel.from_config(config | {"use_linear_projection": True})


_PARTS: Mapping[str, PartLayout] = {
    "unet": dataclasses.replace(unet_part(UNET_PREFIX), build=_build_unet),
    "vae": vae_part(VAE_PREFIX),
    "text_encoder": openclip_part(
        TEXT_PREFIX, TokenizerPlace("tokenizer", "clip", Padding.FIRST_IN_TEXTS_TOO)
    ),
}


def published_architecture() -> Architecture:
    """Return the configs of Stable Diffusion 2.1."""
    return folder_architecture(resource_path("model_configs", _CONFIGS), _PARTS)


def file_architecture(index: TensorIndex) -> Architecture:
    """Work out the configs of a single file in the original layout.

    Raises:
        ModelFileError: A tensor that decides a size is missing, or a size cannot be.
    """
    published = published_architecture()
    shapes = Shapes(index)
    unet = unet_config(shapes, UNET_PREFIX)
    unet["attention_head_dim"] = [  # diffusers' name for the number of heads
        max(1, width // _HEAD_WIDTH) for width in unet["block_out_channels"]
    ]
    # The layer before the last is the last of diffusers' folders.
    layers = published.parts["text_encoder"]["num_hidden_layers"]
    text_encoder = openclip_config(shapes, TEXT_PREFIX, most_layers=layers)
    del text_encoder["projection_dim"]  # nothing is projected
    sizes = {"unet": unet, "vae": vae_config(shapes, VAE_PREFIX), "text_encoder": text_encoder}
    return filled_in(published, index, sizes, _PARTS)


SD2_LAYOUT = FamilyLayout(configs=_CONFIGS, parts=_PARTS, file_architecture=file_architecture)
