"""A batch: everything that one forward pass needs, made ahead of it.

Shape suffixes: B samples, C channels, H and W rows and columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trainer_core.families.base import LatentPosterior
from trainer_core.families.condition import Condition, SampleFacts
from trainer_core.objectives.objective import Draw


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Samples of one size that are trained together; its tensors are all on one device.

    Attributes:
        names: Of the pictures, for people.
        paths: Of the pictures' files.
        captions: As they are trained with, shuffled or not.
        facts: Where the pixels of each sample come from.
        posterior: The encoded pictures, BCHW, float32; None while they are pixels.
        pixels_BCHW: The pictures in [-1, 1], float32, that the device is to encode; else None.
        condition: What the text encoders make of the captions, in their type; None where they are
            asked anew.
        weights_B: What each sample's loss is multiplied with, float32; None: all count alike.
        mask_B1HW: What the loss counts for at each place of the latents, 0 to 1; None: all alike.
        draw: Everything random.
        content: Names, captions, noise and timesteps as bytes: what a step's hash is taken of.
        group_size: How many batches make the optimizer step that it belongs to.
        whole: The samples of the whole batch; more than are here where processes share it.
    """

    names: tuple[str, ...]
    paths: tuple[str, ...]
    captions: tuple[str, ...]
    facts: tuple[SampleFacts, ...]
    posterior: LatentPosterior | None
    pixels_BCHW: Tensor | None
    condition: Condition | None
    weights_B: Tensor | None
    mask_B1HW: Tensor | None
    draw: Draw
    content: bytes
    group_size: int
    whole: int

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.names)

    @property
    def share(self) -> float:
        """The part of the whole batch that is here."""
        return len(self) / self.whole

    def to(self, device: torch.device) -> Batch:
        """Return the batch on ``device``, its types unchanged.

        From pinned memory the copies are not waited for.
        """
        return self.mapped(lambda tensor: tensor.to(device, non_blocking=True))

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """Return the batch with every tensor of it, of any shape, replaced by ``change`` of it."""
        posterior = self.posterior
        if posterior is not None:
            posterior = LatentPosterior(*map(change, posterior))
        return replace(
            self,
            posterior=posterior,
            pixels_BCHW=_changed(self.pixels_BCHW, change),
            condition=None if self.condition is None else self.condition.mapped(change),
            weights_B=_changed(self.weights_B, change),
            mask_B1HW=_changed(self.mask_B1HW, change),
            draw=Draw(*map(change, self.draw)),
        )


def content_of(names: tuple[str, ...], captions: tuple[str, ...], draw: Draw) -> bytes:
    """Return what tells a batch from others, as bytes; ``draw`` must be on the CPU."""
    words = repr((names, captions)).encode()
    tensors = (draw.noise_BCHW, draw.timesteps_B)
    return b"".join((words, *(tensor.numpy().tobytes() for tensor in tensors)))


def _changed(tensor: Tensor | None, change: Callable[[Tensor], Tensor]) -> Tensor | None:
    return None if tensor is None else change(tensor)
