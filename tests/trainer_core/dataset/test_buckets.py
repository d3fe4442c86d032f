"""Buckets against the recorded ones, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import vectors

from trainer_core.dataset.buckets import BucketRules, Placement, is_sliver, told_offset
from trainer_core.errors import SettingsError

FILE = "buckets.json"
SETTINGS = (
    "enable_bucket",
    "min_bucket_reso",
    "max_bucket_reso",
    "bucket_reso_steps",
    "bucket_no_upscale",
)
CONFIGURATIONS = vectors.load(FILE)["cases"]
ACCEPTED = [
    (number, case) for number, case in enumerate(CONFIGURATIONS) if "config_error" not in case
]
REFUSED = [case for case in CONFIGURATIONS if "config_error" in case]


def rules_of(case: dict[str, Any]) -> BucketRules:
    settings = {name: case[name] for name in SETTINGS if name in case}
    return BucketRules(resolution=tuple(case["resolution"]), **settings)


def case_name(number: int, picture: dict[str, Any]) -> str:
    width, height = picture["image"]
    return f"cases.{number}/{width}x{height}"


def recorded_placement(picture: dict[str, Any]) -> dict[str, Any] | None:
    if "error" in picture:
        return None
    names = ("bucket", "resized", "crop_offset_xy", "ar_error")
    return {name: picture[name] for name in names if name in picture}


def as_recorded(placement: Placement | None, recorded: dict[str, Any] | None) -> Any:
    if placement is None:
        return None
    found = {
        "bucket": list(placement.bucket),
        "resized": list(placement.resized),
        "crop_offset_xy": list(placement.crop_offset),
        "ar_error": pytest.approx(placement.ar_error, rel=1e-12, abs=1e-15),
    }
    return {name: value for name, value in found.items() if recorded is None or name in recorded}


@pytest.mark.parametrize(("number", "case"), ACCEPTED, ids=lambda v: v if v is int else "")
def test_every_picture_is_placed_as_recorded(number: int, case: dict[str, Any]) -> None:
    rules = rules_of(case)
    for picture in case["cases"]:
        recorded = recorded_placement(picture)
        actual = as_recorded(rules.place(tuple(picture["image"])), recorded)
        vectors.check(FILE, case_name(number, picture), actual=actual, recorded=recorded)


def test_every_listed_deviation_is_a_recorded_case() -> None:
    names = [case_name(number, picture) for number, case in ACCEPTED for picture in case["cases"]]
    vectors.check_listing(FILE, names)


@pytest.mark.parametrize("case", [c for _, c in ACCEPTED if c.get("predefined_buckets")])
def test_bucket_list_is_the_recorded_one(case: dict[str, Any]) -> None:
    assert [list(bucket) for bucket in rules_of(case).buckets] == case["predefined_buckets"]


@pytest.mark.parametrize("case", [c for _, c in ACCEPTED if "adjusted_min_bucket_reso" in c])
def test_limits_are_rounded_to_the_step_as_recorded(case: dict[str, Any]) -> None:
    adjusted = (case["adjusted_min_bucket_reso"], case["adjusted_max_bucket_reso"])
    assert rules_of(case).limits == adjusted


@pytest.mark.parametrize("case", REFUSED)
def test_recorded_refusals_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        rules_of(case)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"min_bucket_reso": 576}, "smallest bucket side, 576 px"),
        ({"max_bucket_reso": 448}, "largest bucket side, 448 px"),
        ({"min_bucket_reso": 64, "bucket_reso_steps": 128}, "smallest bucket side, 64 px"),
        ({"bucket_reso_steps": 576}, "bucket step, 576 px"),
    ],
)
def test_rules_that_leave_no_bucket_are_refused_in_words(
    settings: dict[str, int], words: str
) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        BucketRules(resolution=(512, 512), bucket_no_upscale=False, **settings)
    assert caught.value.hint is not None


def test_limits_do_not_matter_without_upscaling() -> None:
    rules = BucketRules(resolution=(512, 512), min_bucket_reso=1024, max_bucket_reso=128)
    assert rules.place((512, 512)) == Placement((512, 512), (512, 512), (0, 0), 0.0)


@pytest.mark.parametrize("is_wide", [True, False])
def test_sides_of_buckets_go_down_from_the_resolution_in_steps(is_wide: bool) -> None:
    # guide-facts 152: 512 gives 512, 448, 384 and so on.
    rules = BucketRules((512, 512), min_bucket_reso=256, bucket_no_upscale=False)
    shorter = {bucket[is_wide] for bucket in rules.buckets if bucket[is_wide] <= 512}
    assert sorted(shorter, reverse=True) == [512, 448, 384, 320, 256]


def test_a_picture_of_500_px_is_cut_to_448_or_enlarged_to_512() -> None:
    # guide-facts 153: what is over is cut off without enlarging; else it is scaled.
    cut = BucketRules((512, 512)).place((500, 500))
    scaled = BucketRules((512, 512), bucket_no_upscale=False).place((500, 500))
    assert cut == Placement((448, 448), (500, 500), (26, 26), 0.0)
    assert scaled == Placement((512, 512), (512, 512), (0, 0), 0.0)


@pytest.mark.parametrize("size", [(512, 512), (1024, 1024), (300, 300)])
def test_buckets_change_nothing_for_pictures_of_the_resolution_s_shape(
    size: tuple[int, int],
) -> None:
    placements = {
        BucketRules((512, 512), enable_bucket=enable, bucket_no_upscale=False).place(size)
        for enable in (True, False)
    }
    assert len(placements) == 1  # guide-facts 85


@pytest.mark.parametrize("size", [(60, 500), (500, 60), (63, 63), (20, 40_000), (40_000, 20)])
def test_without_upscaling_a_side_below_the_step_gets_no_bucket(size: tuple[int, int]) -> None:
    assert BucketRules(resolution=(512, 512)).place(size) is None


def test_without_upscaling_rounding_one_way_does_not_lose_a_wide_picture() -> None:
    # W = sqrt(512 * 512 * 63.8) = 4089.6, H = 64.1. By width: 4032 / 63.8 = 63 leaves no row of
    # 64 px; by height: 64 * 63.8 = 4083.
    placement = BucketRules(resolution=(512, 512)).place((63_800, 1_000))
    assert placement is not None
    assert placement.resized == (4083, 64)
    assert placement.bucket == (4032, 64)


@pytest.mark.parametrize("enable_bucket", [True, False])
def test_with_upscaling_any_picture_gets_a_bucket(enable_bucket: bool) -> None:
    rules = BucketRules((512, 512), enable_bucket=enable_bucket, bucket_no_upscale=False)
    for size in [(1, 2000), (2000, 1), (1, 1), (2**20, 256)]:
        assert rules.place(size) is not None


@pytest.mark.parametrize(("height", "expected"), [(64 * 40, False), (64 * 40 + 1, True)])
def test_a_sliver_is_a_picture_of_which_less_than_one_part_in_64_is_kept(
    height: int, expected: bool
) -> None:
    rules = BucketRules((512, 512), enable_bucket=False)
    placement = rules.place((40, height))  # as wide as the square: of the height 40 px are kept
    assert placement is not None
    assert is_sliver(placement) == expected


@pytest.mark.parametrize("size", [(100, 900), (900, 100), (513, 511), (1, 1), (3000, 2000)])
@pytest.mark.parametrize("enable_bucket", [True, False])
def test_the_scaled_picture_covers_its_bucket(size: tuple[int, int], enable_bucket: bool) -> None:
    rules = BucketRules((512, 640), enable_bucket=enable_bucket, bucket_no_upscale=False)
    placement = rules.place(size)
    assert placement is not None
    for axis in (0, 1):
        cut = placement.crop_offset[axis] + placement.bucket[axis]
        assert 0 <= placement.crop_offset[axis] <= cut <= placement.resized[axis]


@pytest.mark.parametrize(("number", "case"), ACCEPTED, ids=lambda v: v if v is int else "")
def test_a_denoiser_is_told_of_the_recorded_cut(number: int, case: dict[str, Any]) -> None:
    for picture in case["cases"]:
        placement = rules_of(case).place(tuple(picture["image"]))
        if placement is None or "sdxl_crop_top_left" not in picture:
            continue
        for is_flipped, name in ((False, ""), (True, "_flipped")):
            left, top = told_offset(
                tuple(picture["image"]), placement.bucket, is_flipped=is_flipped
            )
            recorded = picture[f"sdxl_crop_top_left{name}"]
            assert [top, left] == recorded, (number, picture["image"], name)
