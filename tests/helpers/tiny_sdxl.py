"""Stable Diffusion XL with few and narrow layers, for tests."""

from __future__ import annotations

from trainer_core.families.layouts.family_layout import Architecture
from trainer_core.families.layouts.sdxl_architecture import NUM_SIZES, published_architecture

SIZE_WIDTH = 8  # numbers that each size becomes
WIDTHS = (32, 48)  # of the text encoders
POOLED_WIDTH = 24
PARTS = ("unet", "vae", "text_encoder", "text_encoder_2")


def tiny_sdxl_architecture() -> Architecture:
    """Return Stable Diffusion XL's architecture with few and narrow layers.

    Blocks differ in depth and heads, the encoders in width and depth, and no two widths are equal.
    """
    published = published_architecture()
    unet = {
        "block_out_channels": [16, 64],
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
        "layers_per_block": 1,
        "attention_head_dim": [1, 1],
        "transformer_layers_per_block": [1, 2],
        "cross_attention_dim": sum(WIDTHS),
        "addition_time_embed_dim": SIZE_WIDTH,
        "projection_class_embeddings_input_dim": POOLED_WIDTH + NUM_SIZES * SIZE_WIDTH,
        "norm_num_groups": 16,
    }
    vae = {"block_out_channels": [8, 8, 8, 16], "layers_per_block": 1, "norm_num_groups": 8}
    text_encoder = {
        "hidden_size": WIDTHS[0],
        "projection_dim": WIDTHS[0],
        "intermediate_size": 96,
        "num_hidden_layers": 3,
        "num_attention_heads": 1,
    }
    text_encoder_2 = {
        "hidden_size": WIDTHS[1],
        "projection_dim": POOLED_WIDTH,
        "intermediate_size": 80,
        "num_hidden_layers": 4,
        "num_attention_heads": 1,
    }
    sizes = dict(zip(PARTS, (unet, vae, text_encoder, text_encoder_2), strict=True))
    return Architecture(
        {part: published.parts[part] | sizes[part] for part in PARTS}, published.scheduler
    )
