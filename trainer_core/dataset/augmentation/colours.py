"""The draw of a small change of colours."""

from __future__ import annotations

import random
from typing import NamedTuple

# Source: sd-scripts, train_util.AugHelper. A third of the showings is changed; of these one half in
# hue, by up to 8 of OpenCV's steps of 2 degrees, and one half in gamma.
_SHARE = 0.33
_HUE_DEGREES = 16.0
_GAMMA = (0.95, 1.05)


class ColourChange(NamedTuple):
    """How the colours of a picture are changed.

    Attributes:
        hue_degrees: What every hue is turned by.
        gamma: The power that each colour's share of white is raised to.
    """

    hue_degrees: float = 0.0
    gamma: float = 1.0


def draw_colour_change(rng: random.Random) -> ColourChange | None:
    """Return the change of one showing; None for the two thirds that stay as they are."""
    if rng.random() > _SHARE:
        return None
    if rng.random() > 0.5:
        return ColourChange(hue_degrees=rng.uniform(-_HUE_DEGREES, _HUE_DEGREES))
    return ColourChange(gamma=rng.uniform(*_GAMMA))
