"""A denoiser as samplers see it: in float32, whatever the type that it computes in."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Float32Denoiser(nn.Module):
    """A denoiser as a sampler sees it: whatever its own type, it takes and gives float32.

    A sampler's many small steps lose too much in 16 bit. Under autocast the denoiser's layers
    compute in autocast's type, and what it gives is float32 all the same.
    """

    def __init__(self, denoiser: Any) -> None:
        super().__init__()
        self.denoiser = denoiser
        self.config = denoiser.config

    @property
    def dtype(self) -> torch.dtype:
        """The denoiser's own type, which its conditions have."""
        dtype: torch.dtype = self.denoiser.dtype
        return dtype

    @property
    def device(self) -> torch.device:
        """Where the denoiser is."""
        device: torch.device = self.denoiser.device
        return device

    @property
    def add_embedding(self) -> nn.Module:
        """Where pooled text and sizes enter, of a denoiser that is told of them."""
        module: nn.Module = self.denoiser.add_embedding
        return module

    def forward(self, sample: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor]:
        """Return the prediction for latents BCHW on the denoiser's device, in their type."""
        predicted: Tensor = self.denoiser(sample.to(self.dtype), *args, **kwargs)[0]
        return (predicted.to(sample.dtype),)
