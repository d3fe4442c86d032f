"""What every kind of adapter offers: it wraps one frozen layer and changes its output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor, nn


class Adapter(Protocol):
    """Trainable weights beside one frozen layer. An implementation is an ``nn.Module`` too."""

    def delta(self, x: Tensor) -> Tensor:
        """Return what is added to the layer's output, in its shape, for its input ``x``."""
        ...

    def merged_weight(self) -> Tensor:
        """Return the change of the layer's weight, in the weight's shape, float32."""
        ...

    def reset(self, generator: torch.Generator) -> None:
        """Draw fresh weights that change nothing yet."""
        ...

    def saved(self) -> dict[str, Tensor]:
        """Return the tensors of the file by key suffix, such as ``lora_up.weight``."""
        ...

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take weights by key suffix.

        Raises:
            ValueError: A tensor is missing or has another shape; the text names it.
        """
        ...


class AdapterKind(Protocol):
    """A class of adapters."""

    def __call__(self, layer: nn.Module, *, rank: int, alpha: float) -> nn.Module:
        """Build an adapter for ``layer``."""
        ...

    def shape_in(self, tensors: Mapping[str, Tensor]) -> tuple[int, float] | None:
        """Return rank and alpha of a module's saved tensors; None if they are of another kind."""
        ...
