"""The noise that a base model was trained with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

ZERO_SNR = "rescale_betas_zero_snr"
"""What diffusers' schedulers call it that the last timestep is noise alone."""

_SMALLEST_SIGNAL = 2**-24
"""What samplers that divide by the signal's power start from instead of 0; diffusers' number."""


@dataclass(frozen=True, slots=True)
class NoiseSchedule:
    """The noise that a family was trained with.

    Attributes:
        betas_T: Share of noise added at each step, float32, on the CPU.
        prediction_type: What the denoiser predicts, by its name in the catalogue.
        plain_betas_T: The same before they were rescaled to end in noise alone; None if they were
            not. Weightings by the signal-to-noise ratio go by them (vectors/README.md,
            loss_weights.json).
    """

    betas_T: Tensor
    prediction_type: str
    plain_betas_T: Tensor | None = None

    @property
    def has_zero_terminal_snr(self) -> bool:
        """True if the last timestep is noise alone."""
        return self.plain_betas_T is not None


def with_zero_terminal_snr(betas_T: Tensor) -> Tensor:
    """Return the betas of a schedule whose last timestep is noise alone, float32.

    The square roots of the cumulative signal are shifted so that the last is 0, and stretched so
    that the first stays. Source: Lin et al. 2023, arXiv:2305.08891, algorithm 1.
    """
    roots_T = torch.cumprod(1 - betas_T, dim=0).sqrt()
    first, last = roots_T[0], roots_T[-1]
    shifted_T = (roots_T - last) * (first / (first - last))
    bar_T = shifted_T.square()
    return 1 - torch.cat([bar_T[:1], bar_T[1:] / bar_T[:-1]])


def sampler_changes(schedule: NoiseSchedule) -> Mapping[str, Any]:
    """Return what samplers set otherwise to draw with the noise that the model was trained with.

    Only some of diffusers' schedulers know `ZERO_SNR`; all take the betas themselves. They begin
    at the last timestep, which no other spacing reaches. Source: arXiv:2305.08891, section 3.3.
    """
    if not schedule.has_zero_terminal_snr:
        return {}
    bar_T = torch.cumprod(1 - schedule.betas_T.double(), dim=0)
    bar_T[-1] = _SMALLEST_SIGNAL
    betas_T = 1 - torch.cat([bar_T[:1], bar_T[1:] / bar_T[:-1]])
    return {"trained_betas": betas_T.tolist(), ZERO_SNR: False, "timestep_spacing": "trailing"}
