"""LoRA: the change of a layer as a product of two small matrices.

Source: Hu et al. 2021, arXiv:2106.09685; file layout of the kohya key format.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn

from trainer_core.adapters.base import LayerAdapter, Shape

_DOWN, _UP, _ALPHA = "lora_down.weight", "lora_up.weight", "alpha"


class LoRA(LayerAdapter):
    """``layer(x) + up(down(x)) * alpha / rank`` for one ``nn.Linear`` or ``nn.Conv2d``.

    A convolution's down factor has its kernel, stride and padding; its up factor is 1x1. ``x`` is
    what the layer takes: ``(..., in)`` for a linear one, BCHW for a convolution.
    """

    def __init__(self, layer: nn.Module, shape: Shape) -> None:
        super().__init__(layer)
        rank, self.alpha = shape
        self.rank = rank
        self.lora_down: nn.Module
        self.lora_up: nn.Module
        if isinstance(layer, nn.Conv2d):
            self.lora_down = nn.Conv2d(
                layer.in_channels,
                rank,
                layer.kernel_size,  # type: ignore[arg-type]  # torch types it as tuple[int, ...]
                layer.stride,  # type: ignore[arg-type]
                layer.padding,  # type: ignore[arg-type]
                bias=False,
            )
            self.lora_up = nn.Conv2d(rank, layer.out_channels, 1, bias=False)
        elif isinstance(layer, nn.Linear):
            self.lora_down = nn.Linear(layer.in_features, rank, bias=False)
            self.lora_up = nn.Linear(rank, layer.out_features, bias=False)
        else:
            raise TypeError(f"no LoRA for a layer of type {type(layer).__name__}")

    @property
    def scale(self) -> float:
        """The factor alpha / rank."""
        return self.alpha / self.rank

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output with the change added, in the output's shape and type."""
        return self.plain(x) + self.delta(x)

    def delta(self, x: Tensor) -> Tensor:
        """Return what is added to the layer's output, in its shape, for its input ``x``.

        It is calculated in the type of ``x``: the factors are cast, so that a base model in
        16 bit needs no autocast. Autocast, where it is on, casts the input as for any layer.
        """
        down, up = (factor.to(x.dtype) for factor in self._factors())
        if isinstance(self.lora_down, nn.Conv2d):
            inner = F.conv2d(x, down, None, self.lora_down.stride, self.lora_down.padding)
            return F.conv2d(inner, up) * self.scale
        return F.linear(F.linear(x, down), up) * self.scale

    def merged_weight(self, strength: float = 1.0) -> Tensor:
        """Return the layer's weight, in its shape, with ``strength`` times the change; float32."""
        weight = self.layer.weight
        assert isinstance(weight, Tensor)
        down, up = self._factors()
        product = up.float().flatten(1) @ down.float().flatten(1) * (self.scale * strength)
        return weight.float() + product.reshape(up.shape[0], *down.shape[1:])

    def reset(self, generator: torch.Generator) -> None:
        """Draw the down factor (Kaiming uniform, a = sqrt 5) and set the up factor to 0.

        Source: the paper's section 4.1 (up = 0); the range is that of ``nn.Linear``'s own start.
        """
        down, up = self._factors()
        nn.init.kaiming_uniform_(down, a=math.sqrt(5), generator=generator)
        nn.init.zeros_(up)

    def saved(self) -> dict[str, Tensor]:
        """Return the tensors of the file by key suffix; float32, sharing the factors' memory."""
        down, up = self._factors()
        return {_ALPHA: torch.tensor(self.alpha), _DOWN: down.detach(), _UP: up.detach()}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Copy weights of any type by key suffix; without an alpha it is the rank.

        Those of a linear layer fit a convolution with a 1x1 kernel, and the other way round.

        Raises:
            ValueError: A tensor is missing or has another shape; the text names it.
        """
        for name, target in zip((_DOWN, _UP), self._factors(), strict=True):
            source = tensors.get(name)
            if source is None:
                raise ValueError(f"{name} is missing")
            if not _fits(source.shape, target.shape):
                raise ValueError(f"{name} is {tuple(source.shape)}, not {tuple(target.shape)}")
            with torch.no_grad():
                target.copy_(source.reshape(target.shape))
        self.alpha = float(tensors[_ALPHA]) if _ALPHA in tensors else float(self.rank)

    @staticmethod
    def shape_in(tensors: Mapping[str, Tensor]) -> Shape | None:
        """Return rank and alpha of a module's saved tensors; None if they are no LoRA.

        Without an alpha it is the rank, so that the scale is 1.

        Raises:
            ValueError: A matrix is missing, or their ranks differ or are 0.
        """
        down, up = tensors.get(_DOWN), tensors.get(_UP)
        if down is None and up is None:
            return None
        if down is None or up is None:
            raise ValueError(f"{_UP if up is None else _DOWN} is missing")
        if min(down.ndim, up.ndim) < 2 or down.shape[0] != up.shape[1]:
            raise ValueError(f"the ranks of {tuple(down.shape)} and {tuple(up.shape)} differ")
        rank = down.shape[0]
        if rank == 0:
            raise ValueError("the rank is 0")
        return Shape(rank, float(tensors[_ALPHA]) if _ALPHA in tensors else float(rank))

    def _factors(self) -> tuple[nn.Parameter, nn.Parameter]:
        down, up = self.lora_down.weight, self.lora_up.weight
        assert isinstance(down, nn.Parameter) and isinstance(up, nn.Parameter)  # noqa: PT018
        return down, up


def _fits(source: torch.Size, target: torch.Size) -> bool:
    """Tell whether two factors have the same numbers in the same places."""
    return source[:2] == target[:2] and source.numel() == target.numel()
