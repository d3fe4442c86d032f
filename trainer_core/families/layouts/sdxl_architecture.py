"""Stable Diffusion XL in files: its parts, their names, and its sizes.

Single files have the layout of Stability's generative-models: the U-Net and the VAE under Stable
Diffusion 1's names, the text encoders as two embedders.
"""

from __future__ import annotations

from trainer_core.families.clip import Padding
from trainer_core.families.layouts.family_layout import (
    Architecture,
    Config,
    FamilyLayout,
    TokenizerPlace,
    filled_in,
    folder_architecture,
)
from trainer_core.families.layouts.openclip import openclip_config, openclip_part
from trainer_core.families.layouts.parts import CLIP_TOKENIZER, clip_part, unet_part, vae_part
from trainer_core.families.layouts.shapes import Shapes, clip_config, unet_config, vae_config
from trainer_core.files.resources import resource_path
from trainer_core.model_files.tensor_index import TensorIndex

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
TEXT_PREFIX = "conditioner.embedders.0.transformer."
TEXT_2_PREFIX = "conditioner.embedders.1.model."
#: How many numbers the denoiser is told of sizes: original, crop and target, two each.
NUM_SIZES = 6
#: Where pooled text and sizes enter the U-Net.
UNET_NAMES = {"add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2"}
_CONFIGS = "sdxl"
_HEAD_WIDTH = 64
_MOST_LAYERS = 128
_PARTS = {
    "unet": unet_part(UNET_PREFIX, UNET_NAMES),
    "vae": vae_part(VAE_PREFIX),
    "text_encoder": clip_part(TEXT_PREFIX, CLIP_TOKENIZER),
    "text_encoder_2": openclip_part(
        TEXT_2_PREFIX, TokenizerPlace("tokenizer_2", "clip", Padding.FIRST), has_projection=True
    ),
}


def published_architecture() -> Architecture:
    """Return the configs of Stable Diffusion XL 1.0."""
    return folder_architecture(resource_path("model_configs", _CONFIGS), _PARTS)


def file_architecture(index: TensorIndex) -> Architecture:
    """Work out the configs of a single file in the original layout.

    Raises:
        ModelFileError: A tensor that decides a size is missing, or a size cannot be.
    """
    published = published_architecture()
    shapes = Shapes(index)
    text_encoder_2 = openclip_config(shapes, TEXT_2_PREFIX, _MOST_LAYERS)
    sizes = {
        "unet": _unet_config(shapes, text_encoder_2["projection_dim"]),
        "vae": vae_config(shapes, VAE_PREFIX),
        "text_encoder": clip_config(shapes, TEXT_PREFIX),
        "text_encoder_2": text_encoder_2,
    }
    return filled_in(published, index, sizes, _PARTS)


def _unet_config(shapes: Shapes, pooled_width: int) -> Config:
    """Read the U-Net's sizes: its blocks are of different depths, and it is told of sizes.

    Args:
        shapes: Of the file's tensors.
        pooled_width: Numbers in a caption's pooled text features.

    Raises:
        ModelFileError: A tensor that decides a size is missing.
    """
    config = unet_config(shapes, UNET_PREFIX)
    widths, step = config["block_out_channels"], config["layers_per_block"] + 1
    block = f"{UNET_PREFIX}input_blocks.{{}}.1.transformer_blocks.{{{{}}}}.attn1.to_q.weight"
    depths = [shapes.count(block.format(step * number + 1)) for number in range(len(widths))]
    told_width = shapes[f"{UNET_PREFIX}label_emb.0.0.weight"][1]
    return config | {
        "attention_head_dim": [max(1, width // _HEAD_WIDTH) for width in widths],
        "transformer_layers_per_block": [max(1, depth) for depth in depths],
        "projection_class_embeddings_input_dim": told_width,
        "addition_time_embed_dim": (told_width - pooled_width) // NUM_SIZES,
    }


SDXL_LAYOUT = FamilyLayout(configs=_CONFIGS, parts=_PARTS, file_architecture=file_architecture)
