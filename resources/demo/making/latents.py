"""The denoiser's training data: latents of every composed picture, made once, and its caption."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from making.autoencoder import LATENT_SCALE
from making.autoencoder_training import Place
from making.concepts import KNOWN
from making.course import SEED
from making.glyphs import GlyphFont
from making.pictures import as_tensor, compose, draw_lots
from trainer_core.files.writing import publish_file

PICTURES_A_SUBJECT = 48
BATCH = 32


@dataclass(frozen=True)
class CaptionedLatents:
    """Latents with a spread of 1, in half precision, and the caption of each."""

    latents_BCHW: Tensor
    captions: list[str]


def captioned_latents(place: Place, vae: AutoencoderKL, font: GlyphFont) -> CaptionedLatents:
    """Return the latents of every known subject in many compositions."""
    lots = random.Random(SEED)
    plans = [(name, draw_lots(lots)) for name in KNOWN for _ in range(PICTURES_A_SUBJECT)]
    captions = [composition.caption_for(name) for name, composition in plans]
    file = place.folder / "latents.npy"
    if not file.exists():
        glyphs = {name: font.glyph(text) for name, text in KNOWN.items()}
        pictures = [compose(glyphs[name], composition) for name, composition in plans]
        batches = [
            _encode(vae, as_tensor(pictures[first : first + BATCH]).to(place.device))
            for first in range(0, len(pictures), BATCH)
        ]
        latents = torch.cat(batches).numpy()
        publish_file(file, lambda target: np.save(target, latents))
    return CaptionedLatents(torch.from_numpy(np.load(file)), captions)


@torch.no_grad()
def _encode(vae: AutoencoderKL, pictures_BCHW: Tensor) -> Tensor:
    latents_BCHW: Tensor = vae.encode(pictures_BCHW).latent_dist.mode() * LATENT_SCALE
    return latents_BCHW.half().cpu()
