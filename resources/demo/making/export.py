"""Writes the finished networks as a folder in Stable Diffusion 1's layout."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL

from making.denoiser import Denoiser, new_tokenizer
from trainer_core.families.base import Layout
from trainer_core.families.layouts.networks import Networks
from trainer_core.families.layouts.sd1_architecture import SD1_LAYOUT, published_architecture
from trainer_core.families.sd1 import SD1


def write_base(denoiser: Denoiser, vae: AutoencoderKL, folder: Path) -> None:
    """Write the base in half precision, in place of the one that is there."""
    networks = Networks(
        SD1_LAYOUT,
        {"unet": denoiser.unet, "vae": vae, "text_encoder": denoiser.text_encoder},
        tokenizers={"text_encoder": new_tokenizer()},
        scheduler=published_architecture().scheduler,
    )
    base = SD1(folder, networks)
    base.write(folder, Layout.DIFFUSERS, dtype=torch.float16, metadata={}, replace=True)
