"""Changed colours are those of the formulas."""

from __future__ import annotations

import colorsys
import random

import numpy as np
import pytest

from trainer_core.dataset.augmentation.colours import ColourChange, draw_colour_change
from trainer_core.pipeline.colour_changes import changed_colours

PIXELS = np.random.default_rng(3).integers(0, 256, (12, 9, 3), np.uint8)
PIXELS[0, :3] = [(0, 0, 0), (255, 255, 255), (90, 90, 90)]


@pytest.mark.parametrize("degrees", [-16.0, -3.5, 7.0, 16.0])
def test_every_hue_is_turned_and_nothing_else(degrees: float) -> None:
    turned = changed_colours(PIXELS, ColourChange(hue_degrees=degrees))

    for before, after in zip(PIXELS.reshape(-1, 3), turned.reshape(-1, 3), strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*(before / 255))
        expected = colorsys.hsv_to_rgb((hue + degrees / 360) % 1, saturation, value)
        np.testing.assert_allclose(after, np.array(expected) * 255, atol=0.5 + 1e-6)


@pytest.mark.parametrize("gamma", [0.95, 1.05])
def test_gamma_acts_on_the_share_of_white(gamma: float) -> None:
    changed = changed_colours(PIXELS, ColourChange(gamma=gamma))

    np.testing.assert_allclose(changed, 255 * (PIXELS / 255) ** gamma, atol=0.5 + 1e-6)
    assert changed[0, 0].tolist() == [0, 0, 0]
    assert changed[0, 1].tolist() == [255, 255, 255]


def test_a_third_is_changed_half_in_hue_and_half_in_gamma() -> None:
    # parameters.json, color_aug: "with probability 1/3 either a small hue shift or gamma".
    rng, count = random.Random(1), 30_000
    draws = [draw_colour_change(rng) for _ in range(count)]

    changes = [each for each in draws if each is not None]
    hues = [each.hue_degrees for each in changes if each.hue_degrees]
    gammas = [each.gamma for each in changes if each.gamma != 1]
    assert len(changes) / count == pytest.approx(0.33, abs=0.01)
    assert len(hues) / len(changes) == pytest.approx(0.5, abs=0.02)
    assert len(hues) + len(gammas) == len(changes)
    assert -16 <= min(hues) < -15.9 < 15.9 < max(hues) <= 16
    assert 0.95 <= min(gammas) < 0.9505 < 1.0495 < max(gammas) <= 1.05
