"""Draws samples, so that eyes and the classifier can judge them."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch import Tensor

from making.autoencoder import LATENT_CHANNELS, LATENT_SCALE
from making.concepts import COLOURS, with_article
from making.denoiser import UNET, Denoiser, new_tokenizer, noise_schedule
from making.pictures import as_picture

STEPS = 20
GUIDANCE = 3.0
BATCH = 32


def prompts_for(names: list[str]) -> list[str]:
    """Return a prompt for each subject; the colours take turns."""
    colours = list(COLOURS)
    return [
        f"{with_article(name)} on a {colours[number % len(colours)]} background"
        for number, name in enumerate(names)
    ]


@torch.no_grad()
def draw_samples(
    denoiser: Denoiser, vae: AutoencoderKL, prompts: list[str], *, seed: int = 0
) -> list[Image.Image]:
    """Return one picture a prompt, by DDIM."""
    side = UNET["sample_size"]
    chance = torch.Generator().manual_seed(seed)
    noise_BCHW = torch.randn(len(prompts), LATENT_CHANNELS, side, side, generator=chance)
    ids_BL = new_tokenizer().encode([*prompts, ""]).rows_RL
    pictures = []
    for first in range(0, len(prompts), BATCH):
        chosen = slice(first, min(first + BATCH, len(prompts)))
        latents = _denoise(denoiser, noise_BCHW[chosen], ids_BL[chosen], ids_BL[-1:])
        decoded_BCHW = vae.decode(latents / LATENT_SCALE).sample
        pictures += [as_picture(decoded) for decoded in decoded_BCHW]
    return pictures


def _denoise(denoiser: Denoiser, noise_BCHW: Tensor, ids_BL: Tensor, bare_BL: Tensor) -> Tensor:
    """Return the latents that guidance leads to."""
    schedule = noise_schedule()
    schedule.set_timesteps(STEPS)
    ids = torch.cat([bare_BL.expand(len(ids_BL), -1), ids_BL])
    latents = noise_BCHW
    for timestep in schedule.timesteps:
        both = denoiser.predict_noise(torch.cat([latents, latents]), timestep, ids)
        bare, told = both.chunk(2)
        predicted = bare + GUIDANCE * (told - bare)
        latents = schedule.step(predicted, timestep, latents).prev_sample
    return latents
