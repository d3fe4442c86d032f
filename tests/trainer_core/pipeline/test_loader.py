"""Batches come in the order of the epoch, whatever fetches them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
import torch
from torch import Tensor

from trainer_core.dataset.batches import Batch, caption_rng, epoch_batches, is_flipped
from trainer_core.dataset.captions import process_caption
from trainer_core.errors import DatasetError
from trainer_core.pipeline import loader as prepare
from trainer_core.pipeline.cache import fill, with_keys
from trainer_core.pipeline.decode import load_pixels
from trainer_core.pipeline.latents import FileHashes, LatentStore, Posterior
from trainer_core.pipeline.loader import BatchLoader, Group, Source

SEED, BATCH_SIZE = 5, 2
ACCUMULATION = 2


class Encoder(Protocol):
    def __call__(self, pixels_BCHW: Tensor) -> tuple[Tensor, Tensor]: ...


LoaderOf = Callable[..., BatchLoader]


@pytest.fixture
def loader_of(sources: list[Source], encoder: Encoder) -> LoaderOf:
    """Return a loader of the sources, without a cache unless told otherwise."""

    def build(**options: Any) -> BatchLoader:
        usual: dict[str, Any] = {
            "sources": sources,
            "batch_size": BATCH_SIZE,
            "accumulation": ACCUMULATION,
            "seed": SEED,
            "flip": True,
            "shuffle_caption": True,
            "keep_tokens": 1,
            "threads": 0,
            "store": None,
            "encode": encoder,
        }
        return BatchLoader(**(usual | options))

    return build


@pytest.fixture
def cached(sources: list[Source], tmp_path: Path, encoder: Encoder) -> dict[str, Any]:
    """Options of a loader whose latents are in a store."""
    store = LatentStore(None)
    keyed = with_keys(sources, FileHashes(tmp_path), flip=True, encoder="vae")
    fill(store, keyed, encoder, batch_size=1, threads=1, progress=lambda *_: None)
    return {"store": store, "sources": keyed}


class LateStore:
    """Gives the first latent only when another thread has asked for one."""

    def __init__(self, store: LatentStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._first: int | None = None
        self._other_asked = threading.Event()

    def get(self, key: str) -> Posterior:
        this = threading.get_ident()
        with self._lock:
            is_first = self._first is None
            self._first = self._first or this
        if is_first:
            assert self._other_asked.wait(30)
        elif this != self._first:
            self._other_asked.set()
        return self._store.get(key)


class CountingStore:
    """Counts the latents that were asked for."""

    def __init__(self, store: LatentStore) -> None:
        self._store = store
        self.asked = 0

    def get(self, key: str) -> Posterior:
        self.asked += 1
        return self._store.get(key)


def order(sources: Sequence[Source], epoch: int) -> list[Batch]:
    return epoch_batches(
        [source.placement.bucket for source in sources],
        [source.repeats for source in sources],
        batch_size=BATCH_SIZE,
        seed=SEED,
        epoch=epoch,
    )


def content(groups: Sequence[Group]) -> list[Any]:
    """Return all that training sees of some groups, as plain data."""
    return [
        (
            each.names,
            each.captions,
            each.mean_BCHW.tolist(),
            each.std_BCHW.tolist(),
            each.group_size,
        )
        for group in groups
        for each in group.batches
    ]


def loader_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("loader")]


# ------------------------------------------------------------------ order and content


def test_the_order_is_that_of_the_epoch(loader_of: LoaderOf, sources: list[Source]) -> None:
    batches = [each for group in loader_of().groups(3) for each in group.batches]

    assert [each.names for each in batches] == [
        tuple(sources[number].name for number in batch.pictures) for batch in order(sources, 3)
    ]


def test_an_epoch_shows_every_picture_as_often_as_it_is_repeated(
    loader_of: LoaderOf, sources: list[Source]
) -> None:
    shown = Counter(
        name for group in loader_of().groups(0) for each in group.batches for name in each.names
    )

    assert shown == {source.name: source.repeats for source in sources}


def test_flips_and_captions_are_those_of_the_place_in_the_epoch(
    loader_of: LoaderOf, sources: list[Source], encoder: Encoder
) -> None:
    batches = [each for group in loader_of().groups(2) for each in group.batches]

    flips = set()
    for each, batch in zip(batches, order(sources, 2), strict=True):
        for row, number in enumerate(batch.pictures):
            place, source = batch.position + row, sources[number]
            flip = is_flipped(SEED, 2, place)
            flips.add(flip)
            pixels = load_pixels(source.path, source.placement, flip=flip)
            torch.testing.assert_close(each.mean_BCHW[row], encoder(pixels[None])[0][0])
            assert each.captions[row] == process_caption(
                source.caption, shuffle=True, keep_tokens=1, rng=caption_rng(SEED, 2, place)
            )
    assert flips == {False, True}


def test_without_flips_and_shuffling_everything_stays_as_it_is(
    loader_of: LoaderOf, sources: list[Source], encoder: Encoder
) -> None:
    by_name = {source.name: source for source in sources}
    loader = loader_of(flip=False, shuffle_caption=False)

    for group in loader.groups(0):
        for each in group.batches:
            for name, caption, mean in zip(each.names, each.captions, each.mean_BCHW, strict=True):
                source = by_name[name]
                pixels = load_pixels(source.path, source.placement, flip=False)
                torch.testing.assert_close(mean, encoder(pixels[None])[0][0])
                assert caption == source.caption


def test_epochs_differ(loader_of: LoaderOf) -> None:
    loader = loader_of()

    assert content(list(loader.groups(0))) != content(list(loader.groups(1)))


def test_an_epoch_can_be_had_twice(loader_of: LoaderOf) -> None:
    loader = loader_of()

    assert content(list(loader.groups(1))) == content(list(loader.groups(1)))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_number_of_threads_changes_nothing(loader_of: LoaderOf, threads: int) -> None:
    assert content(list(loader_of(threads=threads).groups(0))) == content(
        list(loader_of().groups(0))
    )


def test_the_order_holds_though_later_batches_are_ready_first(
    loader_of: LoaderOf, cached: dict[str, Any]
) -> None:
    expected = content(list(loader_of(**cached).groups(0)))

    late = LateStore(cached["store"])
    assert content(list(loader_of(**cached | {"store": late}, threads=2).groups(0))) == expected


def test_cached_latents_are_those_of_the_pixels(
    loader_of: LoaderOf, cached: dict[str, Any]
) -> None:
    from_cache = [each for group in loader_of(**cached).groups(0) for each in group.batches]
    from_pixels = [each for group in loader_of().groups(0) for each in group.batches]

    for one, other in zip(from_cache, from_pixels, strict=True):
        torch.testing.assert_close(one.mean_BCHW, other.mean_BCHW)
        torch.testing.assert_close(one.std_BCHW, other.std_BCHW)


def test_cached_latents_are_not_encoded_again(
    loader_of: LoaderOf, cached: dict[str, Any], encoder: Any
) -> None:
    encoder.batches.clear()

    assert list(loader_of(**cached).groups(0))
    assert encoder.batches == []


# ------------------------------------------------------------------ groups and resuming


@pytest.mark.parametrize("accumulation", [1, 2, 3, 100])
def test_a_group_holds_the_batches_of_one_step(
    loader_of: LoaderOf, sources: list[Source], accumulation: int
) -> None:
    batches = len(order(sources, 0))
    groups = list(loader_of(accumulation=accumulation).groups(0))

    full, rest = divmod(batches, accumulation)
    assert [len(g.batches) for g in groups] == [accumulation] * full + [rest] * (rest > 0)
    assert all(each.group_size == len(g.batches) for g in groups for each in g.batches)


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("steps", [0, 1, 2])
def test_an_epoch_goes_on_exactly_where_it_was_left(
    loader_of: LoaderOf, threads: int, steps: int
) -> None:
    loader = loader_of(threads=threads)
    whole = list(loader.groups(1))
    done = sum(len(group.batches) for group in whole[:steps])

    assert content(list(loader.groups(1, skip_batches=done))) == content(whole[steps:])


def test_skipped_batches_are_not_read(loader_of: LoaderOf, sources: list[Source]) -> None:
    skipped, *rest = order(sources, 1)
    others = {number for batch in rest for number in batch.pictures}
    for number in set(skipped.pictures) - others:
        sources[number].path.unlink()
    loader = loader_of(accumulation=1)

    assert len(list(loader.groups(1, skip_batches=1))) == len(rest)


def test_waiting_for_data_is_measured(loader_of: LoaderOf) -> None:
    assert all(group.waited_s >= 0 for group in loader_of(threads=1).groups(0))


# ------------------------------------------------------------------ ends


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_a_picture_that_cannot_be_read_is_named_and_no_thread_is_left(
    loader_of: LoaderOf, sources: list[Source], threads: int
) -> None:
    sources[4].path.write_bytes(b"no picture")

    with pytest.raises(DatasetError, match=r"4\.png"):
        list(loader_of(threads=threads).groups(0))
    assert loader_threads() == []


def test_an_epoch_that_ends_leaves_no_thread(loader_of: LoaderOf) -> None:
    list(loader_of(threads=3).groups(0))

    assert loader_threads() == []


def test_an_epoch_that_is_left_early_leaves_no_thread(loader_of: LoaderOf) -> None:
    groups = loader_of(threads=3).groups(0)
    next(groups)
    assert loader_threads()

    groups.close()
    assert loader_threads() == []


class EagerPool:
    """Does at once what it is given, so that what was given can be counted."""

    def __init__(self, threads: int, **options: object) -> None:
        pass

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(work(*arguments))
        return future

    def shutdown(self, **options: object) -> None:
        pass


def test_threads_run_only_a_little_ahead(
    loader_of: LoaderOf, cached: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "ThreadPoolExecutor", EagerPool)
    store = CountingStore(cached["store"])
    many = [replace(source, repeats=20) for source in cached["sources"]]
    loader = loader_of(sources=many, store=store, batch_size=1, accumulation=1, threads=3)

    next(loader.groups(0))
    assert store.asked == 1 + 2 * 3  # the one that was delivered, and two a thread
