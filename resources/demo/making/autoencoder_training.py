"""Trains the autoencoder: the core at half resolution, then the decoder at the full one."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812  torch's own habit
from diffusers import AutoencoderKL
from PIL import Image
from torch import Tensor

from making import autoencoder
from making.autoencoder import LATENT_SCALE, Core
from making.course import Course, lots_of, set_rate
from making.pictures import as_tensor, compose, draw_lots

BATCH = 16
DECODER_BATCH = 8  # at full resolution
PEAK_RATE = 2e-3
LONGEST_GRADIENT = 1.0
SAVE_EVERY = 250
# Noise on the latents in training, as a share of their spread: neighbouring latents come to mean
# neighbouring pictures, and the decoder forgives what the denoiser gets slightly wrong.
LATENT_NOISE = 0.05
KINSHIP_WEIGHT = 0.02  # on the latent channels' squared correlations: none repeats another
ABSOLUTE_SHARE = 0.1  # of the absolute error beside the squared one: sharper edges
MEASURED_PICTURES = 512


@dataclass(frozen=True)
class Place:
    """Where and on what device something is trained."""

    folder: Path
    device: torch.device

    def autocast(self) -> torch.autocast:
        """Return the context in which networks compute in bfloat16."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16)


def optimizer_of(parameters: list[torch.nn.Parameter]) -> torch.optim.AdamW:
    """Return the optimizer that all parts are trained with."""
    return torch.optim.AdamW(parameters, lr=0.0, betas=(0.9, 0.99), weight_decay=0.0, fused=True)


def draw_pictures(glyphs: list[Image.Image], lots: random.Random, count: int) -> Tensor:
    """Return pictures of glyphs drawn by lot, BCHW."""
    return as_tensor([compose(lots.choice(glyphs), draw_lots(lots)) for _ in range(count)])


def picture_loss(decoded_BCHW: Tensor, pictures_BCHW: Tensor) -> Tensor:
    """Return the error of decoded pictures."""
    squared = F.mse_loss(decoded_BCHW, pictures_BCHW)
    return squared + ABSOLUTE_SHARE * F.l1_loss(decoded_BCHW, pictures_BCHW)


def with_noise(latents_BCHW: Tensor, chance: torch.Generator) -> Tensor:
    """Return latents with a little noise, in proportion to each channel's spread."""
    spread = latents_BCHW.detach().std((0, 2, 3), keepdim=True)
    noise = torch.randn(latents_BCHW.shape, generator=chance).to(latents_BCHW)
    return latents_BCHW + LATENT_NOISE * spread * noise


def kinship(latents_BCHW: Tensor) -> Tensor:
    """Return the mean squared correlation of the latent channels with each other."""
    correlations = torch.corrcoef(latents_BCHW.transpose(0, 1).flatten(1).float())
    return (correlations - torch.eye(len(correlations), device=correlations.device)).square().mean()


def train_core(place: Place, glyphs: list[Image.Image], steps: int) -> Core:
    """Train the core; return it with scaled latents."""
    torch.manual_seed(0)
    core = Core(autoencoder.new_autoencoder()).to(place.device)
    optimizer = optimizer_of(core.trained())
    course = Course(
        place.folder / "core.pt",
        {"core": core, "optimizer": optimizer},
        steps=steps,
        save_every=SAVE_EVERY,
    )

    def take_step(step: int) -> float:
        lots, chance = lots_of(step)
        pictures = F.avg_pool2d(draw_pictures(glyphs, lots, BATCH), 2).to(place.device)
        with place.autocast():
            latents = core.encode(pictures)
            decoded = core.decode(with_noise(latents, chance))
        loss = picture_loss(decoded.float(), pictures) + KINSHIP_WEIGHT * kinship(latents)
        set_rate(optimizer, PEAK_RATE, step, steps)
        descend(optimizer, core.trained(), loss)
        return loss.item()

    course.run(take_step)
    core.scale_latents(*latent_statistics(core, glyphs, place.device))
    return core


def descend(
    optimizer: torch.optim.Optimizer, parameters: list[torch.nn.Parameter], loss: Tensor
) -> None:
    """Take one step down."""
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, LONGEST_GRADIENT)
    optimizer.step()


@torch.no_grad()
def latent_statistics(
    core: Core, glyphs: list[Image.Image], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return mean and spread of each channel of the latents."""
    lots, _ = lots_of(-1)
    batches = [
        core.encode(F.avg_pool2d(draw_pictures(glyphs, lots, BATCH), 2).to(device))
        for _ in range(MEASURED_PICTURES // BATCH)
    ]
    latents_BCHW = torch.cat(batches)
    return latents_BCHW.mean((0, 2, 3)), latents_BCHW.std((0, 2, 3))


def train_decoder(
    place: Place, vae: AutoencoderKL, glyphs: list[Image.Image], steps: int
) -> AutoencoderKL:
    """Train the decoder at full resolution; the encoder, and so every latent, stays."""
    vae.to(place.device)
    parameters = autoencoder.decoder_parameters(vae)
    optimizer = optimizer_of(parameters)
    course = Course(
        place.folder / "decoder.pt",
        {"vae": vae, "optimizer": optimizer},
        steps=steps,
        save_every=SAVE_EVERY,
    )

    def take_step(step: int) -> float:
        lots, chance = lots_of(step)
        pictures = draw_pictures(glyphs, lots, DECODER_BATCH).to(place.device)
        with place.autocast():
            with torch.no_grad():
                latents = vae.encode(pictures).latent_dist.mode()
            noise = torch.randn(latents.shape, generator=chance).to(latents)
            noisy = latents + LATENT_NOISE / LATENT_SCALE * noise
            decoded = vae.decode(noisy).sample
        loss = picture_loss(decoded.float(), pictures)
        set_rate(optimizer, PEAK_RATE, step, steps)
        descend(optimizer, parameters, loss)
        return loss.item()

    course.run(take_step)
    return vae
