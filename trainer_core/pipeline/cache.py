"""Filling the latent cache before training: every picture is encoded once."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trainer_core.dataset.pictures import Size
from trainer_core.pipeline.decode import load_pixels
from trainer_core.pipeline.latents import FileHashes, LatentStore, latent_key
from trainer_core.pipeline.loader import Encode, Source


@dataclass(frozen=True, slots=True)
class _Job:
    source: Source
    key: str
    flip: bool


def with_keys(
    sources: Sequence[Source], hashes: FileHashes, *, flip: bool, encoder: str
) -> list[Source]:
    """Return the sources with the keys of their latents: plain, and mirrored if asked for."""
    sides = (False, True) if flip else (False,)
    keyed = []
    for source in sources:
        digest = hashes.sha256(source.path)
        keys = tuple(
            latent_key(digest, source.placement, flip=side, encoder=encoder) for side in sides
        )
        keyed.append(replace(source, keys=keys))
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
        store: Where the latents go.
        sources: Pictures with their keys.
        encode: The VAE's encoder.
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
    with ThreadPoolExecutor(max(1, threads), thread_name_prefix="cache") as pool:
        for chunk, pixels in _decoded_ahead(pool, list(_chunks(jobs, batch_size))):
            mean_BCHW, std_BCHW = encode(torch.stack(pixels))
            for job, mean_CHW, std_CHW in zip(chunk, mean_BCHW, std_BCHW, strict=True):
                store.put(job.key, (mean_CHW.clone(), std_CHW.clone()))
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
        for side, key in enumerate(source.keys):
            if key not in jobs and not store.has(key):
                jobs[key] = _Job(source, key, flip=bool(side))
    return list(jobs.values())


def _chunks(jobs: Sequence[_Job], size: int) -> Iterator[list[_Job]]:
    by_bucket: defaultdict[Size, list[_Job]] = defaultdict(list)
    for job in jobs:
        by_bucket[job.source.placement.bucket].append(job)
    for _, same in sorted(by_bucket.items()):
        yield from (same[start : start + size] for start in range(0, len(same), size))
