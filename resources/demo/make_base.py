"""Make the demo's base model: ``python resources/demo/make_base.py`` (in the trainer's venv).

It has Stable Diffusion 1's layout, few and narrow layers, and random weights: what it draws is
noise, but everything that is done with a real base can be done with it, on any machine.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from trainer_core.families.sd1_architecture import Config, published_architecture
from trainer_core.families.sd1_files import Networks, write_folder
from trainer_core.families.text import ClipTokenizer
from trainer_core.resource_files import resource_path

FOLDER = Path(__file__).parent / "base"
SEED = 20240

UNET: Config = {
    "sample_size": 16,
    "block_out_channels": [32, 64, 64],
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "layers_per_block": 1,
    "attention_head_dim": 4,  # heads, in diffusers' words
    "cross_attention_dim": 32,
    "norm_num_groups": 16,
}
VAE: Config = {
    "sample_size": 128,
    "block_out_channels": [8, 16, 32, 32],
    "layers_per_block": 1,
    "norm_num_groups": 8,
}
TEXT_ENCODER: Config = {
    "hidden_size": 32,
    "projection_dim": 32,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
}


def random_networks() -> Networks:
    """Return the networks with the libraries' usual starting weights, in half precision."""
    published = published_architecture()
    torch.manual_seed(SEED)
    text_config = CLIPTextConfig.from_dict(published.text_encoder | TEXT_ENCODER)
    return Networks(
        unet=UNet2DConditionModel.from_config(published.unet | UNET).half(),
        vae=AutoencoderKL.from_config(published.vae | VAE).half(),
        text_encoder=CLIPTextModel(text_config).half(),
        tokenizer=ClipTokenizer(resource_path("tokenizers", "clip"), 77),
        scheduler=published.scheduler,
    )


def main() -> None:
    """Write the base, in place of the one that is there."""
    networks = random_networks()
    shutil.rmtree(FOLDER, ignore_errors=True)
    write_folder(networks, FOLDER)


if __name__ == "__main__":
    main()
