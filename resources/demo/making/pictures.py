"""Composes training pictures: a glyph on a coloured background, with a caption that says so."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from making.concepts import COLOURS, Colour, with_article

SIDE_PX = 128
LONGER_SIDE_PX = (84, 112)  # of the glyph
SHIFT_PX = 6  # at most, from the middle
WHITE_SHARE = 0.25
SHADED_SHARE = 0.4  # of the backgrounds: lighter above, darker below
SHADE = 0.12
CAPTIONS = (
    ("{a_subject} on a {colour} background", 6),
    ("{subject}, {colour} background", 3),
    ("a picture of {a_subject}, {colour} background", 1),
)


@dataclass(frozen=True)
class Composition:
    """Everything that is drawn by lot for one picture."""

    colour: str
    longer_side_px: int
    shift_px: tuple[int, int]
    shade: float
    caption: str

    def caption_for(self, subject: str) -> str:
        """Return the caption of the picture with this subject."""
        return self.caption.format(
            subject=subject, a_subject=with_article(subject), colour=self.colour
        )


def draw_lots(lots: random.Random) -> Composition:
    """Return a composition."""
    colours = [colour for colour in COLOURS if colour != "white"]
    templates, weights = zip(*CAPTIONS, strict=True)
    return Composition(
        colour="white" if lots.random() < WHITE_SHARE else lots.choice(colours),
        longer_side_px=lots.randint(*LONGER_SIDE_PX),
        shift_px=(lots.randint(-SHIFT_PX, SHIFT_PX), lots.randint(-SHIFT_PX, SHIFT_PX)),
        shade=SHADE * lots.random() if lots.random() < SHADED_SHARE else 0.0,
        caption=lots.choices(templates, weights)[0],
    )


def compose(glyph: Image.Image, composition: Composition) -> Image.Image:
    """Return the picture of a glyph, ``SIDE_PX`` wide and high."""
    picture = background(COLOURS[composition.colour], composition.shade)
    scale = composition.longer_side_px / max(glyph.size)
    width, height = (max(1, round(side * scale)) for side in glyph.size)
    # Premultiplied, so that no dark fringe comes from the colour of transparent pixels.
    small = glyph.convert("RGBa").resize((width, height), Image.Resampling.LANCZOS).convert("RGBA")
    left = (SIDE_PX - width) // 2 + composition.shift_px[0]
    top = (SIDE_PX - height) // 2 + composition.shift_px[1]
    picture.paste(small, (left, top), small)
    return picture


def background(colour: Colour, shade: float) -> Image.Image:
    """Return a plain background, or one that darkens downwards."""
    light = np.linspace(1 + shade / 2, 1 - shade / 2, SIDE_PX)[:, None, None]
    rows = np.clip(light * np.array(colour), 0, 255).astype(np.uint8)
    return Image.fromarray(np.broadcast_to(rows, (SIDE_PX, SIDE_PX, 3)).copy())


def as_tensor(pictures: list[Image.Image]) -> Tensor:
    """Return pictures as a batch BCHW in [-1, 1]."""
    values = np.stack([np.asarray(picture) for picture in pictures])
    return torch.from_numpy(values).permute(0, 3, 1, 2).float() / 127.5 - 1


def as_picture(tensor_CHW: Tensor) -> Image.Image:
    """Return a tensor in [-1, 1] as a picture."""
    values = ((tensor_CHW.detach().float().clamp(-1, 1) + 1) * 127.5).round().byte()
    return Image.fromarray(values.permute(1, 2, 0).numpy())


def grid(pictures: list[Image.Image], columns: int) -> Image.Image:
    """Return pictures of one size side by side."""
    width, height = pictures[0].size
    rows = -(-len(pictures) // columns)
    whole = Image.new("RGB", (columns * width, rows * height), "white")
    for number, picture in enumerate(pictures):
        whole.paste(picture, (number % columns * width, number // columns * height))
    return whole
