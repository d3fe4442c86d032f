"""The order of an epoch and its draws: pure functions of the seed and the place in the run.

Nothing is drawn from a running generator, so a resumed run needs no generator's state and the
number of threads that load pictures cannot change anything.
"""

from __future__ import annotations

import bisect
import itertools
import random
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

from trainer_core.dataset.pictures import Size
from trainer_core.seeds import derived_seed


class Pool(NamedTuple):
    """What samples must have in common to share a batch.

    Attributes:
        data_set: The number of their data set; see `trainer_core.dataset.subsets.data_sets`.
        bucket: Their training size.
        batch_size: Samples of a full batch.
    """

    data_set: int
    bucket: Size
    batch_size: int


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


class EpochOrder(Sequence[PlannedBatch]):
    """The batches of an epoch in their order, each made when it is asked for.

    With a million repeats an epoch has more samples than could be kept as objects: of each, no
    more than a few bytes are.
    """

    def __init__(self, samples: Mapping[Pool, Sequence[int]], rng: random.Random) -> None:
        """Draw the order of the batches; the samples of each pool are in theirs already."""
        self._pools = sorted(samples)
        self._samples = [samples[pool] for pool in self._pools]
        counts = [
            -(-len(numbers) // pool.batch_size)
            for pool, numbers in zip(self._pools, self._samples, strict=True)
        ]
        self._ends = list(itertools.accumulate(counts))
        self._order = array("I", range(sum(counts)))
        rng.shuffle(self._order)
        sizes = (len(self._cut(place)[1]) for place in range(len(self._order)))
        self._positions = array("Q", itertools.accumulate(sizes, initial=0))

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, place: int) -> PlannedBatch: ...
    @overload
    def __getitem__(self, place: slice) -> list[PlannedBatch]: ...
    def __getitem__(self, place: int | slice) -> PlannedBatch | list[PlannedBatch]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        place = range(len(self))[place]
        number, numbers = self._cut(place)
        return PlannedBatch(self._pools[number].bucket, tuple(numbers), self._positions[place])

    def _cut(self, place: int) -> tuple[int, Sequence[int]]:
        """Return the number of the pool and the samples of the batch at ``place``."""
        batch = self._order[place]
        number = bisect.bisect_right(self._ends, batch)
        size = self._pools[number].batch_size
        begin = (batch - (self._ends[number - 1] if number else 0)) * size
        return number, self._samples[number][begin : begin + size]


def epoch_batches(
    pools: Sequence[Pool], repeats: Sequence[int], *, seed: int, epoch: int
) -> EpochOrder:
    """Return the batches of an epoch, in order: every picture as often as it is repeated.

    Each pool's last batch may be smaller; no sample is left out or shown twice.

    Args:
        pools: The pool of each picture.
        repeats: How often each picture is shown.
        seed: The run's seed.
        epoch: Number of the epoch; each has another order.
    """
    rng = random.Random(derived_seed(seed, "order", epoch))
    samples: defaultdict[Pool, array[int]] = defaultdict(lambda: array("I"))
    for number, (pool, times) in enumerate(zip(pools, repeats, strict=True)):
        samples[pool] += array("I", [number]) * times
    for _, numbers in sorted(samples.items()):
        rng.shuffle(numbers)
    return EpochOrder(samples, rng)


def is_flipped(seed: int, epoch: int, position: int) -> bool:
    """Tell whether the sample at ``position`` of the epoch is mirrored: half of them are."""
    return derived_seed(seed, "flip", epoch, position) % 2 == 1


def caption_rng(seed: int, epoch: int, position: int) -> random.Random:
    """Return the generator for the caption of the sample at ``position`` of the epoch."""
    return random.Random(derived_seed(seed, "caption", epoch, position))


def cut_rng(seed: int, epoch: int, position: int) -> random.Random:
    """Return the generator for the cut of the sample at ``position`` of the epoch."""
    return random.Random(derived_seed(seed, "cut", epoch, position))


def colour_rng(seed: int, epoch: int, position: int) -> random.Random:
    """Return the generator for the colours of the sample at ``position`` of the epoch."""
    return random.Random(derived_seed(seed, "colour", epoch, position))
