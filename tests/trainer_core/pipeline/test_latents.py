"""Latents are found again exactly when nothing that they depend on has changed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from trainer_core.dataset.buckets import Placement
from trainer_core.errors import DatasetError, OutputError
from trainer_core.pipeline import latents
from trainer_core.pipeline.latents import (
    FileHashes,
    LatentStore,
    Posterior,
    latent_key,
)

PLACEMENT = Placement((64, 64), (80, 64), (8, 0), 0.5)
KEY = latent_key("ab", PLACEMENT, flip=False, encoder="vae float32")
# SHA-256 of "abc" and of "abd": FIPS 180-2, appendix B.1, and `printf abd | sha256sum`.
SHA_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
SHA_ABD = "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"


def posterior(seed: int = 0) -> Posterior:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(4, 8, 6, generator=generator), torch.rand(4, 8, 6, generator=generator)


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

    store.put(KEY, posterior())
    assert store.has(KEY)
    assert is_same(store.get(KEY), posterior())


def test_the_next_run_finds_latents_on_disk(tmp_path: Path) -> None:
    LatentStore(tmp_path / "new" / "cache").put(KEY, posterior())

    later = LatentStore(tmp_path / "new" / "cache")
    assert later.has(KEY)
    assert is_same(later.get(KEY), posterior())


def test_without_a_folder_the_next_run_finds_nothing() -> None:
    LatentStore(None).put(KEY, posterior())

    assert not LatentStore(None).has(KEY)


def test_views_are_stored_as_what_they_show(tmp_path: Path) -> None:
    mean, std = posterior()
    LatentStore(tmp_path).put(KEY, (mean.transpose(1, 2), std[:, ::2]))

    later = LatentStore(tmp_path)
    assert later.has(KEY)
    assert is_same(later.get(KEY), (mean.transpose(1, 2), std[:, ::2]))


@pytest.mark.parametrize("left", [0, 3, 100, -1])
def test_a_damaged_file_is_made_again(tmp_path: Path, left: int) -> None:
    LatentStore(tmp_path).put(KEY, posterior())
    (path,) = tmp_path.rglob("*.safetensors")
    path.write_bytes(path.read_bytes()[:left])

    later = LatentStore(tmp_path)
    assert not later.has(KEY)
    later.put(KEY, posterior())
    assert LatentStore(tmp_path).has(KEY)


def test_a_file_of_something_else_is_made_again(tmp_path: Path) -> None:
    LatentStore(tmp_path).put(KEY, posterior())
    (path,) = tmp_path.rglob("*.safetensors")
    save_file({"other": torch.ones(2)}, path)

    assert not LatentStore(tmp_path).has(KEY)


def test_a_latent_that_another_run_stored_meanwhile_is_no_error(tmp_path: Path) -> None:
    first, second = LatentStore(tmp_path), LatentStore(tmp_path)
    first.put(KEY, posterior())

    second.put(KEY, posterior())
    assert len(list(tmp_path.rglob("*.safetensors"))) == 1


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")

    with pytest.raises(OutputError, match="cache"):
        LatentStore(tmp_path / "cache").put(KEY, posterior())


# ------------------------------------------------------------------ hashes of files


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(b"abc")
    return path


def changed_behind_its_back(path: Path) -> None:
    """Give a file other bytes of the same size, and the time of change that it had."""
    before = path.stat()
    path.write_bytes(b"abd")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_the_hash_is_that_of_the_bytes(tmp_path: Path, picture: Path) -> None:
    assert FileHashes(tmp_path).sha256(picture) == SHA_ABC


def test_a_hash_is_remembered_by_path_size_and_time(tmp_path: Path, picture: Path) -> None:
    hashes = FileHashes(tmp_path)
    hashes.sha256(picture)

    changed_behind_its_back(picture)
    assert hashes.sha256(picture) == SHA_ABC  # so it was not read again


def test_the_next_run_remembers_too(tmp_path: Path, picture: Path) -> None:
    hashes = FileHashes(tmp_path)
    hashes.sha256(picture)
    hashes.close()

    changed_behind_its_back(picture)
    assert FileHashes(tmp_path).sha256(picture) == SHA_ABC


@pytest.mark.parametrize("later_ns", [1, -1])
def test_another_time_makes_it_read_again(tmp_path: Path, picture: Path, later_ns: int) -> None:
    hashes = FileHashes(tmp_path)
    hashes.sha256(picture)

    changed_behind_its_back(picture)
    os.utime(picture, ns=(0, picture.stat().st_mtime_ns + later_ns))
    assert hashes.sha256(picture) == SHA_ABD


def test_another_size_makes_it_read_again(tmp_path: Path, picture: Path) -> None:
    hashes = FileHashes(tmp_path)
    hashes.sha256(picture)
    before = picture.stat()
    picture.write_bytes(b"")

    os.utime(picture, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert hashes.sha256(picture) != SHA_ABC


def test_another_path_is_another_file(tmp_path: Path, picture: Path) -> None:
    hashes = FileHashes(tmp_path)
    hashes.sha256(picture)
    other = tmp_path / "other.png"
    other.write_bytes(b"abd")

    os.utime(other, ns=(0, picture.stat().st_mtime_ns))
    assert hashes.sha256(other) == SHA_ABD


@pytest.mark.skipif(os.name == "nt", reason="Windows' file names are always text")
def test_a_file_name_need_not_be_valid_text(tmp_path: Path, picture: Path) -> None:
    odd = picture.rename(tmp_path / os.fsdecode(b"caf\xe9.png"))
    hashes = FileHashes(tmp_path)

    assert hashes.sha256(odd) == SHA_ABC
    changed_behind_its_back(odd)
    assert hashes.sha256(odd) == SHA_ABC


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone\.png"):
        FileHashes(tmp_path).sha256(tmp_path / "gone.png")


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 200])
def test_a_damaged_memory_is_made_again(tmp_path: Path, picture: Path, content: bytes) -> None:
    (tmp_path / "files.sqlite").write_bytes(content)
    hashes = FileHashes(tmp_path)
    assert hashes.sha256(picture) == SHA_ABC
    hashes.close()

    changed_behind_its_back(picture)
    assert FileHashes(tmp_path).sha256(picture) == SHA_ABC


def test_without_a_place_for_it_hashes_are_not_remembered(tmp_path: Path, picture: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")

    assert FileHashes(tmp_path / "cache").sha256(picture) == SHA_ABC
