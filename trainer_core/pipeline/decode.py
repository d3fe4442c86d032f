"""From a picture file to the pixels of its bucket."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from trainer_core.dataset.buckets import Placement
from trainer_core.dataset.pictures import open_rgb


def load_pixels(path: Path, placement: Placement, *, flip: bool) -> Tensor:
    """Return a picture scaled and cropped for its bucket: CHW, float32 in [-1, 1], on the CPU.

    Raises:
        DatasetError: The picture cannot be decoded; the error names it.
    """
    picture = open_rgb(path)
    if picture.size != placement.resized:
        picture = picture.resize(placement.resized, Image.Resampling.LANCZOS)
    left, top = placement.crop_offset
    width, height = placement.bucket
    picture = picture.crop((left, top, left + width, top + height))
    if flip:
        picture = ImageOps.mirror(picture)
    pixels_HWC = torch.from_numpy(np.array(picture, dtype=np.uint8))
    return pixels_HWC.permute(2, 0, 1).float() / 127.5 - 1.0
