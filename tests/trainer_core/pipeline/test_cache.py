"""The latent cache is filled with every picture once, always in the same order."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest
import torch
from torch import Tensor

from trainer_core.errors import DatasetError
from trainer_core.pipeline.cache import fill, with_keys
from trainer_core.pipeline.decode import load_pixels
from trainer_core.pipeline.latents import FileHashes, LatentStore
from trainer_core.pipeline.loader import Source


class Encoder(Protocol):
    batches: list[tuple[int, ...]]

    def __call__(self, pixels_BCHW: Tensor) -> tuple[Tensor, Tensor]: ...


def keyed(sources: Sequence[Source], folder: Path, *, flip: bool = False) -> list[Source]:
    return with_keys(sources, FileHashes(folder), flip=flip, encoder="vae float32")


def filled(
    store: LatentStore, sources: Sequence[Source], encoder: Encoder, **options: int
) -> list[tuple[int, int]]:
    """Fill the store and return the progress that was told."""
    told: list[tuple[int, int]] = []
    how = {"batch_size": 2, "threads": 2} | options
    fill(store, sources, encoder, progress=lambda *counts: told.append(counts), **how)
    return told


def expected(source: Source, encoder: Encoder, *, flip: bool) -> Tensor:
    """Return the mean of one picture encoded alone."""
    return encoder(load_pixels(source.path, source.placement, flip=flip)[None])[0][0]


# ------------------------------------------------------------------ keys


def test_each_picture_gets_one_key_and_with_flips_a_second(
    sources: list[Source], tmp_path: Path
) -> None:
    plain, both = keyed(sources, tmp_path), keyed(sources, tmp_path, flip=True)

    assert all(len(source.keys) == 1 for source in plain)
    assert [source.keys[0] for source in both] == [source.keys[0] for source in plain]
    assert len({key for source in both for key in source.keys}) == 2 * len(sources)


def test_equal_pictures_share_a_key_wherever_they_are(
    sources: list[Source], tmp_path: Path
) -> None:
    sources[1].path.write_bytes(sources[0].path.read_bytes())

    first, second, *_ = keyed(sources, tmp_path)
    assert first.keys == second.keys


def test_a_picture_that_changed_gets_another_key(sources: list[Source], tmp_path: Path) -> None:
    before = keyed(sources, tmp_path)[0].keys
    sources[0].path.write_bytes(sources[1].path.read_bytes() + b"\0")

    assert keyed(sources, tmp_path)[0].keys != before


# ------------------------------------------------------------------ filling


@pytest.mark.parametrize("flip", [False, True])
def test_every_picture_is_found_under_its_key(
    sources: list[Source], tmp_path: Path, encoder: Encoder, flip: bool
) -> None:
    store = LatentStore(None)
    found = keyed(sources, tmp_path, flip=flip)
    filled(store, found, encoder)

    for source in found:
        for side, key in enumerate(source.keys):
            mean, std = store.get(key)
            torch.testing.assert_close(mean, expected(source, encoder, flip=bool(side)))
            assert torch.equal(std, mean.abs() + 1)


def test_a_batch_holds_pictures_of_one_bucket(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    filled(LatentStore(None), keyed(sources, tmp_path), encoder)

    # Three pictures of 64 x 64 and two of 96 x 32, two at a time, buckets in order.
    assert encoder.batches == [(2, 3, 64, 64), (1, 3, 64, 64), (2, 3, 32, 96)]


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_the_number_of_threads_changes_nothing(
    sources: list[Source], tmp_path: Path, encoder: Encoder, threads: int
) -> None:
    one, other = LatentStore(None), LatentStore(None)
    found = keyed(sources, tmp_path)
    filled(one, found, encoder, threads=2)
    order = list(encoder.batches)
    encoder.batches.clear()

    filled(other, found, encoder, threads=threads)
    assert encoder.batches == order
    assert all(torch.equal(one.get(s.keys[0])[0], other.get(s.keys[0])[0]) for s in found)


def test_progress_counts_pictures_from_nothing_to_all(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    told = filled(LatentStore(None), keyed(sources, tmp_path), encoder)

    assert told == [(0, 5), (2, 5), (3, 5), (5, 5)]


def test_equal_pictures_are_encoded_once(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    sources[1].path.write_bytes(sources[0].path.read_bytes())

    told = filled(LatentStore(None), keyed(sources, tmp_path), encoder)
    assert told[-1] == (4, 4)


def test_the_next_run_encodes_only_what_is_new(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    disk = tmp_path / "cache"
    filled(LatentStore(disk), keyed(sources[:3], tmp_path), encoder)
    encoder.batches.clear()

    assert filled(LatentStore(disk), keyed(sources, tmp_path), encoder)[0] == (0, 2)
    assert sum(shape[0] for shape in encoder.batches) == 2


def test_a_warm_start_reads_no_picture(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    filled(LatentStore(tmp_path / "cache"), keyed(sources, tmp_path), encoder)
    for source in sources:
        before = source.path.stat()
        source.path.write_bytes(b"\0" * before.st_size)  # no picture any more
        os.utime(source.path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert filled(LatentStore(tmp_path / "cache"), keyed(sources, tmp_path), encoder) == [(0, 0)]


def test_what_is_kept_does_not_hold_on_to_the_batch(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    store = LatentStore(None)
    found = keyed(sources, tmp_path)
    filled(store, found, encoder)

    mean, _ = store.get(found[0].keys[0])
    assert mean.untyped_storage().nbytes() == mean.numel() * mean.element_size()


# ------------------------------------------------------------------ stopping


def threads_of_the_cache() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("cache")]


def test_a_picture_that_cannot_be_decoded_is_named_and_no_thread_is_left(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    sources[3].path.write_bytes(b"no picture")

    with pytest.raises(DatasetError, match=r"3\.png"):
        filled(LatentStore(None), keyed(sources, tmp_path), encoder)
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
            keyed(sources, tmp_path),
            encoder,
            batch_size=2,
            threads=2,
            progress=progress,
        )
    assert encoder.batches == [(2, 3, 64, 64)]
    assert threads_of_the_cache() == []
