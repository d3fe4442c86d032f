"""One look at the pictures tells everything: of one subset, and of several with the same file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.pictures import write_dataset, write_picture

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.captions import tag_frequency
from trainer_core.dataset.plan import Pace, bucket_info, dataset_dirs
from trainer_core.dataset.subsets import SampleKey, SampleSettings, Subset
from trainer_core.dataset.survey import Survey, SurveyRequest, take_survey
from trainer_core.errors import DatasetError
from trainer_core.settings.document import replaced
from trainer_core.settings.problems import Severity
from trainer_core.settings.schema import TRAIN

RUN = SampleSettings(rules=BucketRules((128, 128)))
LARGE, SMALL = (128, 128), (64, 64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two square pictures with captions of both kinds, shown twice."""
    files = {
        "a.png": None,
        "a.txt": "red, cat",
        "a.caption": "A red cat.",
        "b.png": None,
        "b.txt": "cat",
        "b.caption": "A cat.",
    }
    return write_dataset(tmp_path, {"2_cat": files}, size=(128, 128))


def survey_of(*subsets: Subset, run: SampleSettings = RUN, batch_size: int = 1) -> Survey:
    pace = Pace(train_batch_size=batch_size)
    return take_survey(SurveyRequest(subsets=subsets, run=run, pace=pace))


@pytest.fixture
def twice(folder: Path) -> Survey:
    """The same folder at two resolutions and with two captions, the second for regularisation."""
    first = Subset(folder=folder, own={"caption_extension": ".txt"})
    second = Subset(
        number=1,
        folder=folder,
        own={
            "caption_extension": ".caption",
            "rules": BucketRules((64, 64)),
            "is_reg": True,
            "weight": 0.5,
        },
    )
    return survey_of(first, second, batch_size=3)


def test_a_picture_of_two_subsets_has_two_placements_and_two_captions(
    folder: Path, twice: Survey
) -> None:
    assert twice.plan is not None
    assert twice.audit is not None
    path = folder / "2_cat" / "a.png"
    found = [
        (twice.plan.placements[key].bucket, twice.audit.captions[key])
        for key in (SampleKey(0, path), SampleKey(1, path))
    ]
    assert found == [(LARGE, "red, cat"), (SMALL, "A red cat.")]
    assert twice.problems == []


def test_samples_count_in_each_subset_and_files_once(twice: Survey) -> None:
    assert twice.plan is not None
    assert (twice.plan.pictures, twice.plan.samples, twice.plan.reg_samples) == (2, 8, 4)
    # Two pictures shown twice are four samples of each size: 3 + 1 in batches of three.
    counts = [(each.resolution, each.samples, each.batches) for each in twice.plan.buckets]
    assert counts == [(SMALL, 4, 2), (LARGE, 4, 2)]


def test_subsets_with_one_bucket_share_batches(folder: Path) -> None:
    plan = survey_of(
        Subset(folder=folder, own={"caption_extension": ".txt"}),
        Subset(number=1, folder=folder, own={"caption_extension": ".caption"}),
        batch_size=3,
    ).plan
    assert plan is not None
    # 8 samples of one size: 3 + 3 + 2.
    assert [(each.samples, each.batches) for each in plan.buckets] == [(8, 3)]


def test_metadata_tell_the_subsets_apart(twice: Survey) -> None:
    assert twice.plan is not None
    assert twice.audit is not None
    assert dataset_dirs(twice.plan) == {"2_cat": {"n_repeats": 2, "img_count": 2}}
    assert dataset_dirs(twice.plan, is_reg=True) == {"2_cat (2)": {"n_repeats": 2, "img_count": 2}}
    assert tag_frequency(twice.index, twice.audit.captions) == {
        "2_cat": {"red": 1, "cat": 2},
        "2_cat (2)": {"a red cat.": 1, "a cat.": 1},
    }
    info = bucket_info(twice.plan)
    assert info is not None
    assert info["buckets"] == {
        "0": {"resolution": [64, 64], "count": 4},
        "1": {"resolution": [128, 128], "count": 4},
    }


def test_what_is_wrong_with_a_file_is_told_once(folder: Path) -> None:
    (folder / "2_cat" / "a.png").write_bytes(b"no picture")
    found = survey_of(
        Subset(folder=folder, own={"caption_extension": ".txt"}),
        Subset(number=1, folder=folder, own={"caption_extension": ".txt"}),
    )

    assert found.audit is not None
    assert len(found.problems) == 1
    assert {key.subset for key in found.audit.unusable} == {0, 1}


def test_a_picture_may_be_too_small_for_one_subset_alone(folder: Path) -> None:
    rules = BucketRules((256, 256), bucket_reso_steps=256, bucket_no_upscale=True)
    found = survey_of(
        Subset(folder=folder, own={"caption_extension": ".txt"}),
        Subset(number=1, folder=folder, own={"caption_extension": ".txt", "rules": rules}),
    )

    assert found.audit is not None
    assert {key.subset for key in found.audit.unusable} == {1}
    assert found.plan is not None
    assert {key.subset for key in found.plan.placements} == {0}


def test_a_picture_counts_once_in_each_subset_that_lists_it_twice(folder: Path) -> None:
    picture = folder / "2_cat" / "a.png"
    found = survey_of(
        Subset(folder=folder, own={"caption_extension": ".txt"}),
        Subset(number=1, more=(picture, picture), own={"caption_extension": ".txt"}),
    )

    shown = [each.key for each in found.index.pictures if each.path == picture]
    assert shown == [SampleKey(0, picture), SampleKey(1, picture)]
    assert [root.repeated for root in found.index.roots] == [(), (picture,)]


def test_repeats_may_differ_by_subset(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path, {".": {"a.png": None}})
    found = survey_of(
        Subset(folder=folder), Subset(number=1, folder=folder, own={"dataset_repeats": 5})
    )

    assert [picture.repeats for picture in found.index.pictures] == [1, 5]


# ------------------------------------------------------------------ problems


def test_a_place_that_cannot_be_read_hides_no_other(folder: Path) -> None:
    gone = folder / "gone"
    found = survey_of(Subset(folder=folder, more=(gone,), own={"caption_extension": ".txt"}))

    (problem,) = found.problems
    assert problem.path == "dataset.more_pictures"
    assert "gone does not exist" in str(problem.message)
    assert found.place_problems == [problem]
    assert found.plan is not None


def test_without_any_place_there_is_one_problem_and_no_plan(folder: Path) -> None:
    found = survey_of(Subset(folder=folder / "gone"))

    assert isinstance(found.failure, DatasetError)
    assert [problem.path for problem in found.problems] == ["dataset.train_data_dir"]
    assert (found.audit, found.plan) == (None, None)


def test_captions_of_two_kinds_are_a_problem_of_the_place(folder: Path) -> None:
    found = survey_of(Subset(folder=folder))

    (problem,) = found.place_problems
    assert "two kinds" in str(problem.message)


# ------------------------------------------------------------------ requests


def test_another_pace_changes_the_plan_and_looks_at_no_file(folder: Path) -> None:
    first = survey_of(Subset(folder=folder, own={"caption_extension": ".txt"}))
    (folder / "2_cat" / "a.png").unlink()
    request = replace(first.request, pace=Pace(train_batch_size=4))
    again = take_survey(request, first)

    assert again.plan is not None
    assert again.plan.batches_per_epoch == 1
    assert again.audit is first.audit


def test_other_settings_make_it_look_again(folder: Path) -> None:
    first = survey_of(Subset(folder=folder, own={"caption_extension": ".txt"}))
    request = replace(first.request, run=replace(RUN, rules=BucketRules((64, 64))))

    assert take_survey(request, first).audit is not first.audit


def test_limits_that_contradict_each_other_hide_the_plan_alone(folder: Path) -> None:
    changes = {
        "dataset.train_data_dir": str(folder),
        "captions.caption_extension": ".txt",
        "buckets.bucket_no_upscale": False,
        "buckets.min_bucket_reso": 1024,
    }
    settings, _ = TRAIN.parse(replaced({}, changes))
    assert settings is not None
    request = SurveyRequest.of(settings)
    assert request is not None
    assert request == SurveyRequest.of(settings)
    found = take_survey(request)

    assert found.audit is not None
    assert found.plan is None
    assert "smallest bucket side" in str(found.problems[-1].message)


def test_what_is_wrong_is_listed_by_numbers(tmp_path: Path) -> None:
    names = ["p1.png", "p2.png", "p10.png"]
    write_dataset(tmp_path, {"1_cat": dict.fromkeys(names, b"no picture")})
    settings, _ = TRAIN.parse({"dataset": {"train_data_dir": str(tmp_path)}})
    assert settings is not None
    request = SurveyRequest.of(settings)
    assert request is not None
    problems = take_survey(request).problems
    assert [Path(problem.picture).name for problem in problems if problem.picture] == names


def test_settings_that_name_no_pictures_ask_for_nothing() -> None:
    settings, _ = TRAIN.parse({})
    assert settings is not None
    assert SurveyRequest.of(settings) is None


def test_pictures_up_to_a_size_are_skipped_in_the_subset_that_asks(folder: Path) -> None:
    # Of 100 x 150 and 128 x 128 pixels, only the second has more than 128 x 120.
    write_picture(folder / "2_cat" / "a.png", (100, 150))
    small = Subset(folder=folder, own={"caption_extension": ".txt"})
    own = {"caption_extension": ".txt", "skip_image_resolution": (128, 120)}

    survey = survey_of(small, replace(small, number=1, own=own))
    assert [key.path.name for key in survey.plan.placements] == ["a.png", "b.png", "b.png"]
    assert survey.audit.skipped == {SampleKey(1, folder / "2_cat" / "a.png")}
    [notice] = [each for each in survey.problems if each.path == "buckets.skip_image_resolution"]
    assert (notice.severity, str(notice.message)[:20]) == (Severity.NOTICE, "1 picture is skipped")


def test_a_picture_of_just_that_size_is_skipped_too(folder: Path) -> None:
    # Source: sd-scripts, pull request 2273: "equal to or smaller".
    [problem] = survey_of(
        Subset(folder=folder), run=RUN.having(skip_image_resolution=(64, 256))
    ).problems
    assert problem.severity is Severity.ERROR
    assert str(problem.message) == "All pictures are skipped: they are too small."
    assert problem.suggestion.changes == {"buckets.skip_image_resolution": None}


def test_regularisation_pictures_are_matched_to_what_is_not_skipped(
    folder: Path, tmp_path: Path
) -> None:
    write_picture(folder / "2_cat" / "a.png", (64, 64))
    reg = write_dataset(tmp_path / "reg", {"1_any": {"c.png": None, "d.png": None, "e.png": None}})
    run = RUN.having(caption_extension=".txt", skip_image_resolution=(64, 64))
    own = {"is_reg": True, "skip_image_resolution": None}

    # One picture is left, shown twice; so two of the three go with it.
    plan = survey_of(Subset(folder=folder), Subset(number=1, folder=reg, own=own), run=run).plan
    assert (plan.samples, plan.reg_samples) == (4, 2)
