"""Pictures scaled to what their bucket asks for, by the filter that a setting names.

Each filter gives only what the cut keeps, so that the sliver of a long picture costs no more than
any other.

Shape suffixes: H and W rows and columns, C colours, X everything that is not counted along.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.interpolations import acting_interpolation
from trainer_core.dataset.buckets import Placement, is_sliver

Pixels = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.float64]


def scaled_cut(picture: Image.Image, placement: Placement, interpolation: str) -> Pixels:
    """Return an RGB picture scaled and cut for its bucket: HWC, 8 bit.

    Args:
        picture: Upright, of the size that the placement was made for.
        placement: How it is scaled and cut.
        interpolation: The value of ``resize_interpolation``.
    """
    entry = acting_interpolation(interpolation, picture.size, placement.resized)
    if entry is None:
        return np.array(picture.crop(_box(placement)), dtype=np.uint8)
    pixels_HWC: Pixels = implementation(entry.implementation)(picture, placement)
    return pixels_HWC


def _box(placement: Placement) -> tuple[int, int, int, int]:
    (left, top), (width, height) = placement.crop_offset, placement.bucket
    return left, top, left + width, top + height


def lanczos(picture: Image.Image, placement: Placement) -> Pixels:
    """Scale as Pillow does, which weighs all pixels in reach when it shrinks."""
    method = Image.Resampling.LANCZOS
    if not is_sliver(placement):
        cut = picture.resize(placement.resized, method).crop(_box(placement))
    else:  # scaled whole, it could fill the memory
        x, y = (now / then for now, then in zip(picture.size, placement.resized, strict=True))
        left, top, right, bottom = _box(placement)
        box = (left * x, top * y, right * x, bottom * y)
        cut = picture.resize(placement.bucket, method, box)
    return np.array(cut, dtype=np.uint8)


class Axis(NamedTuple):
    """One side of a picture on its way into the bucket, in pixels.

    Attributes:
        size: Before.
        scaled: After, before the cut.
        start: Where the cut begins in the scaled picture.
        kept: What the cut keeps of it.
    """

    size: int
    scaled: int
    start: int
    kept: int

    @property
    def seen(self) -> slice:
        """What of the picture the cut and the pixels round it come from."""
        begin = self.start * self.size // self.scaled
        end = -(-(self.start + self.kept) * self.size // self.scaled)
        return slice(max(0, begin - _REACH), min(self.size, end + _REACH))


_REACH = 2  # pixels that a filter may look at beyond what is kept, on each side


def _opened(picture: Image.Image, placement: Placement) -> tuple[Pixels, Axis, Axis]:
    """Return what the cut comes from, as rows and columns, with both sides: down, and across."""
    sides = zip(
        picture.size, placement.resized, placement.crop_offset, placement.bucket, strict=True
    )
    across, down = (Axis(*side) for side in sides)
    return np.asarray(picture, dtype=np.uint8)[down.seen, across.seen], down, across


# ---------------------------------------------------------------- the average of an area


def area(picture: Image.Image, placement: Placement) -> Pixels:
    """Return the mean of what each new pixel covers, parts of pixels counted by their share.

    It is exact: the sums are whole numbers, rounded once, halves up. (Pillow's BOX counts a pixel
    whole or not at all.)
    """
    pixels_HWC, down, across = _opened(picture, placement)
    height, width, _ = pixels_HWC.shape
    rows_HWC = _covered(pixels_HWC.reshape(height, -1), down).reshape(down.kept, width, -1)
    columns_WX = rows_HWC.swapaxes(0, 1).reshape(width, -1)
    sums_WHC = _covered(columns_WX, across).reshape(across.kept, down.kept, -1)
    means_WHC = np.floor(sums_WHC / (down.size * across.size) + 0.5)
    return np.ascontiguousarray(means_WHC.swapaxes(0, 1), dtype=np.uint8)


def _covered(lines: npt.NDArray[Any], axis: Axis) -> Numbers:
    """Return ``scaled`` times the sum of the lines that each new one covers: whole numbers.

    New line i covers the old ones from i * size / scaled to (i + 1) * size / scaled: of the first
    and the last a share, whose numerator over ``scaled`` is a remainder.
    """
    # So that no sum outgrows the whole numbers that the type holds: of bytes mostly the small one.
    is_small = lines.dtype == np.uint8 and 255 * axis.size < 2**24
    exact: type[np.floating[Any]] = np.float32 if is_small else np.float64
    sums, origin = np.empty((axis.kept, lines.shape[1])), axis.seen.start
    for number in range(axis.kept):
        place = axis.start + number
        begin, before = divmod(place * axis.size, axis.scaled)
        end, behind = divmod((place + 1) * axis.size, axis.scaled)
        weights = np.full(end - begin + 1, axis.scaled, exact)
        weights[-1] = behind
        weights[0] -= before
        taken = lines[begin - origin : end + 1 - origin].astype(exact)
        sums[number] = np.dot(weights[: len(taken)], taken)
    return sums


# ---------------------------------------------------------------- filters that look at points


Kernel = Callable[[Numbers], list[Numbers]]
"""From a place between two pixels, 0 to 1, to the weights of the pixels round it."""


def nearest(picture: Image.Image, placement: Placement) -> Pixels:
    """Take the pixel that the middle of each new one lies in."""
    return _sampled(picture, placement, _nearer)


def bilinear(picture: Image.Image, placement: Placement) -> Pixels:
    """Weigh the 4 pixels round the middle of each new one."""
    return _sampled(picture, placement, lambda place: [1 - place, place])


def bicubic(picture: Image.Image, placement: Placement) -> Pixels:
    """Weigh the 16 pixels round the middle of each new one."""
    return _sampled(picture, placement, _cubic)


def _nearer(place: Numbers) -> list[Numbers]:
    is_second = (place >= 0.5).astype(np.float64)
    return [1 - is_second, is_second]


def _cubic(place: Numbers) -> list[Numbers]:
    """Return Keys' weights (IEEE ASSP 29, 1981, equation 8) for a = -0.75, as OpenCV has it."""
    a = -0.75
    near = [((a + 2) * x - (a + 3)) * x * x + 1 for x in (place, 1 - place)]
    far = [((a * x - 5 * a) * x + 8 * a) * x - 4 * a for x in (1 + place, 2 - place)]
    return [far[0], *near, far[1]]


def _sampled(picture: Image.Image, placement: Placement, kernel: Kernel) -> Pixels:
    """Return what the kernel makes of the pixels round the middle of each new one.

    Where a picture shrinks, those between are passed over, as in the reference trainer.
    """
    pixels_HWC, down, across = _opened(picture, placement)
    rows_HWC = _along(pixels_HWC, down, kernel)
    values_WHC = _along(rows_HWC.swapaxes(0, 1), across, kernel)
    values_HWC = np.clip(np.rint(values_WHC), 0, 255).swapaxes(0, 1)
    return np.ascontiguousarray(values_HWC, dtype=np.uint8)


def _along(values: npt.NDArray[Any], axis: Axis, kernel: Kernel) -> Numbers:
    """Return the weighted sums along the first axis; edge pixels go on beyond the edge."""
    middles = np.arange(axis.start, axis.start + axis.kept) + 0.5
    places = middles * axis.size / axis.scaled - 0.5
    before = np.floor(places)
    weights = kernel(places - before)
    first = before.astype(np.int64) - (len(weights) // 2 - 1)
    sums = np.zeros((axis.kept, *values.shape[1:]))
    for number, weight in enumerate(weights):
        taken = values[np.clip(first + number, 0, axis.size - 1) - axis.seen.start]
        sums += weight.reshape(-1, *[1] * (values.ndim - 1)) * taken
    return sums
