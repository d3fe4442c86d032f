"""Small changes of a picture's colours.

Shape suffixes: H and W rows and columns, C colours.
"""

from __future__ import annotations

import numpy as np

from trainer_core.dataset.augmentation.colours import ColourChange
from trainer_core.pipeline.resampling import Numbers, Pixels


def changed_colours(pixels_HWC: Pixels, change: ColourChange) -> Pixels:
    """Return an RGB picture, 8 bit, with its colours changed: first the hue, then the gamma.

    Gamma acts on the share of white, 0 to 1, as in albumentations' ``RandomGamma``. (The reference
    trainer raises levels of 0 to 255, by which a gamma of 0.95 makes white a grey of 193.)
    """
    shares_HWC = pixels_HWC / 255.0
    if change.hue_degrees:
        shares_HWC = _turned(shares_HWC, change.hue_degrees)
    if change.gamma != 1:
        shares_HWC = shares_HWC**change.gamma
    levels_HWC: Pixels = np.rint(shares_HWC * 255).clip(0, 255).astype(np.uint8)
    return levels_HWC


def _turned(shares_HWC: Numbers, degrees: float) -> Numbers:
    """Return colours of other hues with the value and the chroma that they had.

    Source: Smith 1978, "Color gamut transform pairs", the hexcone model (HSV).
    """
    red_HW, green_HW, blue_HW = np.moveaxis(shares_HWC, -1, 0)
    value_HW = shares_HWC.max(-1)
    chroma_HW = value_HW - shares_HWC.min(-1)
    safe_HW = np.where(chroma_HW > 0, chroma_HW, 1)
    sector_HW = np.select(
        [value_HW == red_HW, value_HW == green_HW],
        [(green_HW - blue_HW) / safe_HW, 2 + (blue_HW - red_HW) / safe_HW],
        4 + (red_HW - green_HW) / safe_HW,
    )
    sector_HW = sector_HW + degrees / 60
    colours = []
    for first in (5, 3, 1):  # red, green, blue
        place_HW = (first + sector_HW) % 6
        share_HW = np.minimum(place_HW, 4 - place_HW).clip(0, 1)
        colours.append(value_HW - chroma_HW * share_HW)
    return np.stack(colours, -1)
