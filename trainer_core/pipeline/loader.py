"""From the order of an epoch to prepared batches, ahead of training in threads.

Shape suffixes: B samples, C channels, H and W rows and columns.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from trainer_core.dataset.batches import Batch, caption_rng, epoch_batches, is_flipped
from trainer_core.dataset.buckets import Placement
from trainer_core.dataset.captions import process_caption
from trainer_core.pipeline.decode import load_pixels
from trainer_core.pipeline.latents import LatentStore

Encode = Callable[[Tensor], tuple[Tensor, Tensor]]  # pixels_BCHW -> mean_BCHW, std_BCHW


@dataclass(frozen=True, slots=True)
class Source:
    """A picture of the run: where it is, how it is cut, what is said of it.

    ``name`` is its path from the picture folder; ``keys`` those of its latents, plain and
    mirrored, empty where latents are not cached.
    """

    path: Path
    name: str
    repeats: int
    placement: Placement
    caption: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch ready for training, on the CPU.

    ``group_size`` is the number of batches that make the optimizer step it belongs to.
    """

    names: tuple[str, ...]
    captions: tuple[str, ...]
    mean_BCHW: Tensor
    std_BCHW: Tensor
    group_size: int


@dataclass(frozen=True, slots=True)
class Group:
    """The batches of one optimizer step, and how long training waited for them."""

    batches: tuple[Prepared, ...]
    waited_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLoader:
    """Delivers the batches of an epoch in their order.

    Which pictures, mirrored or not, with which words, is decided by seed, epoch and place alone;
    the threads only fetch.
    """

    sources: Sequence[Source]
    batch_size: int
    accumulation: int
    seed: int
    flip: bool
    shuffle_caption: bool
    keep_tokens: int
    threads: int
    store: LatentStore | None
    encode: Encode

    def groups(self, epoch: int, *, skip_batches: int = 0) -> Iterator[Group]:
        """Yield the steps of an epoch, without the first ``skip_batches`` batches."""
        order = epoch_batches(
            [source.placement.bucket for source in self.sources],
            [source.repeats for source in self.sources],
            batch_size=self.batch_size,
            seed=self.seed,
            epoch=epoch,
        )
        steps = list(_chunks(order, self.accumulation))[skip_batches // self.accumulation :]
        fetched = self._fetch([batch for step in steps for batch in step], epoch)
        for step in steps:
            started = time.perf_counter()
            loaded = [next(fetched) for _ in step]
            waited_s = time.perf_counter() - started
            yield Group(tuple(self._finish(each, len(step)) for each in loaded), waited_s)

    def _fetch(self, batches: Sequence[Batch], epoch: int) -> Iterator[_Loaded]:
        if self.threads == 0:
            yield from (self._load(batch, epoch) for batch in batches)
            return
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="loader")
        try:
            ahead: deque[Future[_Loaded]] = deque()
            for batch in batches:
                ahead.append(pool.submit(self._load, batch, epoch))
                if len(ahead) > 2 * self.threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _load(self, batch: Batch, epoch: int) -> _Loaded:
        places = range(batch.position, batch.position + len(batch.pictures))
        samples = [
            (self.sources[number], self.flip and is_flipped(self.seed, epoch, place))
            for number, place in zip(batch.pictures, places, strict=True)
        ]
        captions = tuple(
            process_caption(
                source.caption,
                shuffle=self.shuffle_caption,
                keep_tokens=self.keep_tokens,
                rng=caption_rng(self.seed, epoch, place),
            )
            for (source, _), place in zip(samples, places, strict=True)
        )
        names = tuple(source.name for source, _ in samples)
        if self.store is None:
            pixels = [load_pixels(source.path, source.placement, flip=f) for source, f in samples]
            return _Loaded(names, captions, torch.stack(pixels), None)
        latents = [self.store.get(source.keys[flip]) for source, flip in samples]
        mean_BCHW, std_BCHW = (torch.stack(part) for part in zip(*latents, strict=True))
        return _Loaded(names, captions, mean_BCHW, std_BCHW)

    def _finish(self, loaded: _Loaded, group_size: int) -> Prepared:
        """Encode what came as pixels; in the training thread, which owns the device."""
        first_BCHW, std_BCHW = loaded.first_BCHW, loaded.std_BCHW
        if std_BCHW is None:
            first_BCHW, std_BCHW = self.encode(first_BCHW)
        return Prepared(loaded.names, loaded.captions, first_BCHW, std_BCHW, group_size)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What a thread fetched: means and deviations, or pixels (then ``std_BCHW`` is None)."""

    names: tuple[str, ...]
    captions: tuple[str, ...]
    first_BCHW: Tensor
    std_BCHW: Tensor | None


def _chunks(batches: Sequence[Batch], size: int) -> Iterator[tuple[Batch, ...]]:
    return (tuple(batches[start : start + size]) for start in range(0, len(batches), size))
