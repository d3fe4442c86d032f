"""Stable Diffusion 2.x: OpenCLIP's text encoder, and a denoiser of noise or of velocity."""

from __future__ import annotations

from typing import ClassVar

from trainer_core.catalogue.families import FAMILIES, FamilyEntry
from trainer_core.families.layouts.family_layout import FamilyLayout
from trainer_core.families.layouts.sd2_architecture import SD2_LAYOUT
from trainer_core.families.stable_diffusion import StableDiffusion


class SD2(StableDiffusion):
    """Stable Diffusion 2.0 and 2.1 and everything trained from them.

    One text encoder (OpenCLIP ViT-H/14) that ends before its last layer, a U-Net that is told its
    features alone, and SD 1's VAE. The 512 models predict the noise, the 768 ones the velocity.
    """

    entry: ClassVar[FamilyEntry] = FAMILIES["sd2"]
    layout: ClassVar[FamilyLayout] = SD2_LAYOUT
