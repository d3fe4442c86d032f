"""Every kind of adapter, with every option, on every kind of layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from helpers.adapter_kinds import KINDS, Kind
from torch import Tensor, nn


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


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture(params=LAYERS)
def case(request: pytest.FixtureRequest) -> LayerCase:
    return LAYERS[request.param]


@pytest.fixture
def layer(case: LayerCase) -> nn.Module:
    """A frozen layer with random weights."""
    layer = case.make()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.normal_(generator=generator)
    return layer.requires_grad_(False)


@pytest.fixture
def x(case: LayerCase) -> Tensor:
    """An input of the layer."""
    return torch.randn(case.input_shape, generator=torch.Generator().manual_seed(2))
