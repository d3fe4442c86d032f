"""What is drawn: timesteps, latents of a posterior, the noise that is added to them.

Shape suffixes: B samples, C channels, H and W rows and columns of the latent.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def draw_timesteps(count: int, *, minimum: int, maximum: int, generator: torch.Generator) -> Tensor:
    """Return ``count`` timesteps drawn evenly from ``minimum`` up to, not including, ``maximum``.

    They are int64, on the CPU, as ``generator`` is.

    Raises:
        ValueError: There is no timestep in between.
    """
    if minimum >= maximum:
        raise ValueError(f"no timestep between {minimum} and {maximum}")
    return torch.randint(minimum, maximum, (count,), generator=generator)


def sample_posterior(mean_BCHW: Tensor, std_BCHW: Tensor, noise_BCHW: Tensor) -> Tensor:
    """Return the latents BCHW that standard normal noise picks from the encoder's distribution.

    All are float32, of one shape and on one device; so is the result.

    Source: Kingma & Welling 2014, arXiv:1312.6114, section 2.4 (mean + std * noise).
    """
    return mean_BCHW + std_BCHW * noise_BCHW


def normal_noise(shape_BCHW: Sequence[int], generator: torch.Generator) -> Tensor:
    """Return standard normal noise, float32, on the CPU, as ``generator`` is."""
    return torch.randn(*shape_BCHW, generator=generator)
