"""The order of an epoch and its draws: pure functions of the seed and the place in the run.

Nothing is drawn from a running generator, so a resumed run needs no generator's state and the
number of threads that load pictures cannot change anything.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from trainer_core.dataset.pictures import Size
from trainer_core.seeds import derived_seed


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """Pictures of one bucket that are trained together.

    Attributes:
        bucket: Their training size.
        pictures: Their numbers in the dataset; one may occur twice, as repeats are samples.
        position: Place of the first sample in the epoch; the others follow it.
    """

    bucket: Size
    pictures: tuple[int, ...]
    position: int


def epoch_batches(
    buckets: Sequence[Size],
    repeats: Sequence[int],
    *,
    batch_size: int,
    seed: int,
    epoch: int,
) -> list[PlannedBatch]:
    """Return the batches of an epoch, in order: every picture as often as it is repeated.

    Each bucket's last batch may be smaller; no sample is left out or shown twice.

    Args:
        buckets: The bucket of each picture.
        repeats: How often each picture is shown.
        batch_size: Samples of a full batch.
        seed: The run's seed.
        epoch: Number of the epoch; each has another order.
    """
    rng = random.Random(derived_seed(seed, "order", epoch))
    samples: defaultdict[Size, list[int]] = defaultdict(list)
    for number, (bucket, times) in enumerate(zip(buckets, repeats, strict=True)):
        samples[bucket] += [number] * times
    chunks: list[tuple[Size, tuple[int, ...]]] = []
    for bucket, numbers in sorted(samples.items()):
        rng.shuffle(numbers)
        starts = range(0, len(numbers), batch_size)
        chunks += [(bucket, tuple(numbers[start : start + batch_size])) for start in starts]
    rng.shuffle(chunks)
    batches: list[PlannedBatch] = []
    position = 0
    for bucket, chunk in chunks:
        batches.append(PlannedBatch(bucket, chunk, position))
        position += len(chunk)
    return batches


def is_flipped(seed: int, epoch: int, position: int) -> bool:
    """Tell whether the sample at ``position`` of the epoch is mirrored: half of them are."""
    return derived_seed(seed, "flip", epoch, position) % 2 == 1


def caption_rng(seed: int, epoch: int, position: int) -> random.Random:
    """Return the generator for the caption of the sample at ``position`` of the epoch."""
    return random.Random(derived_seed(seed, "caption", epoch, position))
