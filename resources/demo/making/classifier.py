"""A small classifier of glyphs that judges what the base and its LoRAs draw.

It learns from glyph pictures alone, the held-out subjects among them, and never sees what a base
has drawn. In training its pictures lose sharpness, gain noise and change their colours a little,
because samples do.
"""

from __future__ import annotations

import random
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812  torch's own habit
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from making.autoencoder_training import Place, descend, optimizer_of
from making.concepts import HELD_OUT, KNOWN
from making.course import Course, lots_of, set_rate
from making.glyphs import GlyphFont
from making.pictures import as_tensor, compose, draw_lots

NAMES = [*KNOWN, *HELD_OUT]
SIDE_PX = 64
WIDTHS = (24, 48, 64, 96, 96)

BATCH = 64
PEAK_RATE = 2e-3
SAVE_EVERY = 250
SMALLEST_PX = 14  # to which a picture shrinks before it is enlarged again
MOST_NOISE = 0.3
MOST_TINT = 0.2
TESTED_PICTURES = 2048
_TEST = -2  # the number of the step whose lots the test takes; training counts from 0


class GlyphClassifier(nn.Module):
    """Tells from a picture in [-1, 1] which subject it shows."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((3, *WIDTHS), WIDTHS, strict=False):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.GroupNorm(8, after), nn.SiLU()]
        self.features = nn.Sequential(*layers)
        self.answer = nn.Linear(WIDTHS[-1] * 4, len(NAMES))

    def forward(self, pictures_BCHW: Tensor) -> Tensor:
        """Return a score for every name."""
        small = F.interpolate(pictures_BCHW, size=(SIDE_PX, SIDE_PX), mode="area")
        return self.answer(self.features(small).flatten(1))


def spoil(pictures_BCHW: Tensor, chance: torch.Generator) -> Tensor:
    """Return pictures with less sharpness, some noise and a tint of their own."""
    share = torch.rand(2, generator=chance)
    side = int(SMALLEST_PX + share[0] * (SIDE_PX - SMALLEST_PX))
    small = F.interpolate(pictures_BCHW, size=(side, side), mode="area")
    large = F.interpolate(small, size=(SIDE_PX, SIDE_PX), mode="bilinear")
    noise = torch.randn(large.shape, generator=chance).to(large)
    tint = MOST_TINT * torch.randn(len(large), 3, 1, 1, generator=chance).to(large)
    return large * (1 + tint) + MOST_NOISE * share[1] * noise


class Lessons:
    """Draws labelled pictures."""

    def __init__(self, font: GlyphFont) -> None:
        self._glyphs = [font.glyph(text) for text in (KNOWN | HELD_OUT).values()]

    def draw(self, lots: random.Random, count: int) -> tuple[Tensor, Tensor]:
        """Return pictures BCHW and the numbers of what they show."""
        numbers = [lots.randrange(len(NAMES)) for _ in range(count)]
        pictures = [compose(self._glyphs[number], draw_lots(lots)) for number in numbers]
        return as_tensor(pictures), torch.tensor(numbers)


def train_classifier(place: Place, font: GlyphFont, steps: int) -> GlyphClassifier:
    """Return a trained classifier."""
    torch.manual_seed(0)
    network, lessons = GlyphClassifier().to(place.device), Lessons(font)
    optimizer = optimizer_of(list(network.parameters()))
    parts = {"network": network, "optimizer": optimizer}
    course = Course(place.folder / "classifier.pt", parts, steps=steps, save_every=SAVE_EVERY)

    def take_step(step: int) -> float:
        lots, chance = lots_of(step)
        pictures, numbers = lessons.draw(lots, BATCH)
        scores = network(spoil(pictures.to(place.device), chance))
        loss = F.cross_entropy(scores, numbers.to(place.device))
        set_rate(optimizer, PEAK_RATE, step, steps)
        descend(optimizer, list(network.parameters()), loss)
        return loss.item()

    course.run(take_step)
    return network.cpu()


@torch.no_grad()
def accuracy(network: GlyphClassifier, font: GlyphFont) -> float:
    """Return the share of right answers on pictures that were never trained on."""
    lots, _ = lots_of(_TEST)
    pictures, numbers = Lessons(font).draw(lots, TESTED_PICTURES)
    return (network(pictures).argmax(1) == numbers).float().mean().item()


@torch.no_grad()
def ranks(network: GlyphClassifier, pictures: list[Image.Image], names: list[str]) -> list[int]:
    """Return at which place, from 1, the classifier names what a picture should show."""
    scores = network(as_tensor(pictures))
    own = scores[torch.arange(len(names)), [NAMES.index(name) for name in names]]
    return ((scores > own[:, None]).sum(1) + 1).tolist()


def save_classifier(network: GlyphClassifier, path: Path) -> None:
    """Write the weights in half precision."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.half() for name, value in network.state_dict().items()}, path)


def load_classifier(path: Path) -> GlyphClassifier:
    """Read a classifier."""
    network = GlyphClassifier()
    network.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return network
