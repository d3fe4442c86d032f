"""A base model for drawing: networks of its own that are small enough to draw in a blink."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from torch import Tensor, nn

from trainer_core.families.condition import TEXT, Condition, SampleFacts
from trainer_core.families.float32 import Float32Denoiser

FEATURES = 16
SIZES = "sizes"


class TinyTextEncoder(nn.Module):
    """Makes fixed features of each text, through a weight and a dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))
        self.dropout = nn.Dropout(0.5)
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str]) -> Condition:
        self.seen += texts
        seeds = [zlib.crc32(text.encode()) for text in texts]
        features = [torch.randn(4, FEATURES, generator=_generator(seed)) for seed in seeds]
        return Condition({TEXT: self.dropout(torch.stack(features)) * self.gain})


@dataclass
class TinyFamily:
    """A base model with networks of its own, whose decoder comes and goes."""

    unet: UNet2DConditionModel
    vae: AutoencoderKL
    text_encoder: TinyTextEncoder
    sampler_config: Mapping[str, Any]
    pixels_per_latent: int = 8
    latent_channels: int = 4
    lent: list[str] = field(default_factory=list)

    def pipeline(self, scheduler: Any) -> Any:
        return StableDiffusionPipeline(
            vae=None,
            text_encoder=None,
            tokenizer=None,
            unet=Float32Denoiser(self.unet),
            scheduler=scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )

    def with_sizes(self, condition: Condition, facts: Sequence[SampleFacts]) -> Condition:
        del facts
        return condition

    def pipeline_inputs(self, positive: Condition, negative: Condition) -> Mapping[str, Tensor]:
        return {"prompt_embeds": positive[TEXT], "negative_prompt_embeds": negative[TEXT]}

    def decode_latents(self, latents_BCHW: Tensor) -> Tensor:
        decoded: Tensor = self.vae.decode(latents_BCHW.to(self.vae.dtype)).sample
        return decoded.float()

    @contextmanager
    def lend_decoder(self) -> Iterator[None]:
        self.lent.append("asked")
        yield
        self.lent.append("given back")


class TinySizedFamily(TinyFamily):
    """One whose denoiser cannot do without the sizes: they scale the text features."""

    def with_sizes(self, condition: Condition, facts: Sequence[SampleFacts]) -> Condition:
        sizes = [[*fact.original, *fact.target] for fact in facts]
        return Condition({**condition.tensors, SIZES: torch.tensor(sizes) / 64})

    def pipeline_inputs(self, positive: Condition, negative: Condition) -> Mapping[str, Tensor]:
        scaled = [c[TEXT] * c[SIZES].mean(dim=1)[:, None, None] for c in (positive, negative)]
        return dict(zip(("prompt_embeds", "negative_prompt_embeds"), scaled, strict=True))


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
