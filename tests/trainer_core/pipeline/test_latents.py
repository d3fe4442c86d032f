"""Latents are found again exactly when nothing that they depend on has changed."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from trainer_core.dataset.buckets import BucketRules, Placement
from trainer_core.dataset.subsets import SampleKey
from trainer_core.errors import DatasetError, OutputError
from trainer_core.families.base import LatentPosterior
from trainer_core.pipeline import latents
from trainer_core.pipeline.decode import load_pixels
from trainer_core.pipeline.file_hashes import FileHashes
from trainer_core.pipeline.latents import (
    LatentStore,
    Posterior,
    fill,
    latent_key,
    with_keys,
)
from trainer_core.pipeline.sources import Source

PLACEMENT = Placement((64, 64), (80, 64), (8, 0), 0.5)
KEY = latent_key("ab", PLACEMENT, flip=False, encoder="vae float32")


def posterior(seed: int = 0) -> Posterior:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(4, 8, 6, generator=generator), torch.rand(4, 8, 6, generator=generator)


def put(store: LatentStore, found: Posterior) -> None:
    store.keep(KEY, found)
    store.write(KEY)


def is_same(first: Posterior, second: Posterior) -> bool:
    return all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


# ------------------------------------------------------------------ keys


@pytest.mark.parametrize(
    "other",
    [
        latent_key("ac", PLACEMENT, flip=False, encoder="vae float32"),
        latent_key("ab", PLACEMENT, flip=True, encoder="vae float32"),
        latent_key("ab", PLACEMENT, flip=False, encoder="vae bfloat16"),
        latent_key("ab", replace(PLACEMENT, bucket=(64, 128)), flip=False, encoder="vae float32"),
        latent_key("ab", replace(PLACEMENT, resized=(81, 64)), flip=False, encoder="vae float32"),
        latent_key("ab", replace(PLACEMENT, crop_offset=(9, 0)), flip=False, encoder="vae float32"),
    ],
    ids=["content", "flip", "encoder", "bucket", "scale", "crop"],
)
def test_every_fact_that_a_latent_depends_on_changes_the_key(other: str) -> None:
    assert other != KEY


def test_the_version_of_the_encoding_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latents, "ENCODER_VERSION", latents.ENCODER_VERSION + 1)

    assert latent_key("ab", PLACEMENT, flip=False, encoder="vae float32") != KEY


def test_what_a_latent_does_not_depend_on_leaves_the_key() -> None:
    other = replace(PLACEMENT, ar_error=0.75)

    assert latent_key("ab", other, flip=False, encoder="vae float32") == KEY


# ------------------------------------------------------------------ the store


def test_a_latent_is_there_once_it_was_put() -> None:
    store = LatentStore(None)
    assert not store.has(KEY)

    put(store, posterior())
    assert store.has(KEY)
    assert is_same(store.get(KEY), posterior())


def test_the_next_run_finds_latents_on_disk(tmp_path: Path) -> None:
    put(LatentStore(tmp_path / "new" / "cache"), posterior())

    later = LatentStore(tmp_path / "new" / "cache")
    assert later.has(KEY)
    assert is_same(later.get(KEY), posterior())


def test_without_a_folder_the_next_run_finds_nothing() -> None:
    put(LatentStore(None), posterior())

    assert not LatentStore(None).has(KEY)


def test_views_are_stored_as_what_they_show(tmp_path: Path) -> None:
    mean, std = posterior()
    put(LatentStore(tmp_path), (mean.transpose(1, 2), std[:, ::2]))

    later = LatentStore(tmp_path)
    assert later.has(KEY)
    assert is_same(later.get(KEY), (mean.transpose(1, 2), std[:, ::2]))


@pytest.mark.parametrize("left", [0, 3, 100, -1])
def test_a_damaged_file_is_made_again(tmp_path: Path, left: int) -> None:
    put(LatentStore(tmp_path), posterior())
    (path,) = tmp_path.rglob("*.safetensors")
    path.write_bytes(path.read_bytes()[:left])

    later = LatentStore(tmp_path)
    assert not later.has(KEY)
    put(later, posterior())
    assert LatentStore(tmp_path).has(KEY)


def test_a_file_of_something_else_is_made_again(tmp_path: Path) -> None:
    put(LatentStore(tmp_path), posterior())
    (path,) = tmp_path.rglob("*.safetensors")
    save_file({"other": torch.ones(2)}, path)

    assert not LatentStore(tmp_path).has(KEY)


def test_a_latent_that_another_run_stored_meanwhile_is_no_error(tmp_path: Path) -> None:
    first, second = LatentStore(tmp_path), LatentStore(tmp_path)
    put(first, posterior())

    put(second, posterior())
    assert len(list(tmp_path.rglob("*.safetensors"))) == 1


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")

    with pytest.raises(OutputError, match="cache"):
        put(LatentStore(tmp_path / "cache"), posterior())


# ------------------------------------------------------------------ what a power cut leaves


def test_bytes_that_never_reached_the_disk_are_made_again(tmp_path: Path) -> None:
    put(LatentStore(tmp_path), posterior())
    (path,) = tmp_path.rglob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-64] + bytes(64))  # the length is right, the end is not

    assert not LatentStore(tmp_path).has(KEY)
    assert not path.exists()


def with_header(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the header of a safetensors file and none of its numbers."""
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[end:])


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header["mean"].update(dtype="I32"),
        lambda header: [header[name].update(dtype="I32") for name in ("mean", "std")],
        lambda header: [header[name].update(shape=[6, 4, 8]) for name in ("mean", "std")],
        lambda header: header["std"].update(shape=[192]),
        lambda header: [header[n].update(dtype="BF16", shape=[4, 8, 12]) for n in ("mean", "std")],
        lambda header: header.update(mean=header["std"], std=header["mean"]),
        lambda header: header.pop("__metadata__"),
        lambda header: header.update(__metadata__=None),
    ],
    ids=["type", "both types", "shapes", "shape", "16 bit", "names", "no checksum", "null"],
)
def test_a_latent_whose_header_is_damaged_is_made_again(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    put(LatentStore(tmp_path), posterior())
    (path,) = tmp_path.rglob("*.safetensors")
    with_header(path, change)

    assert not LatentStore(tmp_path).has(KEY)
    assert not path.exists()


def test_a_header_written_otherwise_is_no_damage(tmp_path: Path) -> None:
    put(LatentStore(tmp_path), posterior())
    (path,) = tmp_path.rglob("*.safetensors")
    with_header(path, lambda header: None)

    later = LatentStore(tmp_path)
    assert later.has(KEY)
    assert is_same(later.get(KEY), posterior())


def test_a_latent_under_the_name_of_another_is_made_again(tmp_path: Path) -> None:
    other = latent_key("ab", PLACEMENT, flip=True, encoder="vae float32")
    put(LatentStore(tmp_path), posterior())
    (path,) = tmp_path.rglob("*.safetensors")
    target = tmp_path / other[:2] / f"{other}.safetensors"
    target.parent.mkdir(exist_ok=True)
    path.rename(target)

    assert not LatentStore(tmp_path).has(other)


def test_a_file_without_a_checksum_is_made_again(tmp_path: Path) -> None:
    put(LatentStore(tmp_path), posterior())  # earlier versions wrote such files
    (path,) = tmp_path.rglob("*.safetensors")
    mean, std = posterior()
    save_file({"mean": mean, "std": std}, path)

    assert not LatentStore(tmp_path).has(KEY)


# ------------------------------------------------------------------ filling


class Encoder(Protocol):
    batches: list[tuple[int, ...]]

    def __call__(self, pixels_BCHW: Tensor) -> LatentPosterior: ...


def keyed(sources: Sequence[Source], folder: Path, *, flip: bool = False) -> list[Source]:
    asked = [replace(each, settings=replace(each.settings, flip_aug=flip)) for each in sources]
    return with_keys(asked, FileHashes(folder), encoder="vae float32")


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


def test_each_picture_gets_one_key_and_with_flips_a_second(
    sources: list[Source], tmp_path: Path
) -> None:
    plain, both = keyed(sources, tmp_path), keyed(sources, tmp_path, flip=True)

    assert all(len(source.latents) == 1 for source in plain)
    assert [source.latents[0] for source in both] == [source.latents[0] for source in plain]
    assert len({key for source in both for key in source.latents}) == 2 * len(sources)


def test_equal_pictures_share_a_key_wherever_they_are(
    sources: list[Source], tmp_path: Path
) -> None:
    sources[1].path.write_bytes(sources[0].path.read_bytes())

    first, second, *_ = keyed(sources, tmp_path)
    assert first.latents == second.latents


def test_a_picture_that_changed_gets_another_key(sources: list[Source], tmp_path: Path) -> None:
    before = keyed(sources, tmp_path)[0].latents
    sources[0].path.write_bytes(sources[1].path.read_bytes() + b"\0")

    assert keyed(sources, tmp_path)[0].latents != before


@pytest.mark.parametrize("flip", [False, True])
def test_every_picture_is_found_under_its_key(
    sources: list[Source], tmp_path: Path, encoder: Encoder, flip: bool
) -> None:
    store = LatentStore(None)
    found = keyed(sources, tmp_path, flip=flip)
    filled(store, found, encoder)

    for source in found:
        for side, key in enumerate(source.latents):
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
    assert all(torch.equal(one.get(s.latents[0])[0], other.get(s.latents[0])[0]) for s in found)


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

    mean, _ = store.get(found[0].latents[0])
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
        filled(FailingDisk(tmp_path), keyed(sources, tmp_path), encoder)
    assert threads_of_the_cache() == []


class SlowDisk(LatentStore):
    """A disk that takes longer than the encoding."""

    def write(self, key: str) -> None:
        time.sleep(0.05)
        super().write(key)


def test_everything_is_on_disk_when_the_filling_ends(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    filled(SlowDisk(tmp_path / "cache"), keyed(sources, tmp_path), encoder)

    assert filled(LatentStore(tmp_path / "cache"), keyed(sources, tmp_path), encoder) == [(0, 0)]


def test_a_picture_of_two_subsets_is_encoded_once_for_each_cut(
    sources: list[Source], tmp_path: Path, encoder: Encoder
) -> None:
    picture, same = sources[0], replace(sources[0], key=SampleKey(1, sources[0].path))
    small = BucketRules((32, 32), bucket_reso_steps=32).place(picture.size)
    assert small is not None
    other = replace(same, key=SampleKey(2, picture.path), placement=small)

    found = keyed([picture, same, other], tmp_path)
    assert filled(LatentStore(None), found, encoder)[-1] == (2, 2)
    assert found[0].latents == found[1].latents != found[2].latents
