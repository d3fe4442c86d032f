"""Noise prediction: from clean latents to one loss per sample.

Shape suffixes: B samples, C channels, H and W rows and columns of the latent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer_core.objectives.losses import squared_error
from trainer_core.objectives.noise import add_noise, draw_posterior, draw_timesteps

Denoiser = Callable[[Tensor, Tensor], Tensor]  # (noisy_BCHW, timesteps_B) -> prediction_BCHW


@dataclass(frozen=True, slots=True)
class Draw:
    """Everything random of one batch, on the CPU: the same on every device."""

    latents_BCHW: Tensor
    noise_BCHW: Tensor
    timesteps_B: Tensor


@dataclass(frozen=True, slots=True)
class NoisePrediction:
    """The objective of models that predict the noise.

    ``alpha_bar_T`` is the schedule's cumulative signal power by timestep, float32, on the CPU.
    Source: Ho et al. 2020, arXiv:2006.11239, algorithm 1.
    """

    alpha_bar_T: Tensor

    def draw(self, mean_BCHW: Tensor, std_BCHW: Tensor, generator: torch.Generator) -> Draw:
        """Draw latents, noise and timesteps, in this order."""
        latents_BCHW = draw_posterior(mean_BCHW, std_BCHW, generator)
        noise_BCHW = torch.randn(latents_BCHW.shape, generator=generator)
        timesteps_B = draw_timesteps(
            len(latents_BCHW), minimum=0, maximum=len(self.alpha_bar_T), generator=generator
        )
        return Draw(latents_BCHW, noise_BCHW, timesteps_B)

    def losses(self, draw: Draw, denoise: Denoiser, device: torch.device) -> Tensor:
        """Return the loss of each sample, shape B, float32, on ``device``."""
        alpha_bar_B = self.alpha_bar_T[draw.timesteps_B]
        noisy_BCHW = add_noise(draw.latents_BCHW, draw.noise_BCHW, alpha_bar_B).to(device)
        prediction_BCHW = denoise(noisy_BCHW, draw.timesteps_B.to(device))
        return squared_error(prediction_BCHW, draw.noise_BCHW.to(device))
