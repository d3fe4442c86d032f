"""Masks of samples: averaged as recorded, cut and mirrored as their pictures are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import vectors
from PIL import Image
from torch import Tensor

from trainer_core.dataset.buckets import BucketRules, Placement
from trainer_core.dataset.masks.folder import Mask
from trainer_core.dataset.subsets import SampleKey, SampleSettings
from trainer_core.errors import DatasetError
from trainer_core.objectives.diffusion import DDPM
from trainer_core.objectives.objective import Draw, Objective
from trainer_core.pipeline.masks import LatentMasks, averaged, batch_of_masks
from trainer_core.pipeline.sources import Source

RECORDED = vectors.load("losses.json")["masked_loss"]
SIZE = (96, 64)
CUT = Placement((64, 64), SIZE, (16, 0), 0.0)
SIDE = 8


def tensor(recorded: dict[str, list[float]]) -> Tensor:
    return torch.tensor(recorded["data"]).reshape(recorded["shape"])


def recorded_mask(case: dict[str, dict[str, list[float]]]) -> Tensor | None:
    """Return a mask as pixels of one channel, 0 to 1 (vectors README, losses.json)."""
    mask = tensor(case["mask"])
    if case["mask_source"] == "none":
        return None
    return mask[:, None] if case["mask_source"] == "alpha_masks" else mask[:, :1] / 2 + 0.5


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["mask_source"])
def test_the_loss_is_masked_as_recorded(case: dict[str, dict[str, list[float]]]) -> None:
    loss, mask = tensor(case["loss"]), recorded_mask(case)
    at_latents = None if mask is None else averaged(mask, *loss.shape[2:])

    objective = Objective.plain(DDPM(torch.linspace(0.9, 0.1, 10)), lambda *_: loss)
    draw = Draw(loss, loss, torch.zeros(len(loss), dtype=torch.int64))
    losses = objective.losses(loss, draw, lambda noisy, _: noisy, at_latents)
    expected = torch.tensor(case["mean_per_sample"])
    torch.testing.assert_close(losses, expected, rtol=2e-6, atol=0)


def source_of(path: Path, mask: Path | None = None, **own: object) -> Source:
    return Source(
        key=SampleKey(0, path),
        name=path.name,
        repeats=1,
        size=SIZE,
        placement=CUT,
        caption="",
        settings=SampleSettings(rules=BucketRules((64, 64))).having(**own),
        mask=None if mask is None else Mask(mask, SIZE),
    )


def mask_of(source: Source, placement: Placement = CUT, *, flip: bool = False) -> Tensor | None:
    return LatentMasks().of(source, placement, flip=flip, pixels_per_latent=SIDE)


@pytest.fixture
def levels() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The mask's levels, rows and columns."""
    return np.random.default_rng(1).integers(0, 256, SIZE[::-1], np.uint8)


@pytest.fixture
def masked(tmp_path: Path, levels: np.ndarray) -> Source:
    """A picture with a mask whose red tells, whatever green and blue say."""
    others = 255 - levels
    Image.fromarray(np.stack([levels, others, others], -1)).save(tmp_path / "mask.png")
    return source_of(tmp_path / "a.png", tmp_path / "mask.png")


def means(levels: np.ndarray, left: int) -> Tensor:
    """Return the means of squares of the cut that begins at a column."""
    cut = torch.from_numpy(levels[:, left : left + 64].astype(np.float32)) / 255
    return cut.reshape(8, SIDE, 8, SIDE).mean((1, 3))[None]


@pytest.mark.parametrize("flip", [False, True])
def test_a_mask_is_cut_and_mirrored_as_its_picture(
    masked: Source, levels: np.ndarray, flip: bool
) -> None:
    expected = means(levels, 16)

    found = mask_of(masked, flip=flip)
    torch.testing.assert_close(found, expected.flip(-1) if flip else expected)


@pytest.mark.parametrize("left", [0, 5, 32])
def test_a_mask_is_cut_where_this_showing_is(masked: Source, levels: np.ndarray, left: int) -> None:
    found = mask_of(masked, replace(CUT, crop_offset=(left, 0)))

    torch.testing.assert_close(found, means(levels, left))


def test_the_transparency_of_a_picture_is_its_mask(tmp_path: Path, levels: np.ndarray) -> None:
    picture = Image.new("RGB", SIZE, "red")
    picture.putalpha(Image.fromarray(levels))
    picture.save(tmp_path / "a.png")

    found = mask_of(source_of(tmp_path / "a.png", alpha_mask=True))
    torch.testing.assert_close(found, means(levels, 16))
    assert mask_of(source_of(tmp_path / "a.png")) is None


def test_a_mask_file_comes_before_transparency(masked: Source, levels: np.ndarray) -> None:
    both = replace(masked, settings=masked.settings.having(alpha_mask=True))

    torch.testing.assert_close(mask_of(both), means(levels, 16))


def test_a_white_mask_is_none(tmp_path: Path) -> None:
    Image.new("L", SIZE, 255).save(tmp_path / "mask.png")

    assert mask_of(source_of(tmp_path / "a.png", tmp_path / "mask.png")) is None


def test_a_planned_mask_is_read_once(masked: Source) -> None:
    masks = LatentMasks()
    first = masks.of(masked, CUT, flip=False, pixels_per_latent=SIDE)
    assert masked.mask is not None
    masked.mask.path.unlink()

    assert first is not None
    again = masks.of(masked, CUT, flip=True, pixels_per_latent=SIDE)
    assert again is not None
    assert torch.equal(again, first.flip(-1))


def test_a_mask_that_turns_bad_in_mid_run_is_named(masked: Source) -> None:
    assert masked.mask is not None
    masked.mask.path.write_bytes(b"no picture")

    with pytest.raises(DatasetError, match=r"mask\.png"):
        mask_of(masked)


def test_a_mask_that_is_replaced_by_one_of_another_size_is_refused(masked: Source) -> None:
    assert masked.mask is not None
    Image.new("L", (64, 64)).save(masked.mask.path)

    with pytest.raises(DatasetError, match=r"mask\.png has changed since the start: it is 64 x 64"):
        mask_of(masked)


def test_samples_without_a_mask_count_whole() -> None:
    half = torch.full((1, 2, 3), 0.5)

    joined = batch_of_masks([half, None], 2, 3)
    assert joined is not None
    assert torch.equal(joined, torch.stack([half, torch.ones(1, 2, 3)]))
    assert batch_of_masks([None, None], 2, 3) is None
    assert batch_of_masks([], 2, 3) is None
