"""Encoded pictures by content: in memory for this run, on disk for the next ones.

A latent is kept as the mean and deviation of the encoder's posterior; the draw is made anew at
every step. Its key covers everything it depends on, so a changed picture, crop, filter, VAE or
program never finds an old latent.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import zlib
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from trainer_core.catalogue.interpolations import InterpolationEntry
from trainer_core.dataset.buckets import Placement
from trainer_core.errors import DiskFull, OutputError
from trainer_core.files.writing import publish_bytes
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
    """
    facts = [
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
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


class LatentStore:
    """Latents by key: always in memory, and in ``folder`` if one is given."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._memory: dict[str, Posterior] = {}

    def has(self, key: str, shape: Shape) -> bool:
        """Tell whether the latent is there, taking it into memory from the disk if need be.

        One of another shape than ``shape`` is of no use, and goes as a damaged one does.
        """
        if key in self._memory:
            return True
        found = self._read(key, shape)
        if found is not None:
            self._memory[key] = found
        return found is not None

    def get(self, key: str) -> Posterior:
        """Return a latent that is there: the kept tensors themselves, not to be changed."""
        return self._memory[key]

    def keep(self, key: str, posterior: Posterior) -> None:
        """Keep a latent, which is on the CPU already, in memory; it is not copied."""
        self._memory[key] = posterior

    def write(self, key: str) -> None:
        """Put a latent that is in memory on the disk, if there is a folder; in any thread.

        It is not flushed: that would take longer than the encoding. What a power cut leaves of a
        file is seen when it is read, and made again.

        Raises:
            OutputError: The disk refuses it.
        """
        path = self._path(key)
        if path is None or path.exists():
            return
        mean, std = (tensor.contiguous() for tensor in self._memory[key])
        content = save({"mean": mean, "std": std}, {_CHECKSUM: _checksum(key, mean, std)})
        try:
            publish_bytes(path, content, replace=False, sync=False)
        except OutputError as error:
            if not path.exists():  # else another run stored the same latent meanwhile
                told = OutputError(
                    T("Errors", "The latent cache cannot be written: {reason}"),
                    T(
                        "Errors",
                        "Free some space in {folder}, set LORA_LOOM_CACHE to another folder, or "
                        "switch {param} off.",
                    ),
                    setting="cache.cache_latents_to_disk",
                    param="cache_latents_to_disk",
                    reason=error,
                    folder=self._folder,
                )
                raise DiskFull.at(path, told) if isinstance(error, DiskFull) else told from error

    def write_kept(self) -> None:
        """Put every latent that is in memory on the disk; what is there already stays.

        Raises:
            OutputError: The disk refuses it.
        """
        for key in list(self._memory):
            self.write(key)

    def _path(self, key: str) -> Path | None:
        return self._folder / key[:2] / f"{key}.safetensors" if self._folder else None

    def _read(self, key: str, shape: Shape) -> Posterior | None:
        path = self._path(key)
        if path is None or not path.is_file():
            return None
        try:
            return _read_latent(key, path.read_bytes(), shape)
        except (OSError, SafetensorError, KeyError, ValueError):
            with contextlib.suppress(OSError):
                path.unlink()  # damaged or of an earlier version: it is made again
            return None


_CHECKSUM = "crc32"


def _checksum(key: str, mean: Tensor, std: Tensor) -> str:
    """Return a checksum of the key, of the types and shapes and of the numbers.

    They are contiguous float32 on the CPU.
    """
    crc = zlib.crc32(key.encode())
    for tensor in (mean, std):
        crc = zlib.crc32(f"{tensor.dtype} {tuple(tensor.shape)}".encode(), crc)
        crc = zlib.crc32(tensor.numpy().data, crc)
    return f"{crc:08x}"


def _read_latent(key: str, content: bytes, shape: Shape) -> Posterior:
    """Return what a cache file holds.

    Raises:
        SafetensorError: It is cut short.
        KeyError: It holds something else.
        ValueError: It is not what was written for ``key``, or is of another shape.
    """
    tensors = load(content)
    mean, std = tensors["mean"], tensors["std"]
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    written = (header.get("__metadata__") or {}).get(_CHECKSUM)
    # The type first: not every one can be read for its checksum.
    if mean.dtype != torch.float32 or std.dtype != torch.float32:
        raise ValueError("of another type")
    if written != _checksum(key, mean, std):
        raise ValueError("damaged")
    if mean.shape != shape or std.shape != shape:
        raise ValueError("of another shape")
    return mean, std
