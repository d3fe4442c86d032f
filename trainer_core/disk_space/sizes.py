"""How large one file of a run becomes, from what is in it.

Numbers are counted exactly; what stands around them is an upper bound, of which each constant says
what it is for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

Shape = tuple[int, ...]

_FLOAT32 = 4
#: A block of the disk for a file's end, and for its name in the folder.
_FILE = 2 * 4096
#: Of one tensor in a safetensors header: its name, type, shape and place.
_ENTRY = 256
#: What a weights file says of its run, but for the captions' tags.
_NOTES = 48 * 1024
#: A tag of a caption stands once for each folder in the notes, in quotes and with its count;
#: what is not ASCII is escaped.
_OF_CAPTIONS = 4
#: Settings, generators, manifest and plain data of a state.
_STATE = 64 * 1024
#: Of one trained tensor in a state: its place there and in the optimizer's outline, and the entries
#: of what the optimizer remembers of it.
_STATE_ENTRY = 1536
#: One event of a step, and a step's share of all others and of the log.
_STEP = 768
#: What a run writes of itself beside that: settings, plan, log of its start.
_RECORDS = 128 * 1024
#: Settings of a sample picture, in the picture.
_PICTURE_NOTES = 16 * 1024
#: Header and checksum of a cached latent.
_LATENT = 512


def weights_bytes(shapes: Sequence[Shape], item_bytes: int, caption_bytes: int) -> int:
    """Return the most bytes of a weights file.

    Args:
        shapes: Of all its tensors.
        item_bytes: Of one number in it.
        caption_bytes: Of all captions together, in UTF-8.
    """
    numbers = sum(map(math.prod, shapes))
    notes = _NOTES + _OF_CAPTIONS * caption_bytes
    return numbers * item_bytes + len(shapes) * _ENTRY + notes + _FILE


def state_bytes(shapes: Iterable[Shape], remembered: Callable[[Shape], int]) -> int:
    """Return the most bytes of a state: the weights in float32, and what the optimizer remembers.

    Args:
        shapes: Of all tensors in a weights file; single numbers are not trained.
        remembered: Gives the bytes that the optimizer keeps of a weight of a shape.
    """
    total = _STATE + 5 * _FILE
    for shape in shapes:
        total += math.prod(shape) * _FLOAT32 + (remembered(shape) if shape else 0) + _STATE_ENTRY
    return total


def picture_bytes(width_px: int, height_px: int) -> int:
    """Return the most bytes of an RGB picture as PNG: of one that cannot be compressed.

    A row has a byte for its filter; zlib adds no more than its ``compressBound``; the data stand
    in chunks of 64 KiB with 12 bytes round each.
    """
    raw = (3 * width_px + 1) * height_px
    packed = raw + (raw >> 12) + (raw >> 14) + (raw >> 25) + 13
    return packed + 12 * (packed // 65536 + 4) + _PICTURE_NOTES + _FILE


def latent_bytes(width_px: int, height_px: int, *, channels: int, pixels_per_latent: int) -> int:
    """Return the most bytes of a cached latent: mean and deviation, float32."""
    cells = (width_px // pixels_per_latent) * (height_px // pixels_per_latent)
    return 2 * _FLOAT32 * channels * cells + _LATENT + _FILE


def record_bytes(total_steps: int) -> int:
    """Return the most bytes of a run's events, log and settings."""
    return _RECORDS + total_steps * _STEP
