"""Filling the latent cache: which pictures are encoded together, decoded ahead in threads.

What is encoded at once decides how numbers are rounded. So pictures are put into the same groups
in every run, and a group of which a part is missing is encoded anew as a whole: what an
interruption leaves behind changes nothing.

Shape suffixes: B samples, C channels, H and W rows and columns.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from trainer_core.catalogue.interpolations import acting_interpolation
from trainer_core.dataset.pictures import Size
from trainer_core.errors import NumericError
from trainer_core.families.base import LatentPosterior
from trainer_core.pipeline.cache_writer import CacheWriter
from trainer_core.pipeline.file_hashes import FileHashes
from trainer_core.pipeline.latents import LatentStore, Shape, latent_key
from trainer_core.pipeline.sources import Source
from trainer_core.texts import T

OTHER_VAE = T(
    "Errors", "Turn on {param} if it is off, choose another VAE, or leave out the picture."
)

Encode = Callable[[Tensor], LatentPosterior]  # pixels_BCHW, wherever they are -> float32, there


@dataclass(frozen=True, slots=True)
class EncodingJob:
    """A picture, mirrored or not, that is encoded for everything that needs just this one."""

    source: Source
    flip: bool
    key: str

    def pixels(self) -> Tensor:
        """Return what is encoded; see `Source.pixels`."""
        return self.source.pixels(flip=self.flip)


class LatentPlan(NamedTuple):
    """The pictures with the keys of their latents, and what is encoded together."""

    sources: list[Source]
    groups: list[list[EncodingJob]]


def _to_nobody(done: int, total: int) -> None:
    del done, total


def plan_latents(
    sources: Sequence[Source],
    hashes: FileHashes,
    *,
    encoder: str,
    batch_size: int,
    threads: int = 1,
    progress: Callable[[int, int], None] = _to_nobody,
) -> LatentPlan:
    """Put the pictures into groups, bucket by bucket, and give each the keys of its latents.

    Args:
        sources: The pictures.
        hashes: Those of their files.
        encoder: Identity of the VAE's weights and of their precision.
        batch_size: Pictures encoded at once; the last group of a bucket may be smaller.
        threads: Threads that read files whose hashes are not known.
        progress: Called with the files done and their number; may raise to stop.

    Raises:
        DatasetError: A picture cannot be read.
    """
    paths = [source.path for source in sources]
    digests = hashes.of_all(paths, threads=max(1, threads), progress=progress)

    def keys_of(number: int, group_size: int) -> tuple[str, ...]:
        return _keys(sources[number], digests[number], encoder, group_size)

    # A picture is known by the key that it would have alone, until it is in a group.
    alone = [keys_of(number, 1) for number in range(len(sources))]
    first: dict[str, tuple[int, bool]] = {}
    for number, keys in enumerate(alone):
        for side, key in enumerate(keys):
            first.setdefault(key, (number, bool(side)))
    final: dict[str, str] = {}
    groups = []
    for members in _chunks({key: sources[n] for key, (n, _) in first.items()}, batch_size):
        group = []
        for key in members:
            number, flip = first[key]
            final[key] = keys_of(number, len(members))[flip]
            group.append(EncodingJob(sources[number], flip, final[key]))
        groups.append(group)
    keyed = [
        replace(source, latents=tuple(final[key] for key in keys))
        for source, keys in zip(sources, alone, strict=True)
    ]
    return LatentPlan(keyed, groups)


def _keys(source: Source, digest: str, encoder: str, group_size: int) -> tuple[str, ...]:
    placement, wanted = source.placement, source.settings.pictures.resize_interpolation
    interpolation = acting_interpolation(wanted, source.size, placement.resized)
    return tuple(
        latent_key(
            digest,
            placement,
            interpolation=interpolation,
            flip=flip,
            encoder=encoder,
            group_size=group_size,
            decoding=source.decoding,
        )
        for flip in ((False, True) if source.settings.pictures.flip_aug else (False,))
    )


def _chunks(pictures: dict[str, Source], size: int) -> Iterator[list[str]]:
    by_bucket: defaultdict[Size, list[str]] = defaultdict(list)
    for key, source in pictures.items():
        by_bucket[source.placement.bucket].append(key)
    for _, same in sorted(by_bucket.items()):
        yield from (same[start : start + size] for start in range(0, len(same), size))


def fill(
    store: LatentStore,
    groups: Sequence[Sequence[EncodingJob]],
    encode: Encode,
    *,
    shape_of: Callable[[Size], Shape],
    threads: int,
    progress: Callable[[int, int], None],
) -> None:
    """Encode the groups that the store does not have whole, always in the same order.

    Args:
        store: Where the latents go; all of them are written when this returns.
        groups: As `plan_latents` made them.
        encode: The VAE's encoder; it gets float32 pixels on the CPU and brings them where it is.
        shape_of: The shape of a bucket's latents.
        threads: Threads that decode ahead.
        progress: Called with the pictures done and the total; may raise to stop.

    Raises:
        DatasetError: A picture cannot be decoded; the error names it.
        NumericError: The encoder made no finite numbers of a picture; the error names it.
        OutputError: The disk cache cannot be written.
    """
    wanted = [group for group in groups if not _is_whole(store, group, shape_of)]
    done, total = 0, sum(map(len, wanted))
    progress(done, total)
    pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix="cache")
    with pool, CacheWriter() as writer:
        for group, pixels in _decoded_ahead(pool, wanted):
            encoded = encode(torch.stack(pixels))
            means, stds = (part.cpu() for part in encoded)
            _require_finite(group, means, stds)
            for job, mean_CHW, std_CHW in zip(group, means, stds, strict=True):
                store.keep(job.key, (mean_CHW.clone(), std_CHW.clone()))
                writer.put(partial(store.write, job.key))
            done += len(group)
            progress(done, total)


def _require_finite(group: Sequence[EncodingJob], means: Tensor, stds: Tensor) -> None:
    """Refuse latents that would make every step with their pictures fail; they are on the CPU."""
    for job, *latent in zip(group, means, stds, strict=True):
        if not all(bool(part.isfinite().all()) for part in latent):
            raise NumericError(
                T("Errors", "The VAE made no finite numbers of the picture {name}."),
                OTHER_VAE,
                setting="model.vae",
                picture=str(job.source.path),
                name=job.source.name,
                param="no_half_vae",
            )


def _is_whole(
    store: LatentStore, group: Sequence[EncodingJob], shape_of: Callable[[Size], Shape]
) -> bool:
    # Asked of each, so that all damaged files go before their group is written again.
    found = [store.has(job.key, shape_of(job.source.placement.bucket)) for job in group]
    return all(found)


def _decoded_ahead(
    pool: ThreadPoolExecutor, groups: Sequence[Sequence[EncodingJob]]
) -> Iterator[tuple[Sequence[EncodingJob], list[Tensor]]]:
    """Yield groups with their pixels, while the threads decode the next one."""
    ahead: deque[tuple[Sequence[EncodingJob], list[Future[Tensor]]]] = deque()
    for group in groups:
        ahead.append((group, [pool.submit(job.pixels) for job in group]))
        if len(ahead) > 1:
            first, futures = ahead.popleft()
            yield first, [future.result() for future in futures]
    for group, futures in ahead:
        yield group, [future.result() for future in futures]
