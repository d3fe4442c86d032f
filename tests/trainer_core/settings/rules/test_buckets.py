"""The sizes that pictures are trained at: each rule in both directions, and its way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from helpers.setting_values import after_suggestion

from trainer_core.settings.problems import Severity
from trainer_core.settings.rules.buckets import (
    bucket_limits,
    bucket_step,
    resolution_of_the_family,
    upscaling_without_buckets,
)
from trainer_core.settings.rules.check import check
from trainer_core.settings.schema import TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]
WITH_UPSCALING: Mapping[str, object] = {"buckets.bucket_no_upscale": False}


@pytest.mark.parametrize(
    "changes",
    [
        {"buckets.min_bucket_reso": 512},
        {"buckets.min_bucket_reso": 575},  # rounded down to 512
        {"buckets.max_bucket_reso": 512},
        {"buckets.max_bucket_reso": 449},  # rounded up to 512
        {"buckets.min_bucket_reso": 64, "buckets.max_bucket_reso": 8192},
    ],
)
def test_bucket_limits_around_the_resolution_are_fine(
    settings_of: SettingsOf, changes: dict[str, object]
) -> None:
    assert list(bucket_limits(settings_of({**WITH_UPSCALING, **changes}), {})) == []


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("buckets.min_bucket_reso", {"buckets.min_bucket_reso": 576}),
        ("buckets.min_bucket_reso", {"buckets.resolution": [192, 512]}),
        (
            "buckets.min_bucket_reso",
            {"buckets.min_bucket_reso": 64, "buckets.bucket_reso_steps": 128},
        ),
        ("buckets.max_bucket_reso", {"buckets.max_bucket_reso": 448}),
        (
            "buckets.max_bucket_reso",
            {"buckets.resolution": [512, 1000], "buckets.max_bucket_reso": 960},
        ),
    ],
)
def test_bucket_limits_that_leave_no_room_are_refused_with_what_to_use(
    settings_of: SettingsOf, path: str, changes: dict[str, object]
) -> None:
    settings = settings_of({**WITH_UPSCALING, **changes})

    (problem,) = bucket_limits(settings, {})
    assert (problem.path, problem.severity) == (path, Severity.ERROR)
    assert list(bucket_limits(after_suggestion(settings, problem), {})) == []


@pytest.mark.parametrize(
    "idle", [{"buckets.bucket_no_upscale": True}, {"buckets.enable_bucket": False}]
)
def test_limits_that_are_not_used_are_not_checked(
    settings_of: SettingsOf, idle: dict[str, object]
) -> None:
    changes = {**WITH_UPSCALING, "buckets.min_bucket_reso": 4096, **idle}

    assert list(bucket_limits(settings_of(changes), {})) == []


@pytest.mark.parametrize(
    ("family", "step", "resolution", "is_usable"),
    [
        ("sd1", 64, [512, 512], True),
        ("sd1", 128, [512, 512], True),
        ("sd1", 32, [512, 512], False),
        ("sd1", 96, [512, 512], False),
        ("sd1", 256, [192, 512], False),
        ("sdxl", 32, [512, 512], True),
        ("sdxl", 96, [512, 512], True),
        ("sdxl", 48, [512, 512], False),
    ],
)
def test_the_bucket_step_must_suit_the_model_and_the_resolution(
    settings_of: SettingsOf, family: str, step: int, resolution: list[int], is_usable: bool
) -> None:
    changes = {"buckets.bucket_reso_steps": step, "buckets.resolution": resolution}
    for known in ({"model.family": family}, {}):
        settings = settings_of({**changes, **known})
        facts = {} if known else {"family": family}

        problems = list(bucket_step(settings, facts))
        assert [p.path for p in problems] == ([] if is_usable else ["buckets.bucket_reso_steps"])
        for problem in problems:
            assert list(bucket_step(after_suggestion(settings, problem), facts)) == []


def test_a_step_that_some_family_takes_is_fine_until_it_is_known(settings_of: SettingsOf) -> None:
    assert list(bucket_step(settings_of({"buckets.bucket_reso_steps": 32}), {})) == []


@pytest.mark.parametrize(
    ("resolution", "instead"),
    [([512, 768], None), ([500, 71], [496, 64]), ([64, 8191], [64, 8184])],
)
def test_without_buckets_both_sides_must_be_multiples_of_8(
    settings_of: SettingsOf, resolution: list[int], instead: list[int] | None
) -> None:
    settings = settings_of({"buckets.enable_bucket": False, "buckets.resolution": resolution})

    problems = list(bucket_step(settings, {}))
    if instead is None:
        assert problems == []
    else:
        (problem,) = problems
        assert after_suggestion(settings, problem).buckets.resolution == tuple(instead)


def test_with_buckets_the_resolution_need_not_be_a_multiple(settings_of: SettingsOf) -> None:
    assert list(bucket_step(settings_of({"buckets.resolution": [500, 700]}), {})) == []


@pytest.mark.parametrize("no_upscale", [True, False])
def test_no_upscaling_without_buckets_is_named_once(
    settings_of: SettingsOf, no_upscale: bool
) -> None:
    path = "buckets.bucket_no_upscale"
    settings = settings_of({"buckets.enable_bucket": False, path: no_upscale})

    (problem,) = [each for each in check(settings, {}) if each.path == path]
    assert problem.severity is Severity.NOTICE


def test_no_upscaling_with_buckets_is_not_named(settings_of: SettingsOf) -> None:
    assert list(upscaling_without_buckets(settings_of({}), {})) == []


@pytest.mark.parametrize(
    ("family", "resolution", "instead"),
    [
        ("sdxl", None, (1024, 1024)),
        ("sdxl", [768, 768], None),  # somebody chose it
        ("sd1", None, None),
        (None, None, None),
    ],
)
def test_a_resolution_that_was_left_for_another_family_is_named(
    settings_of: SettingsOf,
    family: str | None,
    resolution: list[int] | None,
    instead: tuple[int, int] | None,
) -> None:
    settings = settings_of({} if resolution is None else {"buckets.resolution": resolution})
    facts = {} if family is None else {"family": family}

    problems = list(resolution_of_the_family(settings, facts))
    assert [p.severity for p in problems] == ([] if instead is None else [Severity.NOTICE])
    for problem in problems:
        assert "XL learned with pictures of 1024 x 1024 px" in str(problem.message)
        better = after_suggestion(settings, problem)
        assert better.buckets.resolution == instead
        assert list(resolution_of_the_family(better, facts)) == []
