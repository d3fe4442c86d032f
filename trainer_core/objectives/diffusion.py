"""How data and noise mix, and what a denoiser is asked for: the schedule behind an objective.

Shape suffixes: B samples, C channels, H and W rows and columns of the latent, T timesteps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor

from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.predictions import PREDICTIONS, USUAL_PREDICTION


class Diffusion(Protocol):
    """A way from data to noise.

    All tensors that it is given are on the device of its own, and what it returns is there. Latents
    and noise are float32, and so are the results, under autocast too. Timesteps are integers.

    Attributes:
        num_timesteps: They are 0 up to, not including, this.
    """

    @property
    def num_timesteps(self) -> int: ...  # noqa: D102 - see above

    def noisy(self, latents_BCHW: Tensor, noise_BCHW: Tensor, timesteps_B: Tensor) -> Tensor:
        """Return what the denoiser sees, BCHW."""
        ...

    def target(self, latents_BCHW: Tensor, noise_BCHW: Tensor, timesteps_B: Tensor) -> Tensor:
        """Return what the denoiser should say, BCHW."""
        ...

    def snr(self, timesteps_B: Tensor) -> Tensor:
        """Return the signal's power over the noise's, shape B; weightings ask it."""
        ...

    def to(self, device: torch.device) -> Self:
        """Return the same on another device."""
        ...


@dataclass(frozen=True, slots=True)
class DDPM:
    """The discrete diffusion that Stable Diffusion is trained with.

    Attributes:
        alpha_bar_T: Cumulative signal power by timestep, in [0, 1], float32.
        prediction: What the denoiser is asked for, by its name in the catalogue.
        plain_alpha_bar_T: The same before the schedule was rescaled to end in noise alone, which
            the signal-to-noise ratio is that of; None if it was not.

    Source: Ho et al. 2020, arXiv:2006.11239; velocity: Salimans & Ho 2022, arXiv:2202.00512.
    """

    alpha_bar_T: Tensor
    prediction: str = USUAL_PREDICTION
    plain_alpha_bar_T: Tensor | None = None

    @classmethod
    def of_betas(
        cls, betas_T: Tensor, prediction: str, plain_betas_T: Tensor | None = None
    ) -> Self:
        """Return the diffusion whose steps add these shares of noise, on their device.

        Args:
            betas_T: The shares.
            prediction: What the denoiser is asked for.
            plain_betas_T: What they were before they were rescaled, if they were.

        Source: the DDPM paper, equation 4.
        """
        plain_T = None if plain_betas_T is None else torch.cumprod(1 - plain_betas_T, dim=0)
        return cls(torch.cumprod(1 - betas_T, dim=0), prediction, plain_T)

    @property
    def num_timesteps(self) -> int:
        """How many timesteps there are."""
        return len(self.alpha_bar_T)

    def to(self, device: torch.device) -> DDPM:
        """Return the same on another device."""
        plain_T = self.plain_alpha_bar_T
        return DDPM(
            self.alpha_bar_T.to(device),
            self.prediction,
            None if plain_T is None else plain_T.to(device),
        )

    def noisy(self, latents_BCHW: Tensor, noise_BCHW: Tensor, timesteps_B: Tensor) -> Tensor:
        """Return ``sqrt(alpha_bar) * latents + sqrt(1 - alpha_bar) * noise``, BCHW.

        Source: the DDPM paper, equation 4.
        """
        signal_B111, spread_B111 = self.factors(timesteps_B)
        return signal_B111 * latents_BCHW + spread_B111 * noise_BCHW

    def target(self, latents_BCHW: Tensor, noise_BCHW: Tensor, timesteps_B: Tensor) -> Tensor:
        """Return what the prediction asks for, BCHW."""
        asked = implementation(PREDICTIONS[self.prediction].implementation)
        target_BCHW: Tensor = asked(self, latents_BCHW, noise_BCHW, timesteps_B)
        return target_BCHW

    def snr(self, timesteps_B: Tensor) -> Tensor:
        """Return ``alpha_bar / (1 - alpha_bar)``, shape B; see ``plain_alpha_bar_T``."""
        plain_T = self.plain_alpha_bar_T
        alpha_bar_B = (self.alpha_bar_T if plain_T is None else plain_T)[timesteps_B]
        return alpha_bar_B / (1 - alpha_bar_B)

    def factors(self, timesteps_B: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``sqrt(alpha_bar)`` and ``sqrt(1 - alpha_bar)``, each of shape B111."""
        alpha_bar_B111 = self.alpha_bar_T[timesteps_B].reshape(-1, 1, 1, 1)
        return alpha_bar_B111.sqrt(), (1 - alpha_bar_B111).sqrt()


def noise_asked(
    diffusion: DDPM, latents_BCHW: Tensor, noise_BCHW: Tensor, timesteps_B: Tensor
) -> Tensor:
    """Return the noise itself, BCHW: the same tensor."""
    del diffusion, latents_BCHW, timesteps_B
    return noise_BCHW


def velocity_asked(
    diffusion: DDPM, latents_BCHW: Tensor, noise_BCHW: Tensor, timesteps_B: Tensor
) -> Tensor:
    """Return ``sqrt(alpha_bar) * noise - sqrt(1 - alpha_bar) * latents``, BCHW.

    Source: arXiv:2202.00512, appendix D.
    """
    signal_B111, spread_B111 = diffusion.factors(timesteps_B)
    return signal_B111 * noise_BCHW - spread_B111 * latents_BCHW
