"""Layers as a family names them to adapters."""

from __future__ import annotations

from typing import NamedTuple

from torch import nn


class Layer(NamedTuple):
    name: str
    part: str
    layer: nn.Module
