"""What is added to clean latents, and how much of it.

Shape suffixes: B samples, C channels, H and W rows and columns of the latent.
"""

from __future__ import annotations

import torch
from torch import Tensor


def draw_timesteps(count: int, *, minimum: int, maximum: int, generator: torch.Generator) -> Tensor:
    """Return ``count`` timesteps drawn evenly from ``minimum`` up to, not including, ``maximum``.

    Raises:
        ValueError: There is no timestep in between.
    """
    if minimum >= maximum:
        raise ValueError(f"no timestep between {minimum} and {maximum}")
    return torch.randint(minimum, maximum, (count,), generator=generator)


def sample_posterior(mean_BCHW: Tensor, std_BCHW: Tensor, noise_BCHW: Tensor) -> Tensor:
    """Return the latents that standard normal noise picks from the encoder's distribution.

    Source: Kingma & Welling 2014, arXiv:1312.6114, section 2.4 (mean + std * noise).
    """
    return mean_BCHW + std_BCHW * noise_BCHW


def add_noise(latents_BCHW: Tensor, noise_BCHW: Tensor, alpha_bar_B: Tensor) -> Tensor:
    """Return ``sqrt(alpha_bar) * latents + sqrt(1 - alpha_bar) * noise``.

    Args:
        latents_BCHW: Clean latents.
        noise_BCHW: Standard normal noise.
        alpha_bar_B: Cumulative signal power in (0, 1], one per sample.

    Source: Ho et al. 2020, arXiv:2006.11239, equation 4.
    """
    alpha_bar_B111 = alpha_bar_B.reshape(-1, 1, 1, 1)
    return alpha_bar_B111.sqrt() * latents_BCHW + (1 - alpha_bar_B111).sqrt() * noise_BCHW
