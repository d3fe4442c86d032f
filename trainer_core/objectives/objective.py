"""Noise prediction: from clean latents to one loss per sample.

Shape suffixes: B samples, C channels, H and W rows and columns of the latent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from trainer_core.objectives.losses import squared_error
from trainer_core.objectives.noise import add_noise, draw_timesteps

Denoiser = Callable[[Tensor, Tensor], Tensor]  # (noisy_BCHW, timesteps_B) -> prediction_BCHW


class Draw(NamedTuple):
    """Everything random of one batch; drawn on the CPU, so that it is the same for every device."""

    posterior_noise_BCHW: Tensor
    noise_BCHW: Tensor
    timesteps_B: Tensor


@dataclass(frozen=True, slots=True)
class NoisePrediction:
    """The objective of models that predict the noise.

    ``alpha_bar_T`` is the schedule's cumulative signal power by timestep, float32, on the device
    that trains.
    Source: Ho et al. 2020, arXiv:2006.11239, algorithm 1.
    """

    alpha_bar_T: Tensor

    def to(self, device: torch.device) -> NoisePrediction:
        """Return the objective with its schedule on ``device``."""
        return NoisePrediction(self.alpha_bar_T.to(device))

    def draw(self, shape_BCHW: Sequence[int], generator: torch.Generator) -> Draw:
        """Draw for latents of a shape: those of the posterior, noise and timesteps, in this order.

        May be called in any thread: it depends on its arguments alone.
        """
        return Draw(
            posterior_noise_BCHW=torch.randn(*shape_BCHW, generator=generator),
            noise_BCHW=torch.randn(*shape_BCHW, generator=generator),
            timesteps_B=draw_timesteps(
                shape_BCHW[0], minimum=0, maximum=len(self.alpha_bar_T), generator=generator
            ),
        )

    def losses(
        self,
        latents_BCHW: Tensor,
        draw: Draw,
        denoise: Denoiser,
        mask_B1HW: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of each sample, shape B, float32; everything is on one device.

        Args:
            latents_BCHW: Clean latents.
            draw: Noise and timesteps.
            denoise: The denoiser.
            mask_B1HW: What the loss counts for at each place of the latents; None: all alike.
        """
        alpha_bar_B = self.alpha_bar_T[draw.timesteps_B]
        noisy_BCHW = add_noise(latents_BCHW, draw.noise_BCHW, alpha_bar_B)
        prediction_BCHW = denoise(noisy_BCHW, draw.timesteps_B)
        return squared_error(prediction_BCHW, draw.noise_BCHW, mask_B1HW)
