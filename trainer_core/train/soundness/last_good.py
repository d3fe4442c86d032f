"""The trained weights as they were before the newest update, for when it spoils them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

#: Adapters stay far below it. Where a whole model is trained, its newest state is what is left.
MAX_KEPT_BYTES = 2**30


class LastGood:
    """Copies of trained weights on their own device; none if they are more than can be spared.

    Args:
        weights: The weights themselves, of any shape and type.
        max_bytes: What the copies may take.
    """

    def __init__(self, weights: Sequence[nn.Parameter], *, max_bytes: int = MAX_KEPT_BYTES) -> None:
        self._weights: list[Tensor] = [weight.detach() for weight in weights]
        num_bytes = sum(weight.numel() * weight.element_size() for weight in weights)
        self._is_affordable = num_bytes <= max_bytes
        self._copies: list[Tensor] = []

    def keep(self) -> None:
        """Copy the weights as they are now; to be called when they have given a finite loss."""
        if not self._is_affordable:
            return
        if not self._copies:
            self._copies = [torch.empty_like(weight) for weight in self._weights]
        torch._foreach_copy_(self._copies, self._weights)

    def is_finite(self) -> bool:
        """Tell whether the weights are finite as they are now; read once from their device."""
        flags = [weight.isfinite().all() for weight in self._weights]
        return not flags or bool(torch.stack(flags).all())

    def put_back(self) -> bool:
        """Put the kept weights back into their places; False if none were kept."""
        if not self._copies:
            return False
        torch._foreach_copy_(self._weights, self._copies)
        return True
