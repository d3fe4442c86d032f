"""Text features of captions: anew while the text encoder trains, remembered otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

MAX_REMEMBERED = 4096  # at 77 x 768 numbers each about 1 GB in 32 bit


class TextFeatures:
    """Gives the text features BLC of a batch's captions.

    With a frozen text encoder each caption is encoded once, by itself, so that what it was
    batched with cannot change its rounding.
    """

    def __init__(
        self, encode: Callable[[Sequence[str]], Tensor], *, is_trained: bool, device: torch.device
    ) -> None:
        self._encode = encode
        self._is_trained = is_trained
        self._device = device
        self._known: dict[str, Tensor] = {}

    def __call__(self, captions: Sequence[str]) -> Tensor:
        """Return the features of ``captions`` on the device."""
        if self._is_trained:
            return self._encode(captions)
        return torch.cat([self._remembered(caption) for caption in captions]).to(self._device)

    def _remembered(self, caption: str) -> Tensor:
        known = self._known.get(caption)
        if known is None:
            with torch.no_grad():
                known = self._encode([caption]).cpu()
            if len(self._known) >= MAX_REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[caption] = known
        return known
