"""Every kind of adapter, with every option, on every kind of layer."""

from __future__ import annotations

import pytest
import torch
from helpers.adapter_kinds import KINDS, Kind
from helpers.layers import LAYERS, LayerCase
from torch import Tensor, nn


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
