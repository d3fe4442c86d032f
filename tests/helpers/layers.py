"""Layers as a family names them to adapters, and a layer of every form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from torch import nn


class Layer(NamedTuple):
    name: str
    part: str
    layer: nn.Module


@dataclass(frozen=True)
class LayerCase:
    """A frozen layer and the input for it."""

    make: Callable[[], nn.Module]
    input_shape: tuple[int, ...]


LAYERS = {
    "linear": LayerCase(lambda: nn.Linear(6, 10), (3, 5, 6)),
    "linear without bias": LayerCase(lambda: nn.Linear(6, 10, bias=False), (5, 6)),
    "conv 1x1": LayerCase(lambda: nn.Conv2d(6, 10, 1), (2, 6, 5, 7)),
    "conv 3x3": LayerCase(lambda: nn.Conv2d(6, 10, 3, padding=1), (2, 6, 5, 7)),
    "conv 3x3 stride 2": LayerCase(lambda: nn.Conv2d(6, 10, 3, stride=2, padding=1), (2, 6, 8, 9)),
    "conv 3x5": LayerCase(lambda: nn.Conv2d(6, 10, (3, 5), (1, 2), (0, 2)), (2, 6, 8, 9)),
}
