"""Encoded pictures by content: in memory for this run, on disk for the next ones.

A latent is kept as the mean and deviation of the encoder's posterior; the draw is made anew at
every step. Its key covers everything it depends on, so a changed picture, crop, filter, VAE or
program never finds an old latent.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from torch import Tensor

from trainer_core.catalogue.interpolations import InterpolationEntry
from trainer_core.dataset.buckets import Placement
from trainer_core.pipeline.cache_files import CacheFiles, Tensors
from trainer_core.texts import T

ENCODER_VERSION = 2  # raised when decode or encoding gives other numbers for the same picture

Posterior = tuple[Tensor, Tensor]  # mean and deviation, CHW, float32, on the CPU
Shape = tuple[int, int, int]  # of both: channels, rows, columns


def latent_key(
    file_sha256: str,
    placement: Placement,
    *,
    interpolation: InterpolationEntry | None,
    flip: bool,
    encoder: str,
    group_size: int,
    decoding: str = "",
) -> str:
    """Return the key of one encoded picture.

    Args:
        file_sha256: Hash of the file's bytes, which hold its orientation too.
        placement: How it is scaled and cropped.
        interpolation: The filter that scales it; None if none does.
        flip: Whether it is mirrored.
        encoder: Identity of the VAE's weights and of their precision.
        group_size: Pictures encoded at once with it, which decides how its numbers are rounded;
            which others these are does not.
        decoding: What makes pixels of the file that a plain picture's are not made by.
    """
    facts: list[object] = [
        ENCODER_VERSION,
        file_sha256,
        placement.resized,
        placement.crop_offset,
        placement.bucket,
        "" if interpolation is None else interpolation.implementation,
        flip,
        encoder,
        group_size,
    ]
    if decoding:
        facts.append(decoding)
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


class LatentStore:
    """Latents by key: always in memory, and in ``folder`` if one is given."""

    def __init__(self, folder: Path | None) -> None:
        self._files: CacheFiles | None = None
        if folder is not None:
            message = T("Errors", "The latent cache cannot be written: {reason}")
            self._files = CacheFiles(folder, "cache.cache_latents_to_disk", message)
        self._memory: dict[str, Posterior] = {}

    def has(self, key: str, shape: Shape) -> bool:
        """Tell whether the latent is there, taking it into memory from the disk if need be.

        One of another shape than ``shape`` is of no use, and goes as a damaged one does.
        """
        if key in self._memory:
            return True
        if self._files is None:
            return False
        found = self._files.read(key, lambda tensors: _is_posterior(tensors, shape))
        if found is not None:
            self._memory[key] = found["mean"], found["std"]
        return found is not None

    def get(self, key: str) -> Posterior:
        """Return a latent that is there: the kept tensors themselves, not to be changed."""
        return self._memory[key]

    def keep(self, key: str, posterior: Posterior) -> None:
        """Keep a latent, which is on the CPU already, in memory; it is not copied."""
        self._memory[key] = posterior

    def write(self, key: str) -> None:
        """Put a latent that is in memory on the disk, if there is a folder; in any thread.

        Raises:
            OutputError: The disk refuses it.
        """
        if self._files is not None:
            mean, std = self._memory[key]
            self._files.write(key, {"mean": mean, "std": std})

    def write_kept(self) -> None:
        """Put every latent that is in memory on the disk; what is there already stays.

        Raises:
            OutputError: The disk refuses it.
        """
        for key in list(self._memory):
            self.write(key)


def _is_posterior(tensors: Tensors, shape: Shape) -> bool:
    parts = (tensors["mean"], tensors["std"])
    return all(part.dtype == torch.float32 and part.shape == shape for part in parts)
