"""Latents are found again exactly when nothing that they depend on has changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from trainer_core.catalogue.interpolations import INTERPOLATIONS
from trainer_core.dataset.buckets import Placement
from trainer_core.errors import OutputError
from trainer_core.pipeline import latents
from trainer_core.pipeline.latents import LatentStore, Posterior, latent_key

PLACEMENT = Placement((64, 64), (80, 64), (8, 0), 0.5)
SHAPE = (4, 8, 6)


def key_of(
    digest: str = "ab",
    placement: Placement = PLACEMENT,
    *,
    interpolation: str | None = "area",
    flip: bool = False,
    encoder: str = "vae float32",
    group_size: int = 2,
) -> str:
    return latent_key(
        digest,
        placement,
        interpolation=None if interpolation is None else INTERPOLATIONS[interpolation],
        flip=flip,
        encoder=encoder,
        group_size=group_size,
    )


KEY = key_of()


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
        key_of("ac"),
        key_of(flip=True),
        key_of(encoder="vae bfloat16"),
        key_of(placement=replace(PLACEMENT, bucket=(64, 128))),
        key_of(placement=replace(PLACEMENT, resized=(81, 64))),
        key_of(placement=replace(PLACEMENT, crop_offset=(9, 0))),
        key_of(interpolation="lanczos"),
        key_of(interpolation=None),
        key_of(group_size=1),
    ],
    ids=[
        "content",
        "flip",
        "encoder",
        "bucket",
        "scale",
        "crop",
        "filter",
        "no filter",
        "group",
    ],
)
def test_every_fact_that_a_latent_depends_on_changes_the_key(other: str) -> None:
    assert other != KEY


def test_the_version_of_the_encoding_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latents, "ENCODER_VERSION", latents.ENCODER_VERSION + 1)

    assert key_of() != KEY


def test_what_a_latent_does_not_depend_on_leaves_the_key() -> None:
    assert key_of(placement=replace(PLACEMENT, ar_error=0.75)) == KEY
    assert key_of(interpolation="cubic") == key_of(interpolation="bicubic")


# ------------------------------------------------------------------ the store


def test_a_latent_is_there_once_it_was_put() -> None:
    store = LatentStore(None)
    assert not store.has(KEY, SHAPE)

    put(store, posterior())
    assert store.has(KEY, SHAPE)
    assert is_same(store.get(KEY), posterior())


def test_the_next_run_finds_latents_on_disk(tmp_path: Path) -> None:
    put(LatentStore(tmp_path / "new" / "cache"), posterior())

    later = LatentStore(tmp_path / "new" / "cache")
    assert later.has(KEY, SHAPE)
    assert is_same(later.get(KEY), posterior())


def test_without_a_folder_the_next_run_finds_nothing() -> None:
    put(LatentStore(None), posterior())

    assert not LatentStore(None).has(KEY, SHAPE)


def test_views_are_stored_as_what_they_show(tmp_path: Path) -> None:
    mean, std = posterior()
    put(LatentStore(tmp_path), (mean.transpose(1, 2), std.transpose(1, 2)))

    later = LatentStore(tmp_path)
    assert later.has(KEY, (4, 6, 8))
    assert is_same(later.get(KEY), (mean.transpose(1, 2), std.transpose(1, 2)))


@pytest.mark.parametrize("left", [0, 3, 100, -1])
def test_a_damaged_file_is_made_again(tmp_path: Path, left: int) -> None:
    put(LatentStore(tmp_path), posterior())
    (path,) = tmp_path.rglob("*.safetensors")
    path.write_bytes(path.read_bytes()[:left])

    later = LatentStore(tmp_path)
    assert not later.has(KEY, SHAPE)
    put(later, posterior())
    assert LatentStore(tmp_path).has(KEY, SHAPE)


def test_a_file_of_something_else_is_made_again(tmp_path: Path) -> None:
    put(LatentStore(tmp_path), posterior())
    (path,) = tmp_path.rglob("*.safetensors")
    save_file({"other": torch.ones(2)}, path)

    assert not LatentStore(tmp_path).has(KEY, SHAPE)


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

    assert not LatentStore(tmp_path).has(KEY, SHAPE)
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

    assert not LatentStore(tmp_path).has(KEY, SHAPE)
    assert not path.exists()


def test_a_header_written_otherwise_is_no_damage(tmp_path: Path) -> None:
    put(LatentStore(tmp_path), posterior())
    (path,) = tmp_path.rglob("*.safetensors")
    with_header(path, lambda header: None)

    later = LatentStore(tmp_path)
    assert later.has(KEY, SHAPE)
    assert is_same(later.get(KEY), posterior())


def test_a_latent_of_another_shape_is_made_again(tmp_path: Path) -> None:
    put(LatentStore(tmp_path), posterior())

    assert not LatentStore(tmp_path).has(KEY, (4, 8, 8))
    assert list(tmp_path.rglob("*.safetensors")) == []


def test_a_latent_under_the_name_of_another_is_made_again(tmp_path: Path) -> None:
    other = key_of(flip=True)
    put(LatentStore(tmp_path), posterior())
    (path,) = tmp_path.rglob("*.safetensors")
    target = tmp_path / other[:2] / f"{other}.safetensors"
    target.parent.mkdir(exist_ok=True)
    path.rename(target)

    assert not LatentStore(tmp_path).has(other, SHAPE)


def test_a_file_without_a_checksum_is_made_again(tmp_path: Path) -> None:
    put(LatentStore(tmp_path), posterior())  # earlier versions wrote such files
    (path,) = tmp_path.rglob("*.safetensors")
    mean, std = posterior()
    save_file({"mean": mean, "std": std}, path)

    assert not LatentStore(tmp_path).has(KEY, SHAPE)
