"""Encoded pictures by content: in memory for this run, on disk for the next ones.

A latent is kept as the mean and deviation of the encoder's posterior; the draw is made anew at
every step. Its key covers everything it depends on, so a changed picture, crop, VAE or program
never finds an old latent.

Shape suffixes: B samples, C channels, H and W rows and columns.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import zlib
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from trainer_core.dataset.buckets import Placement
from trainer_core.dataset.pictures import Size
from trainer_core.errors import OutputError
from trainer_core.families.base import LatentPosterior
from trainer_core.files.writing import publish_bytes
from trainer_core.pipeline.cache_writer import CacheWriter
from trainer_core.pipeline.decode import load_pixels
from trainer_core.pipeline.file_hashes import FileHashes
from trainer_core.pipeline.sources import Source
from trainer_core.texts import T

ENCODER_VERSION = 1  # raised when decode or encoding gives other numbers for the same picture

Posterior = tuple[Tensor, Tensor]  # mean and deviation, CHW, float32, on the CPU
Encode = Callable[[Tensor], LatentPosterior]  # pixels_BCHW, wherever they are -> float32, there


def latent_key(file_sha256: str, placement: Placement, *, flip: bool, encoder: str) -> str:
    """Return the key of one encoded picture.

    Args:
        file_sha256: Hash of the file's bytes, which hold its orientation too.
        placement: How it is scaled and cropped.
        flip: Whether it is mirrored.
        encoder: Identity of the VAE's weights and of their precision.
    """
    facts = [
        ENCODER_VERSION,
        file_sha256,
        placement.resized,
        placement.crop_offset,
        placement.bucket,
        flip,
        encoder,
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


class LatentStore:
    """Latents by key: always in memory, and in ``folder`` if one is given."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._memory: dict[str, Posterior] = {}

    def has(self, key: str) -> bool:
        """Tell whether the latent is there, taking it into memory from the disk if need be."""
        if key in self._memory:
            return True
        found = self._read(key)
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
                raise OutputError(
                    T("Errors", "The latent cache cannot be written: {reason}"),
                    T(
                        "Errors",
                        "Free some space in {folder}, set LORA_LOOM_CACHE to another folder, or "
                        "switch {param} off.",
                    ),
                    setting="dataset.cache_latents_to_disk",
                    param="cache_latents_to_disk",
                    reason=error,
                    folder=self._folder,
                ) from error

    def _path(self, key: str) -> Path | None:
        return self._folder / key[:2] / f"{key}.safetensors" if self._folder else None

    def _read(self, key: str) -> Posterior | None:
        path = self._path(key)
        if path is None or not path.is_file():
            return None
        try:
            return _read_latent(key, path.read_bytes())
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


def _read_latent(key: str, content: bytes) -> Posterior:
    """Return what a cache file holds.

    Raises:
        SafetensorError: It is cut short.
        KeyError: It holds something else.
        ValueError: It is not what was written for ``key``, or is of an earlier version.
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
    return mean, std


# ---------------------------------------------------------------- filling


@dataclass(frozen=True, slots=True)
class _Job:
    source: Source
    key: str
    flip: bool


def with_keys(sources: Sequence[Source], hashes: FileHashes, *, encoder: str) -> list[Source]:
    """Return the sources with the keys of their latents: plain, and mirrored if asked for.

    Raises:
        DatasetError: A picture cannot be read.
    """
    keyed = []
    for source in sources:
        digest = hashes.sha256(source.path)
        sides = (False, True) if source.settings.flip_aug else (False,)
        keys = tuple(
            latent_key(digest, source.placement, flip=side, encoder=encoder) for side in sides
        )
        keyed.append(replace(source, latents=keys))
    return keyed


def fill(
    store: LatentStore,
    sources: Sequence[Source],
    encode: Encode,
    *,
    batch_size: int,
    threads: int,
    progress: Callable[[int, int], None],
) -> None:
    """Encode what the store lacks, bucket by bucket, always in the same order.

    Args:
        store: Where the latents go; all of them are written when this returns.
        sources: Pictures with their keys.
        encode: The VAE's encoder; it gets float32 pixels on the CPU and brings them where it is.
        batch_size: Pictures encoded at once.
        threads: Threads that decode ahead.
        progress: Called with the pictures done and the total; may raise to stop.

    Raises:
        DatasetError: A picture cannot be decoded; the error names it.
        OutputError: The disk cache cannot be written.
    """
    jobs = _missing(store, sources)
    done = 0
    progress(done, len(jobs))
    pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix="cache")
    with pool, CacheWriter() as writer:
        for chunk, pixels in _decoded_ahead(pool, list(_chunks(jobs, batch_size))):
            encoded = encode(torch.stack(pixels))
            means, stds = (part.cpu() for part in encoded)
            for job, mean_CHW, std_CHW in zip(chunk, means, stds, strict=True):
                store.keep(job.key, (mean_CHW.clone(), std_CHW.clone()))
                writer.put(partial(store.write, job.key))
            done += len(chunk)
            progress(done, len(jobs))


def _decoded_ahead(
    pool: ThreadPoolExecutor, chunks: Sequence[list[_Job]]
) -> Iterator[tuple[list[_Job], list[Tensor]]]:
    """Yield chunks with their pixels, while the threads decode the next one."""
    ahead: deque[tuple[list[_Job], list[Future[Tensor]]]] = deque()
    for chunk in chunks:
        ahead.append((chunk, [pool.submit(_pixels, job) for job in chunk]))
        if len(ahead) > 1:
            first, futures = ahead.popleft()
            yield first, [future.result() for future in futures]
    for chunk, futures in ahead:
        yield chunk, [future.result() for future in futures]


def _pixels(job: _Job) -> Tensor:
    return load_pixels(job.source.path, job.source.placement, flip=job.flip)


def _missing(store: LatentStore, sources: Sequence[Source]) -> list[_Job]:
    jobs: dict[str, _Job] = {}
    for source in sources:
        for side, key in enumerate(source.latents):
            if key not in jobs and not store.has(key):
                jobs[key] = _Job(source, key, flip=bool(side))
    return list(jobs.values())


def _chunks(jobs: Sequence[_Job], size: int) -> Iterator[list[_Job]]:
    by_bucket: defaultdict[Size, list[_Job]] = defaultdict(list)
    for job in jobs:
        by_bucket[job.source.placement.bucket].append(job)
    for _, same in sorted(by_bucket.items()):
        yield from (same[start : start + size] for start in range(0, len(same), size))
