"""Writes the finished networks as a folder in Stable Diffusion 1's layout."""

from __future__ import annotations

import copy
from pathlib import Path

from diffusers import AutoencoderKL

from making.denoiser import Denoiser, new_tokenizer
from trainer_core.families.layouts.sd1_architecture import published_architecture
from trainer_core.families.layouts.sd1_files import Networks, write_folder
from trainer_core.files.writing import publish_folder


def write_base(denoiser: Denoiser, vae: AutoencoderKL, folder: Path) -> None:
    """Write the base in half precision, in place of the one that is there."""
    networks = Networks(
        unet=copy.deepcopy(denoiser.unet).cpu().half(),
        vae=copy.deepcopy(vae).cpu().half(),
        text_encoder=copy.deepcopy(denoiser.text_encoder).cpu().half(),
        tokenizer=new_tokenizer(),
        scheduler=published_architecture().scheduler,
    )
    publish_folder(folder, lambda part: write_folder(networks, part), replace=True)
