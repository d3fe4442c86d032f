"""Conditions of captions: encoded ahead, remembered, or made anew while a text encoder trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch

from trainer_core.families.condition import Condition

#: Of captions; in Stable Diffusion 1, at 77 x 768 numbers each, about 1 GB in 32 bit.
MAX_REMEMBERED = 4096

Encode = Callable[[Sequence[str]], Condition]


class TextStore:
    """Gives the conditions of a batch's captions.

    With frozen text encoders each caption is encoded once, by itself, so that what it was batched
    with cannot change its rounding, and kept on the CPU, in the type that the encoders gave. Those
    that are encoded ahead stay, and need no encoder any more; of the others, the newest. Autocast,
    where it is wanted, is on when this is called: encoding is computed in it.

    Args:
        encode: What makes conditions of captions, on any device.
        is_trained: Whether anything in the text encoders trains; nothing is kept then.
        device: Where conditions are given to.
    """

    def __init__(self, encode: Encode, *, is_trained: bool, device: torch.device) -> None:
        self._encode = encode
        self._is_trained = is_trained
        self._device = device
        self._ahead: dict[str, Condition] = {}
        self._newest: dict[str, Condition] = {}

    def encode_ahead(
        self, captions: Iterable[str], *, progress: Callable[[int, int], None]
    ) -> None:
        """Encode captions that will be asked for, each once.

        Args:
            captions: All of them; repetitions cost nothing.
            progress: Told after each how many are done, and how many there are.
        """
        missing = [each for each in dict.fromkeys(captions) if each not in self._ahead]
        for number, caption in enumerate(missing, start=1):
            self._ahead[caption] = self._encoded(caption)
            progress(number, len(missing))

    def joined(self, captions: Sequence[str]) -> Condition:
        """Return the conditions of captions that were encoded ahead as one batch, on the CPU.

        May be called in any thread.

        Raises:
            KeyError: One was not encoded.
        """
        return Condition.batch([self._ahead[caption] for caption in captions])

    def __call__(self, captions: Sequence[str]) -> Condition:
        """Return the conditions of ``captions`` as one batch, on the device.

        Gradients flow if the encoders train; else there are none.
        """
        if self._is_trained:
            return self._encode(captions)
        return Condition.batch([self._kept(caption) for caption in captions]).to(self._device)

    def _kept(self, caption: str) -> Condition:
        known = self._ahead.get(caption) or self._newest.get(caption)
        if known is None:
            known = self._encoded(caption)
            if len(self._newest) >= MAX_REMEMBERED:
                del self._newest[next(iter(self._newest))]
            self._newest[caption] = known
        return known

    @torch.no_grad()
    def _encoded(self, caption: str) -> Condition:
        return self._encode([caption]).to(torch.device("cpu"))
