"""The order of an epoch: whole, by bucket, and repeatable from the seed alone."""

from __future__ import annotations

import itertools
import tracemalloc
from collections import Counter

import pytest

from trainer_core.dataset.batches import (
    PlannedBatch,
    Pool,
    caption_rng,
    epoch_batches,
    is_flipped,
)
from trainer_core.seeds import derived_seed

WIDE, TALL = (640, 384), (384, 640)
BUCKETS = [WIDE, TALL, WIDE, WIDE, TALL]
REPEATS = [3, 1, 2, 4, 2]


def batches_of(seed: int = 7, epoch: int = 1, batch_size: int = 4) -> list[PlannedBatch]:
    pools = [Pool(0, bucket, batch_size) for bucket in BUCKETS]
    return list(epoch_batches(pools, REPEATS, seed=seed, epoch=epoch))


@pytest.mark.parametrize("batch_size", [1, 2, 4, 100])
def test_every_picture_comes_exactly_as_often_as_it_is_repeated(batch_size: int) -> None:
    shown = Counter(n for batch in batches_of(batch_size=batch_size) for n in batch.pictures)
    assert shown == Counter(dict(enumerate(REPEATS)))


def test_a_batch_holds_one_bucket() -> None:
    for batch in batches_of():
        assert {BUCKETS[number] for number in batch.pictures} == {batch.bucket}


def test_remainders_are_kept_and_each_bucket_rounds_up_by_itself() -> None:
    # 9 wide samples: 4 + 4 + 1; 3 tall ones: 3.
    assert sorted(len(batch.pictures) for batch in batches_of()) == [1, 3, 4, 4]


def test_positions_count_through_the_epoch() -> None:
    batches = batches_of()
    lengths = [len(batch.pictures) for batch in batches]
    assert [batch.position for batch in batches] == [sum(lengths[:i]) for i in range(len(batches))]


def test_the_same_seed_and_epoch_give_the_same_order() -> None:
    assert batches_of(seed=7, epoch=3) == batches_of(seed=7, epoch=3)


@pytest.mark.parametrize(("seed", "epoch"), [(8, 1), (7, 2)])
def test_another_seed_or_epoch_gives_another_order(seed: int, epoch: int) -> None:
    assert batches_of(seed, epoch, batch_size=1) != batches_of(7, 1, batch_size=1)


def test_an_order_is_asked_like_a_list_of_its_batches() -> None:
    batches = batches_of(batch_size=2)
    order = epoch_batches([Pool(0, each, 2) for each in BUCKETS], REPEATS, seed=7, epoch=1)
    assert len(order) == len(batches)
    assert order[1:4] == batches[1:4]
    assert order[-1] == batches[-1]
    with pytest.raises(IndexError):
        order[len(batches)]


def test_an_epoch_of_many_repeats_is_made_of_a_few_bytes_a_sample() -> None:
    tracemalloc.start()
    pools = [Pool(0, WIDE, 1), Pool(0, TALL, 1)]
    order = epoch_batches(pools, [100_000] * 2, seed=1, epoch=0)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(order) == 200_000
    assert most < 24 * len(order)


def test_batches_of_one_bucket_do_not_stay_together() -> None:
    pools = [Pool(0, WIDE, 5)] * 50 + [Pool(0, TALL, 5)] * 50
    batches = epoch_batches(pools, [1] * 100, seed=1, epoch=1)
    changes = sum(a.bucket != b.bucket for a, b in itertools.pairwise(batches))
    assert changes > 1


def test_data_sets_share_no_batch_and_have_their_own_batch_size() -> None:
    pools = [Pool(0, WIDE, 2)] * 3 + [Pool(1, WIDE, 4)] * 6
    batches = list(epoch_batches(pools, [1] * 9, seed=1, epoch=0))
    # 3 pictures in batches of 2, and 6 in batches of 4.
    assert sorted(len(batch.pictures) for batch in batches) == [1, 2, 2, 4]
    assert all(len({number < 3 for number in batch.pictures}) == 1 for batch in batches)
    assert sorted(n for batch in batches for n in batch.pictures) == list(range(9))


def test_half_of_the_samples_are_flipped() -> None:
    flipped = sum(is_flipped(42, epoch, place) for epoch in range(10) for place in range(1000))
    # 10,000 fair coins: mean 5000, deviation 50.
    assert abs(flipped - 5000) < 5 * 50


def test_a_sample_is_flipped_anew_in_every_epoch() -> None:
    assert len({is_flipped(42, epoch, 0) for epoch in range(64)}) == 2


def test_the_draws_of_a_caption_depend_on_seed_epoch_and_position_alone() -> None:
    assert caption_rng(1, 2, 3).random() == caption_rng(1, 2, 3).random()
    places = [(1, 2, 3), (2, 2, 3), (1, 3, 3), (1, 2, 4), (12, 3, 0), (1, 23, 0)]
    assert len({caption_rng(*place).random() for place in places}) == len(places)


def test_purposes_draw_independently() -> None:
    assert derived_seed(1, "flip", 2, 3) != derived_seed(1, "caption", 2, 3)
