"""Tables of the settings become subsets with settings, repeats and words of their own."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from helpers.pictures import write_dataset

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.subsets import CaptionRules, PictureRules
from trainer_core.dataset.survey import Survey, SurveyRequest, take_survey
from trainer_core.settings.problems import Severity
from trainer_core.settings.schema import TRAIN
from trainer_core.settings.subsets import OF_THE_WHOLE_RUN, OWN


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {"a.png": None, "a.txt": "red", "b.png": None, "b.txt": "blue"}
    return write_dataset(tmp_path, {"3_cat": files, "3_cat/2_kitten": {"c.png": None}}, (128, 128))


def survey_of(*rows: dict[str, object], **dataset: object) -> Survey:
    raw = {
        "dataset": {"subsets": list(rows), **dataset},
        "buckets": {"resolution": 128, "bucket_reso_steps": 64},
    }
    settings, problems = TRAIN.parse(raw)
    assert settings is not None, problems
    request = SurveyRequest.of(settings)
    assert request is not None
    return take_survey(request)


def test_the_settings_of_a_subset_are_those_that_make_samples() -> None:
    names = {
        each.name for kind in (BucketRules, CaptionRules, PictureRules) for each in fields(kind)
    }
    assert names - OF_THE_WHOLE_RUN == set(OWN)


def test_a_folder_alone_is_read_as_the_picture_folder_is(folder: Path) -> None:
    found = survey_of({"image_dir": str(folder)})
    assert [(c.name, c.repeats, c.class_tokens) for c in found.index.concepts] == [
        ("3_cat", 3, "cat")
    ]


def test_repeats_and_words_of_its_own_replace_those_of_the_names(folder: Path) -> None:
    row = {"image_dir": str(folder / "3_cat"), "num_repeats": 5, "class_tokens": "a dog"}
    found = survey_of(row)
    (concept,) = found.index.concepts
    assert (concept.repeats, concept.class_tokens) == (5, "a dog")
    assert [(p.path.name, p.repeats, p.class_tokens) for p in concept.pictures] == [
        ("a.png", 5, "a dog"),
        ("b.png", 5, "a dog"),
    ]
    (told,) = [str(p.message) for p in found.problems if "2_kitten" in str(p.message)]
    assert "takes the pictures directly in its folder only" in told


def test_one_folder_at_two_sizes_and_batch_sizes(folder: Path) -> None:
    found = survey_of(
        {"image_dir": str(folder), "resolution": [64, 64], "train_batch_size": 4},
        train_data_dir=str(folder),
        train_batch_size=2,
    )
    assert found.plan is not None
    # Two pictures shown three times: 6 samples of each size, in batches of 2 and of 4.
    counts = [(each.resolution, each.samples, each.batches) for each in found.plan.buckets]
    assert counts == [((64, 64), 6, 2), ((128, 128), 6, 3)]
    assert found.plan.pictures == 2


def test_a_subset_may_be_regularisation(folder: Path) -> None:
    found = survey_of(
        {"image_dir": str(folder), "pictures": []},
        {"image_dir": str(folder / "3_cat"), "num_repeats": 1, "is_reg": True},
        prior_loss_weight=0.5,
    )
    assert found.plan is not None
    assert (found.plan.reg_asked, found.plan.reg_samples) == (2, 6)
    alone = survey_of({"image_dir": str(folder), "is_reg": True})
    assert [p.path for p in alone.problems if p.severity is Severity.ERROR] == ["dataset.subsets"]
    assert found.request.settings[2].weight == 0.5


def test_single_pictures_may_be_a_subset(folder: Path) -> None:
    row = {"pictures": [str(folder / "3_cat" / "b.png")], "num_repeats": 7}
    found = survey_of(row)
    assert [(p.path.name, p.repeats) for p in found.index.pictures] == [("b.png", 7)]


def test_what_is_wrong_with_a_folder_is_told_of_the_subsets(folder: Path, tmp_path: Path) -> None:
    found = survey_of({"image_dir": str(folder)}, {"image_dir": str(tmp_path / "gone")})
    (problem,) = [p for p in found.problems if "gone" in str(p.message)]
    assert problem.path == "dataset.subsets"


def test_an_empty_subset_is_an_error(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = survey_of({"image_dir": str(tmp_path / "empty")}, train_data_dir=str(folder))
    (problem,) = [p for p in found.problems if p.severity is Severity.ERROR]
    assert problem.path == "dataset.subsets"
    assert str(problem.message) == f"There are no pictures in {tmp_path / 'empty'}."


def test_sizes_that_contradict_hide_the_plan_not_the_pictures(folder: Path) -> None:
    found = survey_of({"image_dir": str(folder), "bucket_reso_steps": 512})
    assert found.plan is None
    assert len(found.index.pictures) == 2
    assert "dataset.subsets" in [problem.path for problem in found.problems]
