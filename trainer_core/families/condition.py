"""What a denoiser is told beside the noisy latents: text features and, in some families, more.

Shape suffixes: B batch, L tokens, C channels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

Size = tuple[int, int]

#: The entry that every family has: the text features BLC.
TEXT = "text"


class SampleFacts(NamedTuple):
    """Where a sample's pixels come from, for families whose denoiser is told.

    Of a cut at the centre, what was cut away follows from it: see
    `trainer_core.dataset.buckets.told_offset`.

    Attributes:
        original: Width and height of the picture, upright, in pixels.
        target: Width and height of the training picture, in pixels.
        is_flipped: Whether it is mirrored left to right.
        cut: Left and top of a cut that lies elsewhere, in the scaled and mirrored picture.
    """

    original: Size
    target: Size
    is_flipped: bool
    cut: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Named tensors, the batch first; all of them on one device.

    Attributes:
        tensors: ``text`` (BLC) in every family; ``pooled`` (BC) and ``sizes`` in those that
            have them. In the type that the text encoder gave; denoisers cast to their own.
    """

    tensors: Mapping[str, Tensor]

    def __getitem__(self, name: str) -> Tensor:
        """Return one tensor; KeyError if this condition has none of that name."""
        return self.tensors[name]

    def __len__(self) -> int:
        """Return the size of the batch."""
        return len(next(iter(self.tensors.values())))

    def to(self, device: torch.device) -> Condition:
        """Return the condition on ``device``; from pinned memory the copy is not waited for."""
        return self.mapped(lambda tensor: tensor.to(device, non_blocking=True))

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Condition:
        """Return the condition with ``change`` of each of its tensors, of whatever shape."""
        return Condition({name: change(tensor) for name, tensor in self.tensors.items()})

    def each(self) -> Iterator[Condition]:
        """Yield the conditions of the single samples, with a batch of 1; views, not copies."""
        for index in range(len(self)):
            yield Condition({name: t[index : index + 1] for name, t in self.tensors.items()})

    @classmethod
    def batch(cls, conditions: Sequence[Condition]) -> Condition:
        """Join conditions with the same names along the batch, on the device that they share.

        Raises:
            ValueError: There is none, or they differ in their names.
        """
        if not conditions or any(
            condition.tensors.keys() != conditions[0].tensors.keys() for condition in conditions
        ):
            raise ValueError("conditions of one batch have the same names")
        names = conditions[0].tensors
        return cls(
            {
                name: torch.cat([condition.tensors[name] for condition in conditions])
                for name in names
            }
        )
