"""Buckets: which training size a picture gets, and how it is scaled and cut for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from trainer_core.dataset.pictures import Size
from trainer_core.errors import DatasetError, SettingsError
from trainer_core.texts import T

MAX_CUT = 64
"""A picture is a sliver if less than one part in so many is left after the cut."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How a picture becomes a training sample.

    Attributes:
        bucket: The training size.
        resized: The size it is scaled to first; it covers the bucket.
        crop_offset: Left and top of the cut inside the scaled picture.
        ar_error: The bucket's width / height less the picture's.
    """

    bucket: Size
    resized: Size
    crop_offset: Size
    ar_error: float

    @property
    def kept(self) -> tuple[float, float, float, float]:
        """Left, top, width and height of what the cut keeps, as shares of the whole picture."""
        (left, top), (width, height) = self.crop_offset, self.bucket
        whole_width, whole_height = self.resized
        return left / whole_width, top / whole_height, width / whole_width, height / whole_height


@dataclass(frozen=True)
class BucketRules:
    """The settings that decide the buckets, by their own names; all in pixels.

    Raises:
        SettingsError: They leave no bucket for the resolution.

    Source of the arithmetic: sd-scripts, ``model_util.make_bucket_resolutions`` and
    ``train_util.BucketManager``.
    """

    resolution: Size
    enable_bucket: bool = True
    min_bucket_reso: int = 256
    max_bucket_reso: int = 2048
    bucket_reso_steps: int = 64
    bucket_no_upscale: bool = True

    def __post_init__(self) -> None:
        if not self.enable_bucket:
            return
        shorter, longer = sorted(self.resolution)
        if self.bucket_reso_steps > shorter:
            raise SettingsError(
                T("Errors", "The bucket step, {step} px, is larger than the resolution's {side}."),
                T("Errors", "Lower the bucket step or raise the resolution."),
                setting="buckets.bucket_reso_steps",
                step=self.bucket_reso_steps,
                side=shorter,
            )
        if not self.bucket_no_upscale:
            self._check_limits(shorter, longer)

    @property
    def limits(self) -> tuple[int, int]:
        """The shortest and longest side of a bucket: multiples of the step."""
        step = self.bucket_reso_steps
        return self._floor(self.min_bucket_reso), -(-self.max_bucket_reso // step) * step

    @cached_property
    def buckets(self) -> tuple[Size, ...]:
        """The buckets to choose from, sorted; none where every picture makes its own."""
        if not self.enable_bucket:
            return (self.resolution,)
        if self.bucket_no_upscale:
            return ()
        low, high = self.limits
        square = self._floor(math.sqrt(self._area))
        found = {(square, square)}
        for width in range(low, high + 1, self.bucket_reso_steps):
            height = min(high, self._floor(self._area // width))
            if height >= low:
                found |= {(width, height), (height, width)}
        return tuple(sorted(found))

    def place(self, size: Size) -> Placement | None:
        """Return the placement of a picture of ``size``.

        None if it is too thin or too small: without upscaling a side of its bucket would be 0.
        """
        if self.buckets:
            bucket = self._nearest(size)
            resized = _cover(size, bucket)
        else:
            shrunk = self._shrink(size)
            if shrunk is None:
                return None
            resized, bucket = shrunk, self._floored(shrunk)
        return Placement(
            bucket=bucket,
            resized=resized,
            crop_offset=((resized[0] - bucket[0]) // 2, (resized[1] - bucket[1]) // 2),
            ar_error=_ratio(bucket) - _ratio(size),
        )

    @property
    def _area(self) -> int:
        return math.prod(self.resolution)

    def _floor(self, side: float) -> int:
        return int(side // self.bucket_reso_steps) * self.bucket_reso_steps

    def _floored(self, size: Size) -> Size:
        return self._floor(size[0]), self._floor(size[1])

    def _nearest(self, size: Size) -> Size:
        if size in self.buckets:
            return size
        ratio = _ratio(size)
        return min(self.buckets, key=lambda bucket: abs(_ratio(bucket) - ratio))

    def _shrink(self, size: Size) -> Size | None:
        """Scale down to the area, one side a multiple of the step; the better of both ways."""
        if math.prod(size) <= self._area:
            return size if 0 not in self._floored(size) else None
        ratio = _ratio(size)
        width = math.sqrt(self._area * ratio)
        by_width = self._floor(_rounded(width))
        by_height = self._floor(_rounded(self._area / width))
        ways = ((_rounded(by_height * ratio), by_height), (by_width, _rounded(by_width / ratio)))
        usable = [way for way in ways if 0 not in self._floored(way)]
        return min(usable, key=lambda way: abs(_ratio(self._floored(way)) - ratio), default=None)

    def _check_limits(self, shorter: int, longer: int) -> None:
        low, high = self.limits
        if not 0 < low <= shorter:
            raise SettingsError(
                T("Errors", "The smallest bucket side, {low} px, does not fit {side} px."),
                T("Errors", "It must be at least the bucket step, at most the resolution."),
                setting="buckets.min_bucket_reso",
                low=self.min_bucket_reso,
                side=shorter,
            )
        if high < longer:
            raise SettingsError(
                T(
                    "Errors",
                    "The largest bucket side, {high} px, is below {side} px.",
                ),
                T("Errors", "Raise it to the longer side of the resolution at least."),
                setting="buckets.max_bucket_reso",
                high=self.max_bucket_reso,
                side=longer,
            )


def told_offset(size: Size, bucket: Size, *, is_flipped: bool) -> Size:
    """Return left and top of the cut as a denoiser is told of them that is told of cuts.

    They are not those of the cut itself: they say where the whole picture would lie in the bucket
    if it were fitted into it (behaviours 3). A mirrored picture lies at the other side.

    Args:
        size: Of the upright picture.
        bucket: The training size.
        is_flipped: Whether the picture is mirrored left to right.

    Source: sd-scripts, ``train_util.BucketManager.get_crop_ltrb``.
    """
    (bucket_width, bucket_height), ratio = bucket, _ratio(size)
    width: float = bucket_width
    height: float = bucket_height
    if _ratio(bucket) > ratio:
        width = bucket_height * ratio
    else:
        height = bucket_width / ratio
    left, top = (bucket_width - width) // 2, (bucket_height - height) // 2
    return int(bucket_width - (left + width) if is_flipped else left), int(top)


def is_sliver(placement: Placement) -> bool:
    """Tell whether nearly all of a picture is cut away; scaled whole, it could fill the memory."""
    return math.prod(placement.resized) > MAX_CUT * math.prod(placement.bucket)


def too_thin(path: Path, size: Size) -> DatasetError:
    """Return the error for a picture that `BucketRules.place` has no bucket for."""
    return DatasetError(
        T("Errors", "The picture {path} is too thin or too small: {width} x {height} pixels."),
        T("Errors", "Cut or enlarge it, or remove it."),
        picture=str(path),
        path=path,
        width=size[0],
        height=size[1],
    )


def _ratio(size: Size) -> float:
    return size[0] / size[1]


def _rounded(value: float) -> int:
    return int(value + 0.5)


def _cover(size: Size, bucket: Size) -> Size:
    """Scale a picture to cover the bucket."""
    wider = _ratio(size) > _ratio(bucket)
    factor = bucket[1] / size[1] if wider else bucket[0] / size[0]
    return _rounded(size[0] * factor), _rounded(size[1] * factor)
