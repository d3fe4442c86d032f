"""Where one showing of a picture is cut: at random, or around a face."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from trainer_core.dataset.buckets import Placement
from trainer_core.dataset.pictures import Size

FaceRange = tuple[float, float]
"""How many times the face the shorter side is: least and most."""

# Source: sd-scripts, train_util.BaseDataset.crop_target: a face of so many pixels is moved a bit.
_MOVED_FACE_PX = 40


class Face(NamedTuple):
    """Centre and size of a face, in pixels of the upright picture."""

    x: int
    y: int
    width: int
    height: int


def face_in_name(path: Path) -> Face | None:
    """Return the face that a file's name tells of: ``name_x_y_width_height``; None if of none."""
    parts = path.stem.split("_")
    numbers = parts[-4:]
    if len(parts) < 5 or not all(part.isascii() and part.isdigit() for part in numbers):
        return None
    face = Face(*map(int, numbers))
    return face if face.x > 0 and face.width + face.height > 0 else None


def random_cut(placement: Placement, rng: random.Random) -> Placement:
    """Return a placement with its cut at another place of the scaled picture, all alike likely."""
    left, top = (
        rng.randint(0, whole - kept)
        for whole, kept in zip(placement.resized, placement.bucket, strict=True)
    )
    return replace(placement, crop_offset=(left, top))


def face_cut(
    placement: Placement,
    size: Size,
    face: Face,
    faces: FaceRange,
    *,
    is_random: bool,
    rng: random.Random,
) -> Placement:
    """Return a placement whose cut has the face in its middle, as far as the picture reaches.

    Args:
        placement: Of the whole picture; its bucket is kept.
        size: Of the upright picture.
        face: Where the face is.
        faces: How many times the face the cut's shorter side is.
        is_random: Whether the cut is moved away from the face at random, seldom far.
        rng: Of the showing.

    Source: sd-scripts, ``train_util.BaseDataset.crop_target``.
    """
    if size == placement.bucket:
        return placement
    scale = _drawn_scale(placement.bucket, size, face, faces, rng)
    resized = (int(size[0] * scale + 0.5), int(size[1] * scale + 0.5))
    side = max(face.width, face.height)
    is_moved = faces[0] != faces[1] and side >= max(_MOVED_FACE_PX, min(placement.bucket) // 10 + 1)
    offset = [0, 0]
    for axis in (1, 0):  # the rows are drawn first
        kept, whole = placement.bucket[axis], resized[axis]
        centre = int(face[axis] * scale + 0.5)
        begin = centre - kept // 2
        if is_random:
            reach = max(whole - centre, centre)
            begin += rng.randint(0, reach) + rng.randint(0, reach) - reach
        elif is_moved:
            begin += rng.randint(-side // 20, side // 20)
        offset[axis] = max(0, min(begin, whole - kept))
    return replace(placement, resized=resized, crop_offset=(offset[0], offset[1]))


def _drawn_scale(
    bucket: Size, size: Size, face: Face, faces: FaceRange, rng: random.Random
) -> float:
    """Return what the picture is scaled by: it covers the bucket, and is not enlarged for a face.

    Unlike the reference trainer's, pictures smaller than the bucket are enlarged to cover it.
    """
    side = max(face.width, face.height)
    covering = max(wanted / there for wanted, there in zip(bucket, size, strict=True))
    least, most = (min(1.0, min(bucket) / (side * times)) for times in reversed(faces))
    lowest = max(covering, least)
    highest = max(lowest, most)
    return lowest if lowest >= highest else rng.uniform(lowest, highest)
