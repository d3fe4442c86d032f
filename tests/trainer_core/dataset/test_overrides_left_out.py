"""A picture that is left out is as if its file were not there, and said once."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.pictures import write_dataset

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.plan import Pace
from trainer_core.dataset.subsets import SampleSettings, Subset
from trainer_core.dataset.survey import Survey, SurveyRequest, take_survey
from trainer_core.settings.document import Raw, replaced
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.schema import TRAIN

PACE = Pace(train_batch_size=2)
RUN = SampleSettings(rules=BucketRules((128, 128)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cats = {"a.png": None, "a.txt": "cat", "b.png": b"broken", "b.txt": "cat", "c.png": None}
    return write_dataset(tmp_path / "pictures", {"2_cat": cats, "1_dog": {"d.png": None}})


def survey_of(folder: Path, *left_out: Path, more: tuple[Path, ...] = ()) -> Survey:
    subset = Subset(folder=folder, more=more)
    return take_survey(SurveyRequest(subsets=(subset,), run=RUN, pace=PACE, left_out=left_out))


def of_the_list(found: Survey) -> list[Problem]:
    return [problem for problem in found.problems if problem.path == "dataset.left_out"]


def test_what_is_left_out_counts_and_fails_as_if_it_were_not_there(folder: Path) -> None:
    left_out = survey_of(folder, folder / "2_cat" / "b.png")
    (folder / "2_cat" / "b.png").unlink()
    removed = survey_of(folder)

    assert left_out.plan is not None
    assert left_out.plan == removed.plan
    assert left_out.index.concepts == removed.index.concepts
    assert not [p for p in left_out.problems if p.severity is Severity.ERROR]


def test_it_is_named_once_as_a_notice(folder: Path) -> None:
    cats = folder / "2_cat"
    (notice,) = of_the_list(survey_of(folder, cats / "b.png", cats / "a.png"))

    assert notice.severity is Severity.NOTICE
    assert str(notice.message) == "Left out of this run (2): a.png, b.png."


def test_the_way_to_the_folder_does_not_matter(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder / "2_cat")
    found = survey_of(folder, tmp_path / "link" / "b.png")

    assert [each.path.name for each in found.index.left_out] == ["b.png"]


def test_a_single_picture_of_the_list_can_be_left_out(folder: Path, tmp_path: Path) -> None:
    single = write_dataset(tmp_path / "single", {".": {"e.png": None}}) / "e.png"
    found = survey_of(folder, single, more=(single,))

    assert single not in {picture.path for picture in found.index.pictures}
    assert [each.path for each in found.index.left_out] == [single]


def test_a_name_that_leads_to_no_picture_is_a_warning_that_mends_itself(folder: Path) -> None:
    kept, gone = folder / "2_cat" / "b.png", folder / "2_cat" / "z.png"
    warning = of_the_list(survey_of(folder, kept, gone))[1]

    assert warning.severity is Severity.WARNING
    assert str(gone) in str(warning.message)
    assert warning.suggestion is not None
    assert warning.suggestion.changes == {"dataset.left_out": [kept.as_posix()]}


def test_many_such_names_are_one_warning(folder: Path) -> None:
    (warning,) = of_the_list(survey_of(folder, *(folder / f"{n}.png" for n in range(4))))

    assert "4 pictures" in str(warning.message)
    assert warning.suggestion is not None
    assert warning.suggestion.changes == {"dataset.left_out": []}


def test_nothing_is_said_of_names_in_a_folder_that_cannot_be_read(folder: Path) -> None:
    gone = folder / "away"
    assert of_the_list(survey_of(folder, gone / "a.png", more=(gone,))) == []


def test_pictures_of_which_none_is_left_are_an_error_in_words(folder: Path) -> None:
    pictures = list(folder.rglob("*.png"))
    found = survey_of(folder, *pictures)

    assert found.plan is None
    errors = [str(p.message) for p in found.problems if p.severity is Severity.ERROR]
    assert errors == [f"All pictures in {folder} are left out of this run."]


def test_relative_names_of_a_run_file_begin_in_its_folder(folder: Path) -> None:
    changes = {
        "dataset.train_data_dir": "pictures",
        "dataset.left_out": ["pictures/2_cat/b.png"],
    }
    raw: Raw = TRAIN.with_absolute_paths(replaced({}, changes), folder.parent)
    settings, problems = TRAIN.parse(raw)
    assert settings is not None
    assert problems == []
    request = SurveyRequest.of(settings)
    assert request is not None

    found = take_survey(request)
    assert [each.path for each in found.index.left_out] == [folder / "2_cat" / "b.png"]
