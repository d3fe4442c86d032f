"""From the order of an epoch to prepared batches, ahead of training in threads.

Shape suffixes: B samples, C channels, H and W rows and columns.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from trainer_core.dataset.augmentation.colours import ColourChange, draw_colour_change
from trainer_core.dataset.batches import (
    PlannedBatch,
    Pool,
    caption_rng,
    colour_rng,
    cut_rng,
    epoch_batches,
    is_flipped,
)
from trainer_core.dataset.buckets import Placement
from trainer_core.dataset.pictures import Size
from trainer_core.dataset.plan import pools_of
from trainer_core.dataset.processing.captions import Moment, process_caption
from trainer_core.families.base import LatentPosterior
from trainer_core.families.condition import Condition, SampleFacts
from trainer_core.objectives.objective import Draw
from trainer_core.pipeline.batch import Batch, content_of
from trainer_core.pipeline.filling import Encode
from trainer_core.pipeline.latents import LatentStore
from trainer_core.pipeline.masks import LatentMasks, batch_of_masks
from trainer_core.pipeline.sources import Source
from trainer_core.runtime.draws import generator


def _whole(count: int) -> slice:
    return slice(0, count)


@dataclass(frozen=True, slots=True)
class Group:
    """The batches of one optimizer step, and how long training waited for them."""

    batches: tuple[Batch, ...]
    waited_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLoader:
    """Delivers the batches of an epoch in their order.

    Which pictures, mirrored or not, with which words and which noise, is decided by seed, epoch,
    step and place alone; the threads only fetch.

    Attributes:
        batch_size: Samples of a full batch where a subset has no other.
        total_steps: Optimizer steps of the whole run.
        threads: That work ahead; 0: the training thread does it itself.
        store: Where the latents are; None: pictures are decoded, and encoded on the device.
        encode: The VAE's encoder.
        latent_channels: Of what it encodes to.
        pixels_per_latent: Rows and columns of pixels that one row or column of latents stands for.
        draw: Everything random of a batch, for latents of a shape BCHW.
        device: Where batches are delivered, with the draws on it too.
        pin: Puts a tensor where the device can copy it from by itself; None: it cannot.
        conditions: What the text encoders make of captions, on the CPU, looked up in the threads;
            None: they are asked when the batch is trained.
        part: The part of so many samples that is this process's.
        masks: Gives those of the samples.
    """

    sources: Sequence[Source]
    batch_size: int
    accumulation: int
    seed: int
    total_steps: int
    threads: int
    store: LatentStore | None
    encode: Encode
    latent_channels: int
    pixels_per_latent: int
    draw: Callable[[Sequence[int], torch.Generator], Draw]
    device: torch.device
    pin: Callable[[Tensor], Tensor] | None = None
    conditions: Callable[[Sequence[str]], Condition] | None = None
    part: Callable[[int], slice] = _whole
    masks: LatentMasks = field(default_factory=LatentMasks)

    def groups(
        self, epoch: int, *, skip_batches: int = 0, first_step: int
    ) -> Generator[Group, None, None]:
        """Yield the steps of an epoch, without the first ``skip_batches`` batches.

        Args:
            epoch: Counted from 0.
            skip_batches: Those of whole steps that were done before.
            first_step: The number of the optimizer step that is yielded first, from 1: it
                decides, with the seed, what is drawn.
        """
        order = epoch_batches(
            self._pools(),
            [source.repeats for source in self.sources],
            seed=self.seed,
            epoch=epoch,
        )
        begins = range(
            skip_batches // self.accumulation * self.accumulation, len(order), self.accumulation
        )
        steps = (order[begin : begin + self.accumulation] for begin in begins)
        prepared = self._prepare_ahead(
            _Job(planned, epoch, number, index, len(step))
            for number, step in enumerate(steps, start=first_step)
            for index, planned in enumerate(step)
        )
        for begin in begins:
            started = time.perf_counter()
            batches = list(itertools.islice(prepared, min(self.accumulation, len(order) - begin)))
            waited_s = time.perf_counter() - started
            yield Group(tuple(self._delivered(batch) for batch in batches), waited_s)

    def _pools(self) -> list[Pool]:
        settings = {source.key.subset: source.settings for source in self.sources}
        placements = {source.key: source.placement for source in self.sources}
        keys = [source.key for source in self.sources]
        return pools_of(placements, keys, settings, self.batch_size)

    def _prepare_ahead(self, jobs: Iterable[_Job]) -> Iterator[Batch]:
        if self.threads == 0:
            yield from (self._prepare(job) for job in jobs)
            return
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="loader")
        try:
            ahead: deque[Future[Batch]] = deque()
            for job in jobs:
                ahead.append(pool.submit(self._prepare, job))
                if len(ahead) > 2 * self.threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _prepare(self, job: _Job) -> Batch:
        """Make this process's part of a batch, on the CPU; in one of the threads."""
        whole_batch = [self._sample(number, place, job) for number, place in job.places()]
        # Drawn for all of it, so that the number of processes changes nothing.
        shape = self._latent_shape(len(whole_batch), job.planned.bucket)
        draw = self.draw(shape, generator(self.seed, "step", job.step, job.index))
        content = content_of(_names(whole_batch), _captions(whole_batch), draw)
        part = self.part(len(whole_batch))
        samples = whole_batch[part]
        captions = _captions(samples)
        pixels_BCHW, posterior = self._pictures(samples, shape)
        batch = Batch(
            names=_names(samples),
            paths=tuple(str(sample.source.path) for sample in samples),
            captions=captions,
            facts=tuple(sample.facts() for sample in samples),
            posterior=posterior,
            pixels_BCHW=pixels_BCHW,
            condition=self.conditions(captions) if self.conditions and samples else None,
            weights_B=_weights([sample.source.settings.weight for sample in samples]),
            mask_B1HW=self._masks(samples, shape),
            draw=Draw(*(tensor[part] for tensor in draw)),
            content=content,
            group_size=job.group_size,
            whole=len(whole_batch),
        )
        return batch if self.pin is None else batch.mapped(self.pin)

    def _latent_shape(self, count: int, bucket: Size) -> tuple[int, int, int, int]:
        width, height = (side // self.pixels_per_latent for side in bucket)
        return count, self.latent_channels, height, width

    def _pictures(
        self, samples: Sequence[_Sample], shape: Sequence[int]
    ) -> tuple[Tensor | None, LatentPosterior | None]:
        """Return pixels, or what the encoder made of them."""
        if not samples:  # there are more processes than samples
            empty = torch.empty(0, *shape[1:])
            return None, LatentPosterior(empty, empty)
        if self.store is None:
            return torch.stack([sample.pixels() for sample in samples]), None
        return None, _joined([sample.latent(self.store) for sample in samples])

    def _masks(self, samples: Sequence[_Sample], shape: Sequence[int]) -> Tensor | None:
        masks = [
            self.masks.of(
                sample.source,
                sample.cut,
                flip=sample.flip,
                pixels_per_latent=self.pixels_per_latent,
            )
            for sample in samples
        ]
        return batch_of_masks(masks, *shape[2:])

    def _sample(self, number: int, place: int, job: _Job) -> _Sample:
        source = self.sources[number]
        settings = source.settings
        caption = process_caption(
            source.caption,
            settings.captions,
            Moment(job.epoch + 1, job.step - 1, self.total_steps),
            caption_rng(self.seed, job.epoch, place),
        )
        flip = settings.pictures.flip_aug and is_flipped(self.seed, job.epoch, place)
        cut = source.cut(cut_rng(self.seed, job.epoch, place))
        colour = None
        if settings.pictures.color_aug:
            colour = draw_colour_change(colour_rng(self.seed, job.epoch, place))
        return _Sample(source, caption, flip, cut, colour)

    def _delivered(self, batch: Batch) -> Batch:
        """Bring a batch to the device; in the training thread, which owns it.

        What is encoded here stays there.
        """
        delivered = batch.to(self.device)
        if delivered.pixels_BCHW is None:
            return delivered
        return replace(delivered, pixels_BCHW=None, posterior=self.encode(delivered.pixels_BCHW))


@dataclass(frozen=True, slots=True)
class _Job:
    """A batch to be made: its order in the epoch, and its place in the run."""

    planned: PlannedBatch
    epoch: int
    step: int
    index: int
    group_size: int

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield the number of each picture, and the place of the sample in the epoch."""
        return zip(self.planned.pictures, itertools.count(self.planned.position), strict=False)


@dataclass(frozen=True, slots=True)
class _Sample:
    """A picture as this place of the epoch shows it."""

    source: Source
    caption: str
    flip: bool
    cut: Placement
    colour: ColourChange | None

    def pixels(self) -> Tensor:
        return self.source.pixels(flip=self.flip, placement=self.cut, colour=self.colour)

    def latent(self, store: LatentStore) -> tuple[Tensor, Tensor]:
        return store.get(self.source.latents[self.flip])

    def facts(self) -> SampleFacts:
        return SampleFacts(
            original=self.source.size,
            target=self.source.placement.bucket,
            is_flipped=self.flip,
            cut=self._moved_cut(),
        )

    def _moved_cut(self) -> Size | None:
        """Return where the cut begins, if that is not where it was planned."""
        if self.cut == self.source.placement:
            return None
        left, top = self.cut.crop_offset
        if self.flip:
            left = self.cut.resized[0] - self.cut.bucket[0] - left
        return left, top


def _names(samples: Sequence[_Sample]) -> tuple[str, ...]:
    return tuple(sample.source.name for sample in samples)


def _captions(samples: Sequence[_Sample]) -> tuple[str, ...]:
    return tuple(sample.caption for sample in samples)


def _joined(latents: Sequence[tuple[Tensor, Tensor]]) -> LatentPosterior:
    return LatentPosterior(*(torch.stack(part) for part in zip(*latents, strict=True)))


def _weights(weights: Sequence[float]) -> Tensor | None:
    return None if all(weight == 1 for weight in weights) else torch.tensor(weights)
