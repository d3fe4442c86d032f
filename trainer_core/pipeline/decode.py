"""From a picture file to the pixels of its bucket."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from trainer_core.dataset.augmentation.colours import ColourChange
from trainer_core.dataset.buckets import Placement
from trainer_core.dataset.pictures import Size, open_rgb
from trainer_core.errors import DatasetError
from trainer_core.pipeline.colour_changes import changed_colours
from trainer_core.pipeline.resampling import scaled_cut
from trainer_core.texts import T

HUGE_PIXELS = 2**25
"""Pictures above it, some 100 MB once decoded, are decoded one at a time."""

_one_at_a_time = threading.Lock()


def load_pixels(
    path: Path,
    placement: Placement,
    *,
    interpolation: str,
    flip: bool,
    size: Size | None = None,
    colour: ColourChange | None = None,
    keeps_transparent: bool = False,
) -> Tensor:
    """Return a picture scaled and cropped for its bucket: CHW, float32 in [-1, 1], on the CPU.

    Args:
        path: The picture file.
        placement: How it is scaled and cropped.
        interpolation: The value of ``resize_interpolation``.
        flip: Whether it is mirrored.
        size: What the placement was made for, if that is to be checked.
        colour: How its colours are changed, if they are.
        keeps_transparent: Whether transparent parts keep their colours; else they become white.

    Raises:
        DatasetError: The picture cannot be decoded, or has another size; the error names it.
    """
    with room_for(size):
        picture = open_rgb(path, keeps_transparent=keeps_transparent)
        check_size(path, picture.size, size)
        cut_HWC = scaled_cut(picture, placement, interpolation)
    if colour is not None:
        cut_HWC = changed_colours(cut_HWC, colour)
    if flip:
        cut_HWC = cut_HWC[:, ::-1].copy()
    pixels_HWC = torch.from_numpy(cut_HWC)
    return pixels_HWC.permute(2, 0, 1).float() / 127.5 - 1.0


@contextmanager
def room_for(size: Size | None) -> Iterator[None]:
    """Let a picture be decoded that fills much of the memory, while no other such one is."""
    is_huge = size is not None and math.prod(size) > HUGE_PIXELS
    with _one_at_a_time if is_huge else contextlib.nullcontext():
        yield


def check_size(path: Path, found: Size, expected: Size | None) -> None:
    """Refuse a picture that was replaced by one of another size.

    Raises:
        DatasetError: It was; the error names it.
    """
    if expected is not None and found != expected:
        raise DatasetError(
            T(
                "Errors",
                "{path} has changed since the start: it is {width} x {height} pixels now.",
            ),
            T("Errors", "Leave the pictures as they are while they are trained; start again."),
            picture=str(path),
            path=path,
            width=found[0],
            height=found[1],
        )
