"""Which rank and alpha each layer's adapter gets."""

from __future__ import annotations

from helpers.layers import Layer
from torch import nn

from trainer_core.adapters.base import Shape
from trainer_core.adapters.shapes import shapes

LAYERS = [
    Layer("linear", "unet", nn.Linear(2, 2)),
    Layer("1x1", "unet", nn.Conv2d(2, 2, 1)),
    Layer("3x3", "unet", nn.Conv2d(2, 2, 3)),
    Layer("1x3", "unet", nn.Conv2d(2, 2, (1, 3))),
]


def test_one_shape_for_all() -> None:
    assert shapes(LAYERS, linear=Shape(4, 1.0)) == dict.fromkeys(
        ("linear", "1x1", "3x3", "1x3"), Shape(4, 1.0)
    )


def test_convolutions_have_a_shape_of_their_own_unless_they_are_1x1() -> None:
    found = shapes(LAYERS, linear=Shape(4, 1.0), conv=Shape(8, 2.0))

    assert [name for name, shape in found.items() if shape == Shape(8, 2.0)] == ["3x3", "1x3"]
