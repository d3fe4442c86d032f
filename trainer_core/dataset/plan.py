"""The plan of a run: how many pictures, batches, steps and epochs, as they will really come."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trainer_core.catalogue.schedules import SCHEDULES
from trainer_core.dataset.buckets import BucketRules, Placement, too_thin
from trainer_core.dataset.index import DatasetIndex
from trainer_core.dataset.pictures import Size
from trainer_core.errors import DatasetError
from trainer_core.texts import T


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The settings that decide how fast and how long is trained, by their own names.

    ``max_train_epochs`` overrides ``max_train_steps``, which overrides ``epoch``.
    ``lr_warmup`` is a percentage, overridden by ``lr_warmup_steps``.
    """

    train_batch_size: int
    gradient_accumulation_steps: int = 1
    epoch: int = 1
    max_train_epochs: int | None = None
    max_train_steps: int | None = None
    lr_scheduler: str = "constant"
    lr_warmup: float = 0.0
    lr_warmup_steps: int | None = None

    def total_steps(self, steps_per_epoch: int) -> int:
        """Return the optimizer steps of the whole run."""
        if self.max_train_epochs is not None:
            return self.max_train_epochs * steps_per_epoch
        if self.max_train_steps is not None:
            return self.max_train_steps
        return self.epoch * steps_per_epoch

    def warmup_steps(self, total_steps: int) -> int:
        """Return the steps over which the rate rises; some schedules know no warm-up."""
        if not SCHEDULES[self.lr_scheduler].has_warmup:
            return 0
        if self.lr_warmup_steps is not None:
            return self.lr_warmup_steps
        return round(self.lr_warmup * total_steps / 100)


@dataclass(frozen=True, slots=True)
class ConceptCount:
    """The pictures of one folder."""

    name: str
    pictures: int
    repeats: int

    @property
    def samples(self) -> int:
        """Pictures times repeats."""
        return self.pictures * self.repeats


@dataclass(frozen=True, slots=True)
class BucketCount:
    """The samples of an epoch that share a training size."""

    resolution: Size
    samples: int
    batches: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do.

    Attributes:
        concepts: The counts of each folder.
        buckets: The counts of each bucket in use, sorted by resolution.
        placements: How each picture is scaled and cut.
        has_buckets: False if there is one size for all.
        steps_per_epoch: Optimizer steps; the last one may have fewer batches than the others.
        total_steps: Optimizer steps of the run; the last epoch may end early.
        batches_in_full_step: Batches of an optimizer step: the accumulation.
        batches_in_last_step: Batches of an epoch's last step.
    """

    concepts: tuple[ConceptCount, ...]
    buckets: tuple[BucketCount, ...]
    placements: Mapping[Path, Placement] = field(repr=False)
    has_buckets: bool
    steps_per_epoch: int
    total_steps: int
    warmup_steps: int
    batches_in_full_step: int
    batches_in_last_step: int

    @property
    def pictures(self) -> int:
        """Pictures, each counted once."""
        return sum(concept.pictures for concept in self.concepts)

    @property
    def samples(self) -> int:
        """Pictures times repeats: the samples of an epoch."""
        return sum(concept.samples for concept in self.concepts)

    @property
    def batches_per_epoch(self) -> int:
        """Forward passes of an epoch; every bucket rounds up by itself."""
        return sum(bucket.batches for bucket in self.buckets)

    @property
    def epochs(self) -> int:
        """Epochs begun."""
        return math.ceil(self.total_steps / self.steps_per_epoch)

    @property
    def mean_ar_error(self) -> float:
        """How far the buckets' ratios are from the pictures': mean of the amounts."""
        return sum(abs(p.ar_error) for p in self.placements.values()) / len(self.placements)


def make_plan(
    index: DatasetIndex, sizes: Mapping[Path, Size], rules: BucketRules, pace: Pace
) -> Plan:
    """Count what a run will do, exactly as the batches will come.

    Args:
        index: The pictures.
        sizes: The size of each of them, upright.
        rules: What decides the buckets.
        pace: Batch size, accumulation and length.

    Raises:
        DatasetError: There is no picture, or one is too thin for any bucket.
    """
    if not index.concepts:
        raise DatasetError(
            T("Errors", "There are no pictures in {path}."),
            T("Errors", "Choose a folder that holds pictures."),
            path=index.root,
        )
    placements = _placements(index, sizes, rules)
    buckets = _bucket_counts(index, placements, pace.train_batch_size)
    batches = sum(bucket.batches for bucket in buckets)
    steps_per_epoch = math.ceil(batches / pace.gradient_accumulation_steps)
    total_steps = pace.total_steps(steps_per_epoch)
    return Plan(
        concepts=tuple(ConceptCount(c.name, len(c.pictures), c.repeats) for c in index.concepts),
        buckets=buckets,
        placements=placements,
        has_buckets=rules.enable_bucket,
        steps_per_epoch=steps_per_epoch,
        total_steps=total_steps,
        warmup_steps=pace.warmup_steps(total_steps),
        batches_in_full_step=pace.gradient_accumulation_steps,
        batches_in_last_step=batches - (steps_per_epoch - 1) * pace.gradient_accumulation_steps,
    )


def bucket_info(plan: Plan) -> dict[str, object] | None:
    """Return the value of ``ss_bucket_info``; None if there is one size for all."""
    if not plan.has_buckets:
        return None
    buckets = {
        str(number): {"resolution": list(bucket.resolution), "count": bucket.samples}
        for number, bucket in enumerate(plan.buckets)
    }
    return {"buckets": buckets, "mean_img_ar_error": plan.mean_ar_error}


def dataset_dirs(plan: Plan) -> dict[str, dict[str, int]]:
    """Return the value of ``ss_dataset_dirs``."""
    return {
        concept.name: {"n_repeats": concept.repeats, "img_count": concept.pictures}
        for concept in plan.concepts
    }


def _placements(
    index: DatasetIndex, sizes: Mapping[Path, Size], rules: BucketRules
) -> dict[Path, Placement]:
    by_size = {size: rules.place(size) for size in set(sizes.values())}
    placements: dict[Path, Placement] = {}
    for picture in index.pictures:
        size = sizes[picture.path]
        placement = by_size[size]
        if placement is None:
            raise too_thin(picture.path, size)
        placements[picture.path] = placement
    return placements


def _bucket_counts(
    index: DatasetIndex, placements: Mapping[Path, Placement], batch_size: int
) -> tuple[BucketCount, ...]:
    samples: Counter[Size] = Counter()
    for picture in index.pictures:
        samples[placements[picture.path].bucket] += picture.repeats
    return tuple(
        BucketCount(resolution, count, math.ceil(count / batch_size))
        for resolution, count in sorted(samples.items())
    )
