"""Stable Diffusion 1.x: one text encoder and a denoiser that is told its features alone."""

from __future__ import annotations

from typing import ClassVar

from trainer_core.catalogue.families import FAMILIES, FamilyEntry
from trainer_core.families.layouts.family_layout import FamilyLayout
from trainer_core.families.layouts.sd1_architecture import SD1_LAYOUT
from trainer_core.families.stable_diffusion import StableDiffusion


class SD1(StableDiffusion):
    """Stable Diffusion 1.x and everything trained from it.

    One text encoder (CLIP ViT-L/14), a U-Net that is told its features alone, and a VAE; the
    denoiser predicts the noise (1.x) or, in some models trained from it, the velocity.
    """

    entry: ClassVar[FamilyEntry] = FAMILIES["sd1"]
    layout: ClassVar[FamilyLayout] = SD1_LAYOUT
