"""Trains the denoiser and the text encoder together, from nothing.

Shape suffixes: B pictures, C channels, H and W latents, L tokens, T timesteps.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  torch's own habit
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from making.autoencoder_training import Place, descend, optimizer_of
from making.course import Course, lots_of, set_rate
from making.latents import CaptionedLatents
from trainer_core.families.clip import ClipTokenizer, Tokens, encode_tokens
from trainer_core.families.layouts.family_layout import Config
from trainer_core.families.layouts.sd1_architecture import published_architecture
from trainer_core.files.resources import resource_path

UNET: Config = {
    "sample_size": 16,
    "block_out_channels": [64, 96, 112],
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "layers_per_block": 1,
    "attention_head_dim": 4,  # heads, in diffusers' words
    "cross_attention_dim": 64,
    "norm_num_groups": 16,
}
TEXT_ENCODER: Config = {
    "hidden_size": 64,
    "projection_dim": 64,
    "intermediate_size": 256,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
}
TOKENS = 77

BATCH = 32
PEAK_RATE = 1.5e-3
SAVE_EVERY = 100
NO_CAPTION_SHARE = 0.1  # what guidance takes as its other side
SNR_LIMIT = 5.0  # min-SNR's gamma, arXiv:2303.09556
SLOWEST_AVERAGE = 0.999  # share of the old average that is kept in a step


def new_tokenizer() -> ClipTokenizer:
    """Return CLIP's own tokenizer."""
    return ClipTokenizer(resource_path("tokenizers", "clip"), TOKENS)


def noise_schedule() -> DDIMScheduler:
    """Return Stable Diffusion's noise schedule."""
    return DDIMScheduler.from_config(published_architecture().scheduler)


@dataclass(frozen=True)
class Denoiser:
    """The two networks that learn together."""

    unet: UNet2DConditionModel
    text_encoder: CLIPTextModel

    def predict_noise(self, noisy_BCHW: Tensor, timesteps_B: Tensor, ids_BL: Tensor) -> Tensor:
        """Return what the networks take for noise."""
        tokens = Tokens(ids_BL[:, None])
        features_BLC = encode_tokens(self.text_encoder, tokens, clip_skip=1)
        noise: Tensor = self.unet(
            noisy_BCHW, timesteps_B, encoder_hidden_states=features_BLC
        ).sample
        return noise

    def modules(self) -> nn.ModuleList:
        """Return both as one module."""
        return nn.ModuleList([self.unet, self.text_encoder])


def new_denoiser() -> Denoiser:
    """Return untrained networks."""
    torch.manual_seed(0)
    published = published_architecture()
    text_config = CLIPTextConfig.from_dict(published.parts["text_encoder"] | TEXT_ENCODER)
    unet = UNet2DConditionModel.from_config(published.parts["unet"] | UNET)
    return Denoiser(unet, CLIPTextModel(text_config))


def timestep_shares(alphas_bar_T: Tensor) -> Tensor:
    """Return how often each timestep is drawn: as min-SNR would weight it.

    The weight of the noise's error is ``min(SNR, limit) / SNR``. Drawn in this proportion instead
    of weighted, every sample counts the same.

    Source: Hang et al. 2023, arXiv:2303.09556, section 3.4.
    """
    snr_T = alphas_bar_T / (1 - alphas_bar_T)
    weights_T = snr_T.clamp(max=SNR_LIMIT) / snr_T
    return weights_T / weights_T.sum()


def draw_timesteps(shares_T: Tensor, count: int, chance: torch.Generator) -> Tensor:
    """Return timesteps spread evenly over what is drawn how often, in no order."""
    places = (torch.arange(count) + torch.rand(count, generator=chance)) / count
    return torch.searchsorted(shares_T.cumsum(0), places).clamp(max=len(shares_T) - 1)


class DenoiserCourse:
    """The training of the denoiser, and the running average that is its result."""

    def __init__(self, place: Place, steps: int) -> None:
        self.steps, self._place = steps, place
        self.denoiser = new_denoiser()
        self._trained = self.denoiser.modules().to(place.device)
        self.average = copy.deepcopy(self.denoiser)
        self._averaged = self.average.modules().requires_grad_(False)
        self._optimizer = optimizer_of(list(self._trained.parameters()))
        self.course = Course(
            place.folder / "denoiser.pt",
            {"networks": self._trained, "average": self._averaged, "optimizer": self._optimizer},
            steps=steps,
            save_every=SAVE_EVERY,
        )

    def run(self, data: CaptionedLatents) -> Denoiser:
        """Take the steps that are left; return the average."""
        tokenizer = new_tokenizer()
        ids_BL = tokenizer.encode([*data.captions, ""]).rows_RL
        alphas_bar_T = noise_schedule().alphas_cumprod
        shares_T = timestep_shares(alphas_bar_T)
        parameters = list(self._trained.parameters())

        def take_step(step: int) -> float:
            _, chance = lots_of(step)
            chosen = torch.randint(len(data.captions), (BATCH,), generator=chance)
            is_bare = torch.rand(BATCH, generator=chance) < NO_CAPTION_SHARE
            x0 = data.latents_BCHW[chosen].float()
            noise = torch.randn(x0.shape, generator=chance)
            timesteps = draw_timesteps(shares_T, BATCH, chance)
            alpha_bar = alphas_bar_T[timesteps][:, None, None, None]
            noisy = alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise
            ids = ids_BL[torch.where(is_bare, len(data.captions), chosen)]
            inputs = [value.to(self._place.device) for value in (noisy, timesteps, ids)]
            with self._place.autocast():
                predicted = self.denoiser.predict_noise(*inputs)
            loss = F.mse_loss(predicted.float(), noise.to(self._place.device))
            set_rate(self._optimizer, PEAK_RATE, step, self.steps)
            descend(self._optimizer, parameters, loss)
            self._follow(step)
            return loss.item()

        self.course.run(take_step)
        return self.average

    @torch.no_grad()
    def _follow(self, step: int) -> None:
        kept = min(SLOWEST_AVERAGE, (step + 1) / (step + 10))
        averages = list(self._averaged.parameters())
        torch._foreach_lerp_(averages, list(self._trained.parameters()), 1 - kept)
