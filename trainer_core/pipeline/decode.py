"""From a picture file to the pixels of its bucket."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from trainer_core.dataset.buckets import Placement
from trainer_core.dataset.pictures import open_rgb
from trainer_core.pipeline.resampling import scaled_cut


def load_pixels(path: Path, placement: Placement, *, interpolation: str, flip: bool) -> Tensor:
    """Return a picture scaled and cropped for its bucket: CHW, float32 in [-1, 1], on the CPU.

    Args:
        path: The picture file.
        placement: How it is scaled and cropped.
        interpolation: The value of ``resize_interpolation``.
        flip: Whether it is mirrored.

    Raises:
        DatasetError: The picture cannot be decoded; the error names it.
    """
    cut_HWC = scaled_cut(open_rgb(path), placement, interpolation)
    if flip:
        cut_HWC = cut_HWC[:, ::-1].copy()
    pixels_HWC = torch.from_numpy(cut_HWC)
    return pixels_HWC.permute(2, 0, 1).float() / 127.5 - 1.0
