"""The plan of a run: how many pictures, batches, steps and epochs, as they will really come."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trainer_core.catalogue.schedules import SCHEDULES
from trainer_core.dataset.batches import Pool
from trainer_core.dataset.buckets import Placement, too_thin
from trainer_core.dataset.index import Concept, DatasetIndex
from trainer_core.dataset.pictures import Size
from trainer_core.dataset.subsets import SampleKey, SettingsBySubset, data_sets
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
    """The pictures of one folder in one subset.

    Attributes:
        name: What the folder is called.
        pictures: In the folder.
        repeats: How often each is to be shown.
        samples: How often they are shown in an epoch, all together: pictures times repeats, or
            as many as go with the training pictures.
        is_reg: Whether they are regularisation pictures.
        subset: The number of the subset.
    """

    name: str
    pictures: int
    repeats: int
    samples: int
    is_reg: bool = False
    subset: int = 0

    @property
    def asked(self) -> int:
        """Pictures times repeats."""
        return self.pictures * self.repeats


@dataclass(frozen=True, slots=True)
class BucketCount:
    """The samples of an epoch that share a training size; of one data set where it says so."""

    resolution: Size
    samples: int
    batches: int
    data_set: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do.

    Attributes:
        concepts: The counts of each folder.
        pools: The counts of each bucket in use of each data set, sorted by both.
        placements: How each picture of each subset that an epoch shows is scaled and cut.
        has_buckets: False if there are no buckets in any subset.
        steps_per_epoch: Optimizer steps; the last one may have fewer batches than the others.
        total_steps: Optimizer steps of the run; the last epoch may end early.
        batches_in_full_step: Batches of an optimizer step: the accumulation.
        batches_in_last_step: Batches of an epoch's last step.
        largest_batch: Samples of a full batch, of the data set where it is largest.
    """

    concepts: tuple[ConceptCount, ...]
    pools: tuple[BucketCount, ...]
    placements: Mapping[SampleKey, Placement] = field(repr=False)
    has_buckets: bool
    steps_per_epoch: int
    total_steps: int
    warmup_steps: int
    batches_in_full_step: int
    batches_in_last_step: int
    largest_batch: int

    @property
    def pictures(self) -> int:
        """Picture files, each counted once, in however many subsets it stands."""
        return len({key.path for key in self.placements})

    @property
    def samples(self) -> int:
        """The samples of an epoch, regularisation pictures included."""
        return sum(concept.samples for concept in self.concepts)

    @property
    def reg_samples(self) -> int:
        """Those of regularisation pictures among them."""
        return sum(concept.samples for concept in self.concepts if concept.is_reg)

    @property
    def reg_asked(self) -> int:
        """Regularisation pictures times their repeats, before they are matched."""
        return sum(concept.asked for concept in self.concepts if concept.is_reg)

    @property
    def buckets(self) -> tuple[BucketCount, ...]:
        """The counts of each bucket in use, of all data sets together, sorted by resolution."""
        samples: Counter[Size] = Counter()
        batches: Counter[Size] = Counter()
        for pool in self.pools:
            samples[pool.resolution] += pool.samples
            batches[pool.resolution] += pool.batches
        return tuple(BucketCount(size, samples[size], batches[size]) for size in sorted(samples))

    @property
    def batches_per_epoch(self) -> int:
        """Forward passes of an epoch; every bucket rounds up by itself."""
        return sum(pool.batches for pool in self.pools)

    @property
    def epochs(self) -> int:
        """Epochs begun."""
        return math.ceil(self.total_steps / self.steps_per_epoch)

    @property
    def mean_ar_error(self) -> float:
        """How far the buckets' ratios are from the pictures': mean of the amounts."""
        return sum(abs(p.ar_error) for p in self.placements.values()) / len(self.placements)


def make_plan(
    index: DatasetIndex, sizes: Mapping[Path, Size], settings: SettingsBySubset, pace: Pace
) -> Plan:
    """Count what a run will do, exactly as the batches will come.

    Args:
        index: The pictures.
        sizes: The size of each file, upright.
        settings: Whose rules decide the buckets of each subset.
        pace: Batch size, accumulation and length.

    Raises:
        DatasetError: There is no picture, or one is too thin for any bucket.
    """
    if not index.trained:
        raise DatasetError(
            T("Errors", "There are no pictures in {path}."),
            T("Errors", "Choose a folder that holds pictures."),
            path=index.root,
        )
    placements = _placements(index, sizes, settings)
    pools = _pool_counts(index, placements, settings, pace.train_batch_size)
    batches = sum(pool.batches for pool in pools)
    steps_per_epoch = math.ceil(batches / pace.gradient_accumulation_steps)
    total_steps = pace.total_steps(steps_per_epoch)
    return Plan(
        concepts=tuple(_count(c, is_reg=settings[c.subset].is_reg) for c in index.concepts),
        pools=pools,
        placements=placements,
        has_buckets=any(each.rules.enable_bucket for each in settings.values()),
        steps_per_epoch=steps_per_epoch,
        total_steps=total_steps,
        warmup_steps=pace.warmup_steps(total_steps),
        batches_in_full_step=pace.gradient_accumulation_steps,
        batches_in_last_step=batches - (steps_per_epoch - 1) * pace.gradient_accumulation_steps,
        largest_batch=max(
            each.train_batch_size or pace.train_batch_size for each in settings.values()
        ),
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


def dataset_dirs(plan: Plan, *, is_reg: bool = False) -> dict[str, dict[str, int]]:
    """Return the value of ``ss_dataset_dirs``, or that of ``ss_reg_dataset_dirs``."""
    return {
        concept.name: {"n_repeats": concept.repeats, "img_count": concept.pictures}
        for concept in plan.concepts
        if concept.is_reg == is_reg
    }


def _placements(
    index: DatasetIndex, sizes: Mapping[Path, Size], settings: SettingsBySubset
) -> dict[SampleKey, Placement]:
    known: dict[tuple[int, Size], Placement | None] = {}
    placements: dict[SampleKey, Placement] = {}
    for picture in index.trained:
        size = sizes[picture.path]
        case = (picture.subset, size)
        if case not in known:
            known[case] = settings[picture.subset].rules.place(size)
        placement = known[case]
        if placement is None:
            raise too_thin(picture.path, size)
        placements[picture.key] = placement
    return placements


def pools_of(
    placements: Mapping[SampleKey, Placement],
    keys: Iterable[SampleKey],
    settings: SettingsBySubset,
    batch_size: int,
) -> list[Pool]:
    """Return what each sample shares with those that may be in its batch.

    Args:
        placements: How each picture is cut.
        keys: The pictures, in their order.
        settings: Of each subset.
        batch_size: Samples of a full batch where a subset has no other.
    """
    groups = data_sets(settings)
    sizes = {
        subset: batch_size if each.train_batch_size is None else each.train_batch_size
        for subset, each in settings.items()
    }
    return [Pool(groups[key.subset], placements[key].bucket, sizes[key.subset]) for key in keys]


def _pool_counts(
    index: DatasetIndex,
    placements: Mapping[SampleKey, Placement],
    settings: SettingsBySubset,
    batch_size: int,
) -> tuple[BucketCount, ...]:
    pictures = index.trained
    samples: Counter[Pool] = Counter()
    pools = pools_of(placements, (each.key for each in pictures), settings, batch_size)
    for pool, picture in zip(pools, pictures, strict=True):
        samples[pool] += picture.repeats
    return tuple(
        BucketCount(pool.bucket, count, math.ceil(count / pool.batch_size), pool.data_set)
        for pool, count in sorted(samples.items())
    )


def _count(concept: Concept, *, is_reg: bool) -> ConceptCount:
    return ConceptCount(
        concept.name,
        len(concept.pictures),
        concept.repeats,
        sum(picture.repeats for picture in concept.pictures),
        is_reg,
        concept.subset,
    )
