"""What is encoded together is the same in every run, and so are the bits that come of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
import torch
from torch import Tensor

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.pictures import Size
from trainer_core.dataset.subsets import SampleKey
from trainer_core.errors import DatasetError, NumericError, OutputError
from trainer_core.families.base import LatentPosterior
from trainer_core.pipeline.file_hashes import FileHashes
from trainer_core.pipeline.filling import LatentPlan, fill, plan_latents
from trainer_core.pipeline.latents import LatentStore, Shape
from trainer_core.pipeline.sources import Source


class Encoder(Protocol):
    batches: list[tuple[int, ...]]

    def __call__(self, pixels_BCHW: Tensor) -> LatentPosterior: ...


def plan_of(
    sources: Sequence[Source], folder: Path, *, flip: bool = False, batch_size: int = 2
) -> LatentPlan:
    asked = [replace(each, settings=each.settings.having(flip_aug=flip)) for each in sources]
    hashes = FileHashes(folder)
    return plan_latents(asked, hashes, encoder="vae float32", batch_size=batch_size)


def shape_of(bucket: Size) -> Shape:
    return 3, bucket[1] // 4, bucket[0] // 4


def filled(
    store: LatentStore, plan: LatentPlan, encoder: Encoder, *, threads: int = 2
) -> list[tuple[int, int]]:
    """Fill the store and return the progress that was told."""
    told: list[tuple[int, int]] = []
    progress = lambda *counts: told.append(counts)  # noqa: E731
    fill(store, plan.groups, encoder, shape_of=shape_of, threads=threads, progress=progress)
    return told


def test_each_picture_gets_one_key_and_with_flips_a_second(
    sources: list[Source], tmp_path: Path
) -> None:
    plain = plan_of(sources, tmp_path, batch_size=1).sources
    both = plan_of(sources, tmp_path, flip=True, batch_size=1).sources

    assert all(len(source.latents) == 1 for source in plain)
    assert [source.latents[0] for source in both] == [source.latents[0] for source in plain]
    assert len({key for source in both for key in source.latents}) == 2 * len(sources)


def test_equal_pictures_share_a_key_wherever_they_are(
    sources: list[Source], tmp_path: Path
) -> None:
    sources[1].path.write_bytes(sources[0].path.read_bytes())

    first, second, *_ = plan_of(sources, tmp_path).sources
    assert first.latents == second.latents


def test_a_picture_that_changed_gets_another_key(sources: list[Source], tmp_path: Path) -> None:
    before = plan_of(sources, tmp_path).sources[0].latents
    sources[0].path.write_bytes(sources[1].path.read_bytes() + b"\0")

    assert plan_of(sources, tmp_path).sources[0].latents != before


def test_what_changes_a_picture_s_pixels_changes_its_key_alone(
    sources: list[Source], tmp_path: Path
) -> None:
    plain = [source.latents for source in plan_of(sources, tmp_path).sources]
    profiled = replace(sources[0], is_profiled=True)
    with_alpha = replace(sources[1], has_alpha=True)
    masked = replace(with_alpha, settings=with_alpha.settings.having(alpha_mask=True))
    opaque = replace(sources[3], settings=sources[3].settings.having(alpha_mask=True))
    changed = [profiled, masked, sources[2], opaque, sources[4]]

    keys = [source.latents for source in plan_of(changed, tmp_path).sources]
    assert [one == other for one, other in zip(keys, plain, strict=True)] == [
        *(False, False, True, True, True)
    ]
    assert plan_of([with_alpha], tmp_path, batch_size=1).sources[0].latents == (
        plan_of([sources[1]], tmp_path, batch_size=1).sources[0].latents
    )


@pytest.mark.parametrize("flip", [False, True])
def test_every_picture_is_found_under_its_key(
    sources: list[Source], tmp_path: Path, encoder: Encoder, flip: bool
) -> None:
    store = LatentStore(None)
    plan = plan_of(sources, tmp_path, flip=flip)
    filled(store, plan, encoder)

    for source in plan.sources:
        for side, key in enumerate(source.latents):
            mean, std = store.get(key)
            alone = encoder(source.pixels(flip=bool(side))[None]).mean_BCHW[0]
            torch.testing.assert_close(mean, alone)
            assert torch.equal(std, mean.abs() + 1)


def test_a_batch_holds_pictures_of_one_bucket(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    filled(LatentStore(None), plan_of(sources, tmp_path), encoder)

    # Three pictures of 64 x 64 and two of 96 x 32, two at a time, buckets in order.
    assert encoder.batches == [(2, 3, 64, 64), (1, 3, 64, 64), (2, 3, 32, 96)]


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_the_number_of_threads_changes_nothing(
    sources: list[Source], tmp_path: Path, encoder: Encoder, threads: int
) -> None:
    one, other = LatentStore(None), LatentStore(None)
    plan = plan_of(sources, tmp_path)
    filled(one, plan, encoder, threads=2)
    order = list(encoder.batches)
    encoder.batches.clear()

    filled(other, plan, encoder, threads=threads)
    assert encoder.batches == order
    keys = [source.latents[0] for source in plan.sources]
    assert all(torch.equal(one.get(key)[0], other.get(key)[0]) for key in keys)


def test_progress_counts_pictures_from_nothing_to_all(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    told = filled(LatentStore(None), plan_of(sources, tmp_path), encoder)

    assert told == [(0, 5), (2, 5), (3, 5), (5, 5)]


def test_equal_pictures_are_encoded_once(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    sources[1].path.write_bytes(sources[0].path.read_bytes())

    told = filled(LatentStore(None), plan_of(sources, tmp_path), encoder)
    assert told[-1] == (4, 4)


def test_the_next_run_encodes_only_groups_with_something_new(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    disk = tmp_path / "cache"
    filled(LatentStore(disk), plan_of(sources[:3], tmp_path), encoder)
    encoder.batches.clear()

    # Of 64 x 64 the first two are there; of 96 x 32 the first was encoded alone then.
    assert filled(LatentStore(disk), plan_of(sources, tmp_path), encoder)[0] == (0, 3)
    assert encoder.batches == [(1, 3, 64, 64), (2, 3, 32, 96)]


def test_a_warm_start_reads_no_picture(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    filled(LatentStore(tmp_path / "cache"), plan_of(sources, tmp_path), encoder)
    for source in sources:
        before = source.path.stat()
        source.path.write_bytes(b"\0" * before.st_size)  # no picture any more
        os.utime(source.path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert filled(LatentStore(tmp_path / "cache"), plan_of(sources, tmp_path), encoder) == [(0, 0)]


def test_what_is_kept_does_not_hold_on_to_the_batch(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    store = LatentStore(None)
    plan = plan_of(sources, tmp_path)
    filled(store, plan, encoder)

    mean, _ = store.get(plan.sources[0].latents[0])
    assert mean.untyped_storage().nbytes() == mean.numel() * mean.element_size()


# ------------------------------------------------------------------ stopping


def threads_of_the_cache() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("cache")]


def test_a_picture_that_cannot_be_decoded_is_named_and_no_thread_is_left(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    sources[3].path.write_bytes(b"no picture")

    with pytest.raises(DatasetError, match=r"3\.png"):
        filled(LatentStore(None), plan_of(sources, tmp_path), encoder)
    assert threads_of_the_cache() == []


def test_progress_may_stop_it_and_no_thread_is_left(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    class Enough(Exception):  # noqa: N818 - not an error
        pass

    def progress(done: int, total: int) -> None:
        if done:
            raise Enough

    with pytest.raises(Enough):
        fill(
            LatentStore(None),
            plan_of(sources, tmp_path).groups,
            encoder,
            shape_of=shape_of,
            threads=2,
            progress=progress,
        )
    assert encoder.batches == [(2, 3, 64, 64)]
    assert threads_of_the_cache() == []


class FailingDisk(LatentStore):
    """A disk that is full once it has taken one latent."""

    written = 0

    def write(self, key: str) -> None:
        if self.written:
            raise OutputError("The latent cache cannot be written: full")
        self.written += 1


def test_a_disk_that_is_full_ends_the_filling_in_its_words(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    with pytest.raises(OutputError, match="latent cache cannot be written: full"):
        filled(FailingDisk(tmp_path), plan_of(sources, tmp_path), encoder)
    assert threads_of_the_cache() == []


def test_a_picture_of_which_nothing_finite_comes_is_named_and_kept_nowhere(
    sources: list[Source], tmp_path: Path
) -> None:
    guilty = sources[0].pixels(flip=False)

    def encode(pixels_BCHW: Tensor) -> LatentPosterior:
        mean_BCHW = pixels_BCHW[:, :, ::4, ::4].clone()
        for number, pixels_CHW in enumerate(pixels_BCHW):
            if torch.equal(pixels_CHW, guilty):
                mean_BCHW[number, 0, 0, 0] = torch.nan
        return LatentPosterior(mean_BCHW, torch.ones_like(mean_BCHW))

    cache = tmp_path / "cache"
    in_a_folder = [replace(source, name=f"2_robot/{source.name}") for source in sources]
    plan = plan_of(in_a_folder, tmp_path, batch_size=1)
    with pytest.raises(NumericError, match=f"picture 2_robot/{sources[0].path.name}") as caught:
        fill(
            LatentStore(cache),
            plan.groups,
            encode,
            shape_of=shape_of,
            threads=1,
            progress=lambda *_: None,
        )
    assert (caught.value.setting, caught.value.picture) == ("model.vae", str(sources[0].path))
    assert "choose another VAE" in str(caught.value.hint)
    known = LatentStore(cache)
    [key] = plan.sources[0].latents
    assert not known.has(key, shape_of(plan.sources[0].placement.bucket))


class SlowDisk(LatentStore):
    """A disk that takes longer than the encoding."""

    def write(self, key: str) -> None:
        time.sleep(0.05)
        super().write(key)


def test_everything_is_on_disk_when_the_filling_ends(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    filled(SlowDisk(tmp_path / "cache"), plan_of(sources, tmp_path), encoder)

    assert filled(LatentStore(tmp_path / "cache"), plan_of(sources, tmp_path), encoder) == [(0, 0)]


def test_a_picture_of_two_subsets_is_encoded_once_for_each_cut(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    picture, same = sources[0], replace(sources[0], key=SampleKey(1, sources[0].path))
    small = BucketRules((32, 32), bucket_reso_steps=32).place(picture.size)
    assert small is not None
    other = replace(same, key=SampleKey(2, picture.path), placement=small)

    plan = plan_of([picture, same, other], tmp_path)
    assert filled(LatentStore(None), plan, encoder)[-1] == (2, 2)
    first, second, third = plan.sources
    assert first.latents == second.latents != third.latents


def test_the_filter_that_scales_a_picture_decides_its_key(
    sources: list[Source], tmp_path: Path
) -> None:
    small = BucketRules((32, 32), bucket_reso_steps=32).place(sources[0].size)
    assert small is not None

    def key(source: Source, interpolation: str) -> str:
        settings = source.settings.having(resize_interpolation=interpolation)
        [keyed] = plan_of([replace(source, settings=settings)], tmp_path).sources
        return keyed.latents[0]

    shrunk, whole = replace(sources[0], placement=small), sources[0]
    assert key(shrunk, "auto") == key(shrunk, "area") != key(shrunk, "lanczos")
    assert key(whole, "auto") == key(whole, "lanczos")  # it is not scaled at all


# ------------------------------------------------------------------ what an interruption leaves


class RoundingEncoder:
    """An encoder whose last bits depend on how many pictures it is given, as those of VAEs do."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, ...]] = []

    def __call__(self, pixels_BCHW: Tensor) -> LatentPosterior:
        self.batches.append(tuple(pixels_BCHW.shape))
        mean_BCHW = pixels_BCHW[:, :, ::4, ::4] * (1 + len(pixels_BCHW) * 2**-20)
        return LatentPosterior(mean_BCHW, mean_BCHW.abs() + 1)


def means(store: LatentStore, plan: LatentPlan) -> list[Tensor]:
    return [store.get(key)[0] for source in plan.sources for key in source.latents]


def cache_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.safetensors"))


@pytest.mark.parametrize("batch_size", [2, 3])
@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_bytes(b"cut")])
def test_whatever_part_of_the_cache_is_lost_the_next_run_has_the_same_bits(
    sources: list[Source], tmp_path: Path, batch_size: int, damage: Callable[[Path], object]
) -> None:
    plan = plan_of(sources, tmp_path, flip=True, batch_size=batch_size)
    straight = LatentStore(None)
    filled(straight, plan, RoundingEncoder())
    filled(LatentStore(tmp_path / "cache"), plan, RoundingEncoder())
    names = [file.name for file in cache_files(tmp_path / "cache")]

    assert len(names) == 2 * len(sources)
    for name in names:
        [lost] = [file for file in cache_files(tmp_path / "cache") if file.name == name]
        damage(lost)
        later, encoder = LatentStore(tmp_path / "cache"), RoundingEncoder()
        filled(later, plan, encoder)
        assert len(encoder.batches) == 1  # its group, and no other
        assert all(map(torch.equal, means(straight, plan), means(later, plan)))
        assert [file.name for file in cache_files(tmp_path / "cache")] == names


@pytest.mark.parametrize("groups", [0, 1, 2])
def test_a_run_that_was_stopped_between_groups_goes_on_to_the_same_bits(
    sources: list[Source], tmp_path: Path, groups: int
) -> None:
    plan = plan_of(sources, tmp_path)
    straight, later = LatentStore(None), LatentStore(tmp_path / "cache")
    filled(straight, plan, RoundingEncoder())
    filled(
        LatentStore(tmp_path / "cache"),
        plan._replace(groups=plan.groups[:groups]),
        RoundingEncoder(),
    )

    encoder = RoundingEncoder()
    filled(later, plan, encoder)
    assert len(encoder.batches) == len(plan.groups) - groups
    assert all(map(torch.equal, means(straight, plan), means(later, plan)))


def test_a_cache_from_other_pictures_changes_no_bit(sources: list[Source], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    filled(LatentStore(cache), plan_of(sources[1:], tmp_path), RoundingEncoder())
    filled(LatentStore(cache), plan_of(sources, tmp_path, batch_size=1), RoundingEncoder())

    plan = plan_of(sources, tmp_path)
    straight, later = LatentStore(None), LatentStore(cache)
    filled(straight, plan, RoundingEncoder())
    filled(later, plan, RoundingEncoder())
    assert all(map(torch.equal, means(straight, plan), means(later, plan)))
