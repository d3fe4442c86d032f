"""Stable Diffusion 1.x in files: its parts, their names, and its sizes.

Where the shapes in a single file are silent, Stable Diffusion 1's rules hold, such as 8 attention
heads in the U-Net.
"""

from __future__ import annotations

from trainer_core.families.layouts.family_layout import (
    Architecture,
    FamilyLayout,
    filled_in,
    folder_architecture,
)
from trainer_core.families.layouts.parts import clip_part, unet_part, vae_part
from trainer_core.families.layouts.shapes import Shapes, clip_config, unet_config, vae_config
from trainer_core.files.resources import resource_path
from trainer_core.model_files.tensor_index import TensorIndex

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
TEXT_PREFIX = "cond_stage_model.transformer."
_CONFIGS = "sd1"
_PARTS = {
    "unet": unet_part(UNET_PREFIX),
    "vae": vae_part(VAE_PREFIX),
    "text_encoder": clip_part(TEXT_PREFIX),
}


def published_architecture() -> Architecture:
    """Return the configs of Stable Diffusion 1.5."""
    return folder_architecture(resource_path("model_configs", _CONFIGS), _PARTS)


def file_architecture(index: TensorIndex) -> Architecture:
    """Work out the configs of a single file in the original layout.

    Raises:
        ModelFileError: A tensor that decides a size is missing, or a size cannot be.
    """
    published = published_architecture()
    shapes = Shapes(index)
    sizes = {
        "unet": unet_config(shapes, UNET_PREFIX),
        "vae": vae_config(shapes, VAE_PREFIX),
        "text_encoder": clip_config(shapes, TEXT_PREFIX),
    }
    return filled_in(published, index, sizes, _PARTS)


SD1_LAYOUT = FamilyLayout(configs=_CONFIGS, parts=_PARTS, file_architecture=file_architecture)
