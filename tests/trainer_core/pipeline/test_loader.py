"""Batches come in the order of the epoch, whatever fetches them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import fields, replace
from operator import is_
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pytest
import torch
from PIL import Image
from torch import Tensor

from trainer_core.dataset.augmentation.colours import draw_colour_change
from trainer_core.dataset.augmentation.crops import random_cut
from trainer_core.dataset.batches import (
    PlannedBatch,
    Pool,
    caption_rng,
    colour_rng,
    cut_rng,
    epoch_batches,
    is_flipped,
)
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.masks.folder import Mask
from trainer_core.dataset.processing.captions import Moment, process_caption
from trainer_core.dataset.subsets import SampleKey
from trainer_core.errors import DatasetError
from trainer_core.families.base import LatentPosterior
from trainer_core.families.condition import Condition, SampleFacts
from trainer_core.objectives.diffusion import DDPM
from trainer_core.objectives.objective import Objective
from trainer_core.pipeline import loader as prepare
from trainer_core.pipeline.batch import Batch
from trainer_core.pipeline.file_hashes import FileHashes
from trainer_core.pipeline.filling import fill, plan_latents
from trainer_core.pipeline.latents import LatentStore, Posterior
from trainer_core.pipeline.loader import BatchLoader, Group
from trainer_core.pipeline.sources import Source
from trainer_core.runtime.draws import generator

SEED, BATCH_SIZE, TOTAL_STEPS = 5, 2, 20
ACCUMULATION = 2
OBJECTIVE = Objective.plain(DDPM(torch.linspace(0.99, 0.01, 1000)))
CPU = torch.device("cpu")


class Encoder(Protocol):
    def __call__(self, pixels_BCHW: Tensor) -> LatentPosterior: ...


LoaderOf = Callable[..., BatchLoader]


@pytest.fixture
def sources(sources: list[Source]) -> list[Source]:
    """The usual pictures, flipped and shuffled."""
    return [having(each, flip_aug=True, shuffle_caption=True, keep_tokens=1) for each in sources]


def having(source: Source, **settings: Any) -> Source:
    """Return a source with other settings."""
    return replace(source, settings=source.settings.having(**settings))


@pytest.fixture
def loader_of(sources: list[Source], encoder: Encoder) -> LoaderOf:
    """Return a loader of the sources, without a cache unless told otherwise."""

    def build(**options: Any) -> BatchLoader:
        usual: dict[str, Any] = {
            "sources": sources,
            "batch_size": BATCH_SIZE,
            "accumulation": ACCUMULATION,
            "seed": SEED,
            "total_steps": TOTAL_STEPS,
            "threads": 0,
            "store": None,
            "encode": encoder,
            "latent_channels": 3,
            "pixels_per_latent": 4,
            "draw": OBJECTIVE.draw,
            "device": CPU,
        }
        return BatchLoader(**(usual | options))

    return build


@pytest.fixture
def cached(sources: list[Source], tmp_path: Path, encoder: Encoder) -> dict[str, Any]:
    """Options of a loader whose latents are in a store."""
    store = LatentStore(None)
    plan = plan_latents(sources, FileHashes(tmp_path), encoder="vae", batch_size=1)
    shape_of = lambda bucket: (3, bucket[1] // 4, bucket[0] // 4)  # noqa: E731
    how = {"threads": 1, "progress": lambda *_: None}
    fill(store, plan.groups, encoder, shape_of=shape_of, **how)
    return {"store": store, "sources": plan.sources}


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


def order(sources: Sequence[Source], epoch: int) -> list[PlannedBatch]:
    order = epoch_batches(
        [Pool(0, source.placement.bucket, BATCH_SIZE) for source in sources],
        [source.repeats for source in sources],
        seed=SEED,
        epoch=epoch,
    )
    return list(order)


def content(groups: Sequence[Group]) -> list[Any]:
    """Return all that training sees of some groups, as plain data."""
    return [
        (
            each.names,
            each.captions,
            each.facts,
            [part.tolist() for part in encoded(each)],
            [part.tolist() for part in each.draw],
            each.content,
            each.group_size,
        )
        for group in groups
        for each in group.batches
    ]


def encoded(batch: Batch) -> LatentPosterior:
    assert batch.pixels_BCHW is None
    assert batch.posterior is not None
    return batch.posterior


def epoch_of(loader: BatchLoader, epoch: int = 0, *, first_step: int = 1) -> list[Group]:
    return list(loader.groups(epoch, first_step=first_step))


def batches_of(loader: BatchLoader, epoch: int = 0) -> list[Batch]:
    return [each for group in epoch_of(loader, epoch) for each in group.batches]


def loader_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("loader")]


# ------------------------------------------------------------------ order and content


def test_the_order_is_that_of_the_epoch(loader_of: LoaderOf, sources: list[Source]) -> None:
    batches = batches_of(loader_of(), 3)

    assert [each.names for each in batches] == [
        tuple(sources[number].name for number in batch.pictures) for batch in order(sources, 3)
    ]


def test_an_epoch_shows_every_picture_as_often_as_it_is_repeated(
    loader_of: LoaderOf, sources: list[Source]
) -> None:
    shown = Counter(name for each in batches_of(loader_of()) for name in each.names)

    assert shown == {source.name: source.repeats for source in sources}


def test_flips_and_captions_are_those_of_the_place_in_the_epoch(
    loader_of: LoaderOf, sources: list[Source], encoder: Encoder
) -> None:
    batches = batches_of(loader_of(), 2)

    flips = set()
    for each, batch in zip(batches, order(sources, 2), strict=True):
        for row, number in enumerate(batch.pictures):
            place, source = batch.position + row, sources[number]
            flip = is_flipped(SEED, 2, place)
            flips.add(flip)
            pixels = source.pixels(flip=flip)
            torch.testing.assert_close(encoded(each).mean_BCHW[row], encoder(pixels[None])[0][0])
            assert each.captions[row] == process_caption(
                source.caption, source.settings.captions, Moment(3), caption_rng(SEED, 2, place)
            )
    assert flips == {False, True}


def test_without_flips_and_shuffling_everything_stays_as_it_is(
    loader_of: LoaderOf, sources: list[Source], encoder: Encoder
) -> None:
    by_name = {source.name: source for source in sources}
    plain = [having(source, flip_aug=False, shuffle_caption=False) for source in sources]

    for each in batches_of(loader_of(sources=plain)):
        means_BCHW = encoded(each).mean_BCHW
        for name, caption, mean in zip(each.names, each.captions, means_BCHW, strict=True):
            source = by_name[name]
            pixels = source.pixels(flip=False)
            torch.testing.assert_close(mean, encoder(pixels[None])[0][0])
            assert caption == source.caption


def test_captions_are_dropped_in_the_epochs_that_are_counted_from_1(
    loader_of: LoaderOf, sources: list[Source]
) -> None:
    dropping = [having(source, caption_dropout_every_n_epochs=2) for source in sources]
    loader = loader_of(sources=dropping)
    dropped = [
        {each == "" for b in batches_of(loader, epoch) for each in b.captions} for epoch in range(4)
    ]
    assert dropped == [{False}, {True}, {False}, {True}]


def test_tags_warm_up_with_the_steps_that_are_done(
    loader_of: LoaderOf, sources: list[Source]
) -> None:
    rules = {"shuffle_caption": False, "keep_tokens": 0, "flip_aug": False}
    warming = [
        replace(having(source, token_warmup_step=0.2, **rules), caption="a, b, c, d")
        for source in sources
    ]
    # A fifth of all steps: one tag at first, and one more each time a quarter of them is done.
    loader = loader_of(sources=warming)
    groups = loader.groups(0, first_step=1)
    counts = [{len(c.split(", ")) for b in g.batches for c in b.captions} for g in groups]
    assert counts[:2] == [{1}, {1}]
    later = next(iter(loader.groups(0, first_step=5)))
    assert {c for b in later.batches for c in b.captions} == {"a, b, c, d"}


def test_epochs_differ(loader_of: LoaderOf) -> None:
    loader = loader_of()

    assert content(epoch_of(loader, 0)) != content(epoch_of(loader, 1))


def test_an_epoch_can_be_had_twice(loader_of: LoaderOf) -> None:
    loader = loader_of()

    assert content(epoch_of(loader, 1)) == content(epoch_of(loader, 1))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_number_of_threads_changes_nothing(loader_of: LoaderOf, threads: int) -> None:
    assert content(epoch_of(loader_of(threads=threads), 0)) == content(epoch_of(loader_of(), 0))


def test_the_order_holds_though_later_batches_are_ready_first(
    loader_of: LoaderOf, cached: dict[str, Any]
) -> None:
    expected = content(epoch_of(loader_of(**cached), 0))

    late = LateStore(cached["store"])
    assert content(epoch_of(loader_of(**cached | {"store": late}, threads=2), 0)) == expected


def test_cached_latents_are_those_of_the_pixels(
    loader_of: LoaderOf, cached: dict[str, Any]
) -> None:
    from_cache = batches_of(loader_of(**cached), 0)
    from_pixels = batches_of(loader_of(), 0)

    for one, other in zip(from_cache, from_pixels, strict=True):
        torch.testing.assert_close(encoded(one), encoded(other))


def test_cached_latents_are_not_encoded_again(
    loader_of: LoaderOf, cached: dict[str, Any], encoder: Any
) -> None:
    encoder.batches.clear()

    assert epoch_of(loader_of(**cached), 0)
    assert encoder.batches == []


# ------------------------------------------------------------------ what is drawn and looked up


@pytest.mark.parametrize("is_cached", [False, True])
def test_a_batch_is_drawn_for_by_seed_step_and_place_in_the_step(
    loader_of: LoaderOf, cached: dict[str, Any], is_cached: bool
) -> None:
    groups = epoch_of(loader_of(**cached if is_cached else {}), first_step=11)

    for step, group in enumerate(groups, start=11):
        for index, each in enumerate(group.batches):
            draws = generator(SEED, "step", step, index)
            expected = OBJECTIVE.draw(encoded(each).mean_BCHW.shape, draws)
            assert all(map(torch.equal, each.draw, expected))


def test_what_a_hash_is_taken_of_is_ready(loader_of: LoaderOf) -> None:
    for each in batches_of(loader_of()):
        words = repr((each.names, each.captions)).encode()
        noise, timesteps = each.draw.noise_BCHW.numpy(), each.draw.timesteps_B.numpy()
        assert each.content == words + noise.tobytes() + timesteps.tobytes()


def test_facts_tell_where_the_pixels_come_from(loader_of: LoaderOf, sources: list[Source]) -> None:
    for each, batch in zip(batches_of(loader_of(), 2), order(sources, 2), strict=True):
        for row, number in enumerate(batch.pictures):
            source = sources[number]
            assert each.facts[row] == SampleFacts(
                original=source.size,
                target=source.placement.bucket,
                is_flipped=is_flipped(SEED, 2, batch.position + row),
            )


# ------------------------------------------------------------------ what varies


@pytest.fixture
def varied(sources: list[Source]) -> list[Source]:
    """Pictures whose cut and colours differ from one showing to the next."""
    narrow = [
        replace(each, placement=replace(each.placement, bucket=(32, 32), crop_offset=(16, 0)))
        for each in sources
    ]
    return [having(each, random_crop=True, color_aug=True) for each in narrow]


def test_cuts_and_colours_are_those_of_the_place_in_the_epoch(
    loader_of: LoaderOf, varied: list[Source], encoder: Encoder
) -> None:
    cuts, changes = set(), set()
    planned = order(varied, 2)
    for each, batch in zip(batches_of(loader_of(sources=varied), 2), planned, strict=True):
        for row, number in enumerate(batch.pictures):
            place, source = batch.position + row, varied[number]
            cut = random_cut(source.placement, cut_rng(SEED, 2, place))
            change = draw_colour_change(colour_rng(SEED, 2, place))
            flip = is_flipped(SEED, 2, place)
            pixels = source.pixels(flip=flip, placement=cut, colour=change)
            torch.testing.assert_close(encoded(each).mean_BCHW[row], encoder(pixels[None])[0][0])
            left, top = cut.crop_offset
            if cut == source.placement:
                expected = None
            elif flip:
                expected = (cut.resized[0] - 32 - left, top)
            else:
                expected = (left, top)
            assert each.facts[row].cut == expected
            cuts.add(cut.crop_offset)
            changes.add(change)
    assert len(cuts) > 4
    assert len(changes) > 1


@pytest.mark.parametrize("threads", [1, 4])
def test_what_varies_is_the_same_for_any_number_of_threads(
    loader_of: LoaderOf, varied: list[Source], threads: int
) -> None:
    alone = content(epoch_of(loader_of(sources=varied), 1))

    assert content(epoch_of(loader_of(sources=varied, threads=threads), 1)) == alone
    assert content(epoch_of(loader_of(sources=varied), 2)) != alone


def test_a_face_is_in_the_middle_of_the_cut(
    loader_of: LoaderOf, sources: list[Source], tmp_path: Path
) -> None:
    path = tmp_path / "a_100_60_16_16.png"
    Image.new("RGB", (200, 120)).save(path)
    rules = BucketRules((64, 64), enable_bucket=False)
    placement = rules.place((200, 120))
    assert placement is not None
    source = replace(
        having(sources[0], rules=rules, face_crop_aug_range=(4.0, 4.0), flip_aug=False),
        key=SampleKey(0, path),
        size=(200, 120),
        placement=placement,
    )

    # The shorter side, 64, is 4 times the face of 16: nothing is scaled.
    [batch, *_] = batches_of(loader_of(sources=[source]))
    assert batch.facts[0].cut == (100 - 32, 60 - 32)


# ------------------------------------------------------------------ masks


def test_a_batch_has_the_masks_of_its_samples(
    loader_of: LoaderOf, sources: list[Source], tmp_path: Path
) -> None:
    left_half = Image.new("L", (64, 64))
    left_half.paste(255, (0, 0, 32, 64))
    left_half.save(tmp_path / "mask.png")
    masked = replace(sources[0], mask=Mask(tmp_path / "mask.png", (64, 64)))
    expected = torch.zeros(1, 16, 16)
    expected[..., :8] = 1.0

    for each in batches_of(loader_of(sources=[masked, *sources[1:]], threads=2)):
        if masked.name not in each.names:
            assert each.mask_B1HW is None
            continue
        assert each.mask_B1HW is not None
        for name, facts, mask in zip(each.names, each.facts, each.mask_B1HW, strict=True):
            if name != masked.name:
                assert torch.equal(mask, torch.ones(1, 16, 16))
            else:
                assert torch.equal(mask, expected.flip(-1) if facts.is_flipped else expected)


def test_a_picture_that_is_replaced_in_mid_run_is_named(
    loader_of: LoaderOf, sources: list[Source]
) -> None:
    groups = loader_of(batch_size=1).groups(0, first_step=1)
    next(groups)
    for source in sources:
        Image.new("RGB", (48, 48)).save(source.path)

    with pytest.raises(DatasetError, match=r"png has changed since the start: it is 48 x 48"):
        list(groups)


def features(captions: Sequence[str]) -> Condition:
    return Condition({"text": torch.tensor([[[float(len(caption))]] for caption in captions])})


def test_conditions_are_looked_up_in_the_threads(loader_of: LoaderOf) -> None:
    names: set[str] = set()

    def noted(captions: Sequence[str]) -> Condition:
        names.add(threading.current_thread().name)
        return features(captions)

    for each in batches_of(loader_of(threads=2, conditions=noted)):
        assert each.condition is not None
        assert torch.equal(each.condition["text"], features(each.captions)["text"])
    assert all(name.startswith("loader") for name in names)


def test_without_conditions_they_are_left_to_training(loader_of: LoaderOf) -> None:
    assert all(each.condition is None for each in batches_of(loader_of()))


def test_samples_of_one_weight_have_none(loader_of: LoaderOf, sources: list[Source]) -> None:
    assert all(each.weights_B is None for each in batches_of(loader_of()))


def test_a_sample_has_the_weight_of_its_subset(loader_of: LoaderOf, sources: list[Source]) -> None:
    weights = {source.name: 1.0 + 0.5 * number for number, source in enumerate(sources)}
    weighed = [having(source, weight=weights[source.name]) for source in sources]

    for each in batches_of(loader_of(sources=weighed)):
        expected = [weights[name] for name in each.names]
        assert expected == [1.0] * len(each) or each.weights_B is not None
        assert each.weights_B is None or each.weights_B.tolist() == expected


# ------------------------------------------------------------------ to the device


def tensors_in(batch: Batch) -> list[Tensor]:
    """Return every tensor of a batch, by looking into all that it holds."""
    found: list[Tensor] = []
    left: list[object] = [getattr(batch, field.name) for field in fields(batch)]
    while left:
        each = left.pop()
        if isinstance(each, Tensor):
            found.append(each)
        elif isinstance(each, Condition):
            left += each.tensors.values()
        elif isinstance(each, tuple):
            left += each
    return found


class Pinned(Tensor):
    """A tensor in page-locked memory, which notes how it is copied to a device."""

    copies: ClassVar[list[tuple[torch.device, bool]]] = []

    def to(self, device: torch.device, *, non_blocking: bool) -> Tensor:  # type: ignore[override]
        self.copies.append((device, non_blocking))
        return self


@pytest.mark.parametrize("is_cached", [False, True])
def test_every_tensor_is_pinned_in_the_threads_and_copied_without_waiting(
    loader_of: LoaderOf, cached: dict[str, Any], sources: list[Source], is_cached: bool
) -> None:
    threads: list[str] = []

    def pin(tensor: Tensor) -> Tensor:
        threads.append(threading.current_thread().name)
        return tensor.as_subclass(Pinned)

    Pinned.copies.clear()
    options = cached if is_cached else {}
    weighed = [having(source, weight=0.5) for source in options.get("sources", sources)]
    options = options | {"sources": weighed, "pin": pin, "conditions": features}
    batches = batches_of(loader_of(**options, threads=2))

    # Three that are drawn, the features, the weights, and mean and deviation, or pixels.
    assert len(threads) == (7 if is_cached else 6) * len(batches)
    assert all(name.startswith("loader") for name in threads)
    assert Pinned.copies == [(CPU, True)] * len(threads)
    assert all(isinstance(each, Pinned) for batch in batches for each in tensors_in(batch))


def test_a_batch_is_changed_in_every_tensor_of_it(
    loader_of: LoaderOf, cached: dict[str, Any]
) -> None:
    one = batches_of(loader_of(**cached, conditions=features))[0]
    nothing = torch.zeros(1)
    whole = replace(one, pixels_BCHW=nothing, weights_B=nothing, mask_B1HW=nothing)

    changed = whole.mapped(lambda tensor: tensor.as_subclass(Pinned))
    assert len(tensors_in(changed)) == len(tensors_in(whole)) == 9
    assert all(isinstance(tensor, Pinned) for tensor in tensors_in(changed))


def test_what_is_encoded_stays_where_the_encoder_has_it(loader_of: LoaderOf) -> None:
    made: list[LatentPosterior] = []

    def encode(pixels_BCHW: Tensor) -> LatentPosterior:
        made.append(LatentPosterior(pixels_BCHW, pixels_BCHW))
        return made[-1]

    batches = batches_of(loader_of(encode=encode))
    assert all(map(is_, map(encoded, batches), made))


# ------------------------------------------------------------------ groups and resuming


@pytest.mark.parametrize("accumulation", [1, 2, 3, 100])
def test_a_group_holds_the_batches_of_one_step(
    loader_of: LoaderOf, sources: list[Source], accumulation: int
) -> None:
    batches = len(order(sources, 0))
    groups = epoch_of(loader_of(accumulation=accumulation), 0)

    full, rest = divmod(batches, accumulation)
    assert [len(g.batches) for g in groups] == [accumulation] * full + [rest] * (rest > 0)
    assert all(each.group_size == len(g.batches) for g in groups for each in g.batches)


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("steps", [0, 1, 2])
def test_an_epoch_goes_on_exactly_where_it_was_left(
    loader_of: LoaderOf, threads: int, steps: int
) -> None:
    loader = loader_of(threads=threads)
    whole = epoch_of(loader, 1, first_step=7)
    done = sum(len(group.batches) for group in whole[:steps])

    rest = loader.groups(1, skip_batches=done, first_step=7 + steps)
    assert content(list(rest)) == content(whole[steps:])


def test_skipped_batches_are_not_read(loader_of: LoaderOf, sources: list[Source]) -> None:
    skipped, *rest = order(sources, 1)
    others = {number for batch in rest for number in batch.pictures}
    for number in set(skipped.pictures) - others:
        sources[number].path.unlink()
    loader = loader_of(accumulation=1)

    assert len(list(loader.groups(1, skip_batches=1, first_step=2))) == len(rest)


def test_waiting_for_data_is_measured(loader_of: LoaderOf) -> None:
    assert all(group.waited_s >= 0 for group in epoch_of(loader_of(threads=1)))


# ------------------------------------------------------------------ ends


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_a_picture_that_cannot_be_read_is_named_and_no_thread_is_left(
    loader_of: LoaderOf, sources: list[Source], threads: int
) -> None:
    sources[4].path.write_bytes(b"no picture")

    with pytest.raises(DatasetError, match=r"4\.png"):
        epoch_of(loader_of(threads=threads), 0)
    assert loader_threads() == []


def test_an_epoch_that_ends_leaves_no_thread(loader_of: LoaderOf) -> None:
    epoch_of(loader_of(threads=3), 0)

    assert loader_threads() == []


def test_an_epoch_that_is_left_early_leaves_no_thread(loader_of: LoaderOf) -> None:
    groups = loader_of(threads=3).groups(0, first_step=1)
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

    next(loader.groups(0, first_step=1))
    assert store.asked == 1 + 2 * 3  # the one that was delivered, and two a thread
