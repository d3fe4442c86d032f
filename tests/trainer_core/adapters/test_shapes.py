"""Which rank and alpha each layer's adapter gets."""

from __future__ import annotations

from torch import nn

from trainer_core.adapters.base import Shape, Target
from trainer_core.adapters.shapes import shapes

LAYERS = [
    Target("linear", "unet", nn.Linear(2, 2)),
    Target("1x1", "unet", nn.Conv2d(2, 2, 1)),
    Target("3x3", "unet", nn.Conv2d(2, 2, 3)),
    Target("1x3", "unet", nn.Conv2d(2, 2, (1, 3))),
]


def test_one_shape_for_all() -> None:
    assert shapes(LAYERS, linear=Shape(4, 1.0)) == dict.fromkeys(
        ("linear", "1x1", "3x3", "1x3"), Shape(4, 1.0)
    )


def test_convolutions_have_a_shape_of_their_own_unless_they_are_1x1() -> None:
    found = shapes(LAYERS, linear=Shape(4, 1.0), conv=Shape(8, 2.0))

    assert [name for name, shape in found.items() if shape == Shape(8, 2.0)] == ["3x3", "1x3"]
