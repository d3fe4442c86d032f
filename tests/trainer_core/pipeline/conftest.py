"""Small pictures of two buckets, and an encoder simple enough to check by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch.nn.functional as F  # noqa: N812 - its usual name
from PIL import Image
from torch import Tensor

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.subsets import SampleKey, SampleSettings
from trainer_core.families.base import LatentPosterior
from trainer_core.pipeline.sources import Source

RULES = BucketRules((64, 64), bucket_reso_steps=32, bucket_no_upscale=True)
SIZES = [(64, 64), (64, 64), (96, 32), (64, 64), (96, 32)]


class Encoder:
    """Shrinks pixels to latents of a quarter of the side; remembers the size of every batch."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, ...]] = []

    def __call__(self, pixels_BCHW: Tensor) -> LatentPosterior:
        self.batches.append(tuple(pixels_BCHW.shape))
        mean_BCHW = F.avg_pool2d(pixels_BCHW, 4)
        return LatentPosterior(mean_BCHW, mean_BCHW.abs() + 1)


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    """Three square pictures and two wide ones, shown one to three times an epoch."""
    found = []
    for number, size in enumerate(SIZES):
        path = tmp_path / f"{number}.png"
        noise = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), np.uint8)
        Image.fromarray(noise).save(path)
        placement = RULES.place(size)
        assert placement is not None
        caption = f"picture {number}, tag a, tag b, tag c, tag d"
        found.append(
            Source(
                key=SampleKey(0, path),
                name=path.name,
                repeats=1 + number % 3,
                size=size,
                placement=placement,
                caption=caption,
                settings=SampleSettings(rules=RULES),
            )
        )
    return found
