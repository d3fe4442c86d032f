"""Stable Diffusion 1.x, its names in files and in other programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from trainer_core.families.stable_diffusion import StableDiffusion
from trainer_core.model_files.recognise import ModelKind


class SD1(StableDiffusion):
    """Stable Diffusion 1.x and everything trained from it.

    One text encoder (CLIP ViT-L/14), a U-Net that is told its features alone, and a VAE; the
    denoiser predicts the noise (1.x) or, in some models trained from it, the velocity.
    """

    kind: ClassVar[ModelKind] = ModelKind.SD1
    architecture: ClassVar[str] = "stable-diffusion-v1"
    base_model_version: ClassVar[str] = "sd_v1"
    text_parts: ClassVar[tuple[str, ...]] = ("text_encoder",)
    prefixes: ClassVar[Mapping[str, str]] = {"unet": "lora_unet", "text_encoder": "lora_te"}
    configs: ClassVar[str] = "sd1"
