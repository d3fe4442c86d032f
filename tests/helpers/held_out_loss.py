"""The loss on pictures that nothing was trained on, as plain diffusers computes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

TIMESTEPS = tuple(range(20, 1000, 60))


def load_pipeline(base: Path) -> Any:
    """Return a base as diffusers alone loads it, offline."""
    pipeline = StableDiffusionPipeline.from_pretrained(
        base, local_files_only=True, safety_checker=None, feature_extractor=None
    )
    return pipeline.to(torch.float32)


@torch.no_grad()
def held_out_loss(pipeline: Any, held_out: list[tuple[Image.Image, str]]) -> float:
    """Return the mean squared error of the predicted noise, at fixed noise and timesteps.

    Args:
        pipeline: A Stable Diffusion pipeline, LoRAs loaded or not.
        held_out: Pictures of one size with their captions.
    """
    values = np.stack([np.asarray(picture.convert("RGB")) for picture, _ in held_out])
    pictures_BCHW = torch.from_numpy(values).permute(0, 3, 1, 2).float() / 127.5 - 1
    latents = pipeline.vae.encode(pictures_BCHW).latent_dist.mode()
    latents = latents * pipeline.vae.config.scaling_factor
    captions = [caption for _, caption in held_out]
    ids = pipeline.tokenizer(captions, padding="max_length", return_tensors="pt").input_ids
    features = pipeline.text_encoder(ids)[0]
    chance, errors = torch.Generator().manual_seed(0), []
    for timestep in TIMESTEPS:
        noise = torch.randn(latents.shape, generator=chance)
        times = torch.full((len(latents),), timestep)
        noisy = pipeline.scheduler.add_noise(latents, noise, times)
        predicted = pipeline.unet(noisy, times, encoder_hidden_states=features).sample
        errors.append((predicted - noise).square().mean())
    return torch.stack(errors).mean().item()
