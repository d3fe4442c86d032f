"""Rules of subsets: each problem names its table."""

from __future__ import annotations

import pytest
from helpers.setting_values import after_suggestion

from trainer_core.settings.problems import Severity
from trainer_core.settings.rules.check import check
from trainer_core.settings.schema import TRAIN

PATH = "dataset.subsets"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"num_repeats": 2}], "subsets[1] names no pictures."),
        ([{"image_dir": "a"}, {"image_dir": "a"}], "subsets[1] and subsets[2] are the same."),
        ([{"image_dir": "p"}], "subsets[1] is the picture folder once more."),
        (
            [{"image_dir": "a"}, {"image_dir": "a", "bucket_reso_steps": 24}],
            "subsets[2]: The bucket step must be a multiple of 64 for this family.",
        ),
        (
            [{"image_dir": "a", "caption_extension": "../x"}],
            "subsets[1]: The caption extension ../x is a path.",
        ),
    ],
)
def test_what_a_subset_cannot_be_is_an_error(rows: list[dict[str, object]], message: str) -> None:
    dataset = {"train_data_dir": "p", "subsets": rows}
    settings, _ = TRAIN.parse({"model": {"family": "sd1"}, "dataset": dataset})
    assert settings is not None
    problems = [problem for problem in check(settings, {}) if problem.path == PATH]
    assert [(str(p.message), p.severity) for p in problems] == [(message, Severity.ERROR)]
    if problems[0].suggestion is not None:
        mended = after_suggestion(settings, problems[0])
        assert not [problem for problem in check(mended, {}) if problem.path == PATH]


@pytest.mark.parametrize(
    ("own", "message", "ways"),
    [
        (
            {"random_crop": True},
            "subsets[1]: random_crop has no effect on latents that are cached.",
            [
                {"cache.cache_latents": False},
                {PATH: [{"image_dir": "a", "random_crop": False}]},
            ],
        ),
        (
            {"bucket_reso_steps": 24},
            "subsets[1]: The bucket step must be a multiple of 64 for this family.",
            [{PATH: [{"image_dir": "a", "bucket_reso_steps": 64}]}],
        ),
        (
            {"keep_tokens": 2},
            "subsets[1].keep_tokens has no effect here.",
            [{PATH: [{"image_dir": "a"}]}],
        ),
    ],
)
def test_a_way_out_changes_the_subset_or_the_run(
    own: dict[str, object], message: str, ways: list[dict[str, object]]
) -> None:
    raw = {"model": {"family": "sd1"}, "dataset": {"subsets": [{"image_dir": "a", **own}]}}
    settings, _ = TRAIN.parse(raw)
    assert settings is not None
    (problem,) = [problem for problem in check(settings, {}) if problem.path == PATH]
    assert str(problem.message) == message
    assert [way.changes for way in problem.ways_out] == ways


def test_one_folder_may_stand_there_at_several_sizes() -> None:
    rows = [{"image_dir": "a", "resolution": side} for side in (512, 768, 1024)]
    settings, _ = TRAIN.parse({"dataset": {"subsets": rows}})
    assert settings is not None
    assert not [problem for problem in check(settings, {}) if problem.path.startswith("dataset.")]
