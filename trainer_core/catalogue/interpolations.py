"""The filters that scale pictures to their training size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainer_core.catalogue.entry import Entry
from trainer_core.texts import T


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpolationEntry(Entry):
    """A filter; ``implementation`` makes the pixels of a bucket from a picture and its placement.

    Attributes:
        shrinking: For a choice that depends on the picture: the filter where it becomes smaller.
        enlarging: The filter where it becomes larger.
    """

    shrinking: str = ""
    enlarging: str = ""


_ROOM = "trainer_core.pipeline.resampling"

INTERPOLATIONS: Mapping[str, InterpolationEntry] = {
    "auto": InterpolationEntry(
        label=T("Settings", "Automatic"),
        help=T("Settings", "Area where a picture shrinks, Lanczos where it grows."),
        shrinking="area",
        enlarging="lanczos",
    ),
    "area": InterpolationEntry(
        label=T("Settings", "Area"),
        help=T("Settings", "The average of everything that a new pixel covers."),
        implementation=f"{_ROOM}:area",
    ),
    "lanczos": InterpolationEntry(
        label=T("Settings", "Lanczos"),
        help=T("Settings", "Sharper than area, with faint halos along edges."),
        implementation=f"{_ROOM}:lanczos",
    ),
    "bicubic": InterpolationEntry(
        label=T("Settings", "Bicubic"),
        help=T("Settings", "Looks at 16 pixels: rough where pictures shrink a lot."),
        implementation=f"{_ROOM}:bicubic",
    ),
    "cubic": InterpolationEntry(
        label=T("Settings", "Cubic (as bicubic)"),
        help=T("Settings", "Another name for bicubic."),
        implementation=f"{_ROOM}:bicubic",
    ),
    "bilinear": InterpolationEntry(
        label=T("Settings", "Bilinear"),
        help=T("Settings", "Looks at 4 pixels: rough where pictures shrink a lot."),
        implementation=f"{_ROOM}:bilinear",
    ),
    "linear": InterpolationEntry(
        label=T("Settings", "Linear (as bilinear)"),
        help=T("Settings", "Another name for bilinear."),
        implementation=f"{_ROOM}:bilinear",
    ),
    "nearest": InterpolationEntry(
        label=T("Settings", "Nearest"),
        help=T("Settings", "Takes single pixels. For pixel art."),
        implementation=f"{_ROOM}:nearest",
    ),
}


def acting_interpolation(
    wanted: str, size: tuple[int, int], resized: tuple[int, int]
) -> InterpolationEntry | None:
    """Return the filter that scales a picture of ``size`` to ``resized``, both width and height.

    None if it has that size already.
    """
    if size == resized:
        return None
    entry = INTERPOLATIONS[wanted]
    if not entry.shrinking:
        return entry
    shrinks = all(now >= then for now, then in zip(size, resized, strict=True))
    return INTERPOLATIONS[entry.shrinking if shrinks else entry.enlarging]
