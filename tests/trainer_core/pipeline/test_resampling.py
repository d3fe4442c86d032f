"""Every filter gives what its formula says, whatever is cut away."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from trainer_core.catalogue.interpolations import INTERPOLATIONS, acting_interpolation
from trainer_core.dataset.buckets import BucketRules, Placement, is_sliver
from trainer_core.dataset.pictures import Size
from trainer_core.pipeline.resampling import scaled_cut

Weigh = Callable[[int, int, int], list[float]]  # size, scaled size, new pixel -> of each old one
CASES = [((40, 30), (24, 18)), ((37, 23), (19, 11)), ((9, 31), (7, 24)), ((64, 64), (32, 32))]
GROWING = [((20, 15), (32, 24)), ((7, 9), (18, 23))]


def noise(size: Size, seed: int = 0) -> Image.Image:
    width, height = size
    generator = np.random.default_rng(seed)
    return Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8))


def uncut(size: Size) -> Placement:
    return Placement(size, size, (0, 0), 0.0)


def weighed(picture: Image.Image, scaled: Size, weigh: Weigh) -> npt.NDArray[np.float64]:
    """Return the sums that a separable filter's weights give, one new pixel after the other."""
    (width, height), (wide, high) = picture.size, scaled
    across = np.array([weigh(width, wide, place) for place in range(wide)])
    down = np.array([weigh(height, high, place) for place in range(high)])
    return np.einsum("ih,hwc,jw->ijc", down, np.asarray(picture, dtype=float), across)


def share_covered(size: int, scaled: int, place: int) -> list[float]:
    """Return the share that each old pixel has in what the new one covers."""
    begin, end = Fraction(place * size, scaled), Fraction((place + 1) * size, scaled)
    overlap = (max(Fraction(0), min(end, old + 1) - max(begin, old)) for old in range(size))
    return [float(part / (end - begin)) for part in overlap]


def at_points(kernel: Callable[[float], float]) -> Weigh:
    """Return the weights of a kernel round the middle of a new pixel; edge pixels go on."""

    def weigh(size: int, scaled: int, place: int) -> list[float]:
        middle = (place + 0.5) * size / scaled - 0.5
        weights = [0.0] * size
        for old in range(math.floor(middle) - 3, math.floor(middle) + 5):
            weights[min(max(old, 0), size - 1)] += kernel(old - middle)
        return weights

    return weigh


def keys_cubic(x: float) -> float:
    """Return the kernel of Keys, IEEE ASSP 29 (1981), with a = -0.75."""
    a, x = -0.75, abs(x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


FORMULAS: dict[str, Weigh] = {
    "area": share_covered,
    "bilinear": at_points(lambda x: max(0.0, 1 - abs(x))),
    "bicubic": at_points(keys_cubic),
    "nearest": at_points(lambda x: float(-0.5 < x <= 0.5)),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize(("size", "scaled"), CASES + GROWING)
def test_a_filter_gives_what_its_formula_says(name: str, size: Size, scaled: Size) -> None:
    picture = noise(size)
    found = scaled_cut(picture, uncut(scaled), name)

    assert (found.shape, found.dtype) == ((scaled[1], scaled[0], 3), np.uint8)
    exact = np.clip(weighed(picture, scaled, FORMULAS[name]), 0, 255)
    np.testing.assert_allclose(found, exact, rtol=0, atol=0.5 + 1e-9)


def test_an_average_of_half_a_level_is_rounded_up() -> None:
    picture = Image.fromarray(np.array([[[0] * 3, [1] * 3], [[0] * 3, [1] * 3]], dtype=np.uint8))

    assert scaled_cut(picture, uncut((1, 1)), "area").tolist() == [[[1, 1, 1]]]


def test_white_stays_white_however_much_it_shrinks() -> None:
    white = Image.new("RGB", (4001, 1001), "white")

    assert (scaled_cut(white, uncut((511, 128)), "area") == 255).all()


@pytest.mark.parametrize(("size", "scaled"), CASES + GROWING)
def test_lanczos_is_pillow_s(size: Size, scaled: Size) -> None:
    picture = noise(size)

    expected = np.asarray(picture.resize(scaled, Image.Resampling.LANCZOS))
    assert np.array_equal(scaled_cut(picture, uncut(scaled), "lanczos"), expected)


@pytest.mark.parametrize("name", INTERPOLATIONS)
@pytest.mark.parametrize("size", [(64, 48), (45, 71)])
def test_a_cut_is_that_of_the_whole_scaled_picture(name: str, size: Size) -> None:
    picture, scaled = noise(size), (50, 40)
    whole = scaled_cut(picture, uncut(scaled), name)

    cut = scaled_cut(picture, Placement((32, 24), scaled, (11, 9), 0.0), name)
    assert np.array_equal(cut, whole[9 : 9 + 24, 11 : 11 + 32])


@pytest.mark.parametrize("name", INTERPOLATIONS)
def test_a_picture_that_is_not_scaled_keeps_every_pixel(name: str) -> None:
    picture = noise((70, 64))

    cut = scaled_cut(picture, Placement((64, 64), (70, 64), (3, 0), 0.0), name)
    assert np.array_equal(cut, np.asarray(picture)[:, 3:67])


@pytest.mark.parametrize(
    ("size", "resized", "filter_"),
    [
        ((100, 80), (64, 51), "area"),
        ((100, 80), (100, 79), "area"),
        ((40, 30), (64, 48), "lanczos"),
        ((40, 80), (64, 64), "lanczos"),
    ],
)
def test_auto_averages_where_both_sides_shrink(size: Size, resized: Size, filter_: str) -> None:
    assert acting_interpolation("auto", size, resized) == INTERPOLATIONS[filter_]


def test_two_names_of_a_filter_give_the_same() -> None:
    picture, placement = noise((50, 40)), uncut((32, 24))

    for name, other in (("linear", "bilinear"), ("cubic", "bicubic")):
        first, second = (scaled_cut(picture, placement, each) for each in (name, other))
        assert np.array_equal(first, second)


@pytest.mark.parametrize("name", INTERPOLATIONS)
def test_a_sliver_is_cut_from_its_middle_without_scaling_all_of_it(name: str) -> None:
    size = (1_000_000, 2)
    placement = BucketRules((512, 512), bucket_no_upscale=False).place(size)
    assert placement is not None
    assert is_sliver(placement)
    assert math.prod(placement.resized) > 10**10  # it would take 30 GB
    colours = np.zeros((2, 1_000_000, 3), dtype=np.uint8)
    colours[:, 499_990:500_010] = 200

    cut = scaled_cut(Image.fromarray(colours), placement, name)
    assert cut.shape == (placement.bucket[1], placement.bucket[0], 3)
    assert (cut == 200).all()
