"""Where cuts are: within the picture, everywhere, and around the face that a name tells of."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from trainer_core.dataset.augmentation.crops import Face, face_cut, face_in_name, random_cut
from trainer_core.dataset.buckets import BucketRules, Placement

SQUARE = BucketRules((512, 512), enable_bucket=False)


def placed(size: tuple[int, int]) -> Placement:
    placement = SQUARE.place(size)
    assert placement is not None
    return placement


def cut(
    size: tuple[int, int],
    face: Face,
    faces: tuple[float, float],
    *,
    is_random: bool = False,
    seed: int = 0,
) -> Placement:
    rng = random.Random(seed)
    return face_cut(placed(size), size, face, faces, is_random=is_random, rng=rng)


# ------------------------------------------------------------------ at random


def test_a_random_cut_lies_at_every_place_alike() -> None:
    placement = Placement((64, 32), (67, 32), (1, 0), 0.0)
    rng = random.Random(1)

    places = Counter(random_cut(placement, rng).crop_offset for _ in range(8000))
    assert set(places) == {(0, 0), (1, 0), (2, 0), (3, 0)}
    assert all(count == pytest.approx(2000, rel=0.1) for count in places.values())


def test_a_random_cut_keeps_the_rest_of_the_placement() -> None:
    placement = placed((1000, 600))

    found = random_cut(placement, random.Random(2))
    assert (found.bucket, found.resized) == (placement.bucket, placement.resized)
    assert found.ar_error == placement.ar_error


# ------------------------------------------------------------------ faces


@pytest.mark.parametrize(
    ("name", "face"),
    [
        ("a_100_80_40_50.png", Face(100, 80, 40, 50)),
        ("my_cat_1_2_3_4.jpg", Face(1, 2, 3, 4)),
        ("100_80_40_50.png", None),  # no name before it: only four parts
        ("a_0_80_40_50.png", None),  # the reference trainer's sign of no face
        ("a_100_80_0_0.png", None),
        ("a_100_80_40_x.png", None),
        ("a_100_80_-4_50.png", None),
        ("a.png", None),
    ],
)
def test_the_end_of_a_name_tells_of_a_face(name: str, face: Face | None) -> None:
    assert face_in_name(Path(name)) == face


def test_a_face_is_in_the_middle_and_as_large_as_asked() -> None:
    # The shorter side, 512, is to be 4 times the face of 256: scaled to 128 / 256 = 0.5.
    found = cut((2000, 1600), Face(1200, 700, 256, 200), (4.0, 4.0))

    assert found.resized == (1000, 800)
    assert found.crop_offset == (600 - 256, 350 - 256)


def test_a_cut_round_a_face_ends_at_the_edges() -> None:
    found = cut((2000, 1600), Face(1990, 10, 256, 200), (4.0, 4.0))

    assert found.crop_offset == (1000 - 512, 0)


def test_no_picture_is_enlarged_for_a_small_face_nor_shrunk_below_its_bucket() -> None:
    # A face of 20 px would want 512 / (20 * 4) = 6.4; one of 900 px 512 / 3600 = 0.14.
    assert cut((2000, 1600), Face(900, 700, 20, 20), (4.0, 4.0)).resized == (2000, 1600)
    assert cut((2000, 1600), Face(900, 700, 900, 20), (4.0, 4.0)).resized == (640, 512)
    assert cut((300, 200), Face(100, 100, 20, 20), (4.0, 4.0)).resized == (768, 512)


def test_the_size_of_a_face_is_drawn_between_both_ends() -> None:
    # 512 / (256 * 4) = 0.5 to 512 / (256 * 2) = 1.
    size, face = (2000, 1600), Face(1200, 700, 256, 200)
    scales = [cut(size, face, (2.0, 4.0), seed=seed).resized[0] / 2000 for seed in range(300)]

    assert 0.5 <= min(scales) < 0.52
    assert 0.98 < max(scales) <= 1.0


def test_with_random_cuts_a_face_is_seldom_at_the_edge() -> None:
    # The sum of two even draws is a triangle around the face.
    size, face = (2000, 1600), Face(1000, 800, 256, 200)
    lefts = [
        cut(size, face, (4.0, 4.0), is_random=True, seed=seed).crop_offset[0] for seed in range(600)
    ]
    at_centre = 500 - 256

    assert all(0 <= left <= 1000 - 512 for left in lefts)
    # P(|sum of two draws in 0..500, less 500| <= 122) = 1 - (1 - 122 / 500)^2 = 0.43.
    near = sum(abs(left - at_centre) <= 122 for left in lefts)
    assert near / len(lefts) == pytest.approx(0.43, abs=0.06)


def test_a_picture_of_the_buckets_size_is_left_whole() -> None:
    assert cut((512, 512), Face(10, 10, 50, 50), (2.0, 4.0)) == placed((512, 512))
