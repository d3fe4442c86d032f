"""From clean latents to one loss per sample: a diffusion, what is drawn for it, a loss, weights.

Shape suffixes: B samples, C channels, H and W rows and columns of the latent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from trainer_core.objectives.diffusion import Diffusion
from trainer_core.objectives.losses import squared_error
from trainer_core.objectives.noise import draw_timesteps, normal_noise

Denoiser = Callable[[Tensor, Tensor], Tensor]  # (noisy_BCHW, timesteps_B) -> prediction_BCHW
#: (prediction_BCHW, target_BCHW, timesteps_B) -> loss of each element, BCHW, float32
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
#: (timesteps_B, diffusion) -> what each sample's loss is multiplied with, shape B
Weighting = Callable[[Tensor, Diffusion], Tensor]
DrawTimesteps = Callable[[int, torch.Generator], Tensor]
MakeNoise = Callable[[Sequence[int], torch.Generator], Tensor]


class Draw(NamedTuple):
    """Everything random of one batch; drawn on the CPU, so that it is the same for every device.

    Noise is float32, timesteps are int64.
    """

    posterior_noise_BCHW: Tensor
    noise_BCHW: Tensor
    timesteps_B: Tensor


@dataclass(frozen=True, slots=True)
class Objective:
    """What is asked of the denoiser, composed of functions.

    Attributes:
        diffusion: How noise and data mix, on the device that trains.
        draw_timesteps: So many timesteps, drawn on the CPU.
        make_noise: Noise of a shape, drawn on the CPU.
        loss: Of each element.
        weightings: What each sample's loss is multiplied with, one after the other.
    """

    diffusion: Diffusion
    draw_timesteps: DrawTimesteps
    make_noise: MakeNoise = normal_noise
    loss: Loss = squared_error
    weightings: tuple[Weighting, ...] = ()

    @classmethod
    def plain(cls, diffusion: Diffusion, loss: Loss = squared_error) -> Objective:
        """Return the objective with even timesteps and normal noise; no sample counts more."""
        evenly = partial(_even_timesteps, diffusion.num_timesteps)
        return cls(diffusion, evenly, loss=loss)

    def to(self, device: torch.device) -> Objective:
        """Return the objective with its diffusion on ``device``."""
        return replace(self, diffusion=self.diffusion.to(device))

    def draw(self, shape_BCHW: Sequence[int], generator: torch.Generator) -> Draw:
        """Draw for latents of a shape: those of the posterior, noise and timesteps, in this order.

        All on the CPU, as ``generator`` is. May be called in any thread: it depends on its
        arguments alone.
        """
        return Draw(
            posterior_noise_BCHW=torch.randn(*shape_BCHW, generator=generator),
            noise_BCHW=self.make_noise(shape_BCHW, generator),
            timesteps_B=self.draw_timesteps(shape_BCHW[0], generator),
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
            latents_BCHW: Clean latents, float32.
            draw: Noise and timesteps.
            denoise: The denoiser; under autocast it is called in it, and the rest is computed in
                float32.
            mask_B1HW: What each place counts for, 0 to 1; the mean is still over all places (as in
                sd-scripts, ``custom_train_functions.apply_masked_loss``). None: all count in full.
        """
        noise_BCHW, timesteps_B = draw.noise_BCHW, draw.timesteps_B
        noisy_BCHW = self.diffusion.noisy(latents_BCHW, noise_BCHW, timesteps_B)
        prediction_BCHW = denoise(noisy_BCHW, timesteps_B)
        target_BCHW = self.diffusion.target(latents_BCHW, noise_BCHW, timesteps_B)
        loss_BCHW = self.loss(prediction_BCHW, target_BCHW, timesteps_B)
        if mask_B1HW is not None:
            loss_BCHW = loss_BCHW * mask_B1HW
        losses_B = loss_BCHW.mean(dim=(1, 2, 3))
        for weighting in self.weightings:
            losses_B = losses_B * weighting(timesteps_B, self.diffusion)
        return losses_B


def _even_timesteps(end: int, count: int, generator: torch.Generator) -> Tensor:
    return draw_timesteps(count, minimum=0, maximum=end, generator=generator)
