"""Repeats of the run file take the place of those in a folder's name, in every count."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.pictures import write_dataset

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.plan import Pace, dataset_dirs
from trainer_core.dataset.subsets import SampleSettings, Subset
from trainer_core.dataset.survey import Survey, SurveyRequest, take_survey
from trainer_core.settings.problems import Severity

RUN = SampleSettings(rules=BucketRules((64, 64)))
TWO = {"a.png": None, "b.png": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "pictures", {"10_zxq cat": TWO, "3_dog": {"c.png": None}})


def survey_of(*folders: Path, entries: tuple[str, ...]) -> Survey:
    subset = Subset(folder=folders[0], more=folders[1:])
    request = SurveyRequest(
        subsets=(subset,), run=RUN, pace=Pace(train_batch_size=1), folder_repeats=entries
    )
    return take_survey(request)


def repeats(found: Survey) -> dict[str, int]:
    return {concept.name: concept.repeats for concept in found.index.concepts}


def test_they_count_in_the_plan_as_a_renamed_folder_would(folder: Path) -> None:
    found = survey_of(folder, entries=("10_zxq cat=4",))
    (folder / "10_zxq cat").rename(folder / "4_zxq cat")
    renamed = survey_of(folder, entries=())

    assert repeats(found) == {"10_zxq cat": 4, "3_dog": 3}
    assert found.plan is not None
    assert renamed.plan is not None
    assert found.plan.samples == renamed.plan.samples == 2 * 4 + 3
    assert found.plan.total_steps == renamed.plan.total_steps


def test_the_metadata_tell_what_the_run_had(folder: Path) -> None:
    found = survey_of(folder, entries=("10_zxq cat=4",))
    assert found.plan is not None
    assert dataset_dirs(found.plan)["10_zxq cat"]["n_repeats"] == 4


def test_a_longer_name_tells_folders_of_one_name_apart(folder: Path, tmp_path: Path) -> None:
    other = write_dataset(tmp_path / "other", {"3_dog": {"d.png": None}})
    found = survey_of(folder, other, entries=("other/3_dog=7", "3_dog=2"))

    assert repeats(found) == {"10_zxq cat": 10, "pictures/3_dog": 2, "other/3_dog": 7}


def test_of_two_entries_for_a_folder_the_later_counts(folder: Path) -> None:
    assert repeats(survey_of(folder, entries=("3_dog=5", "3_dog=6")))["3_dog"] == 6


def test_an_entry_without_its_folder_is_a_warning_that_mends_itself(folder: Path) -> None:
    found = survey_of(folder, entries=("3_dog=5", "5_bird=2"))
    (warning,) = [p for p in found.problems if p.path == "dataset.folder_repeats"]

    assert warning.severity is Severity.WARNING
    assert warning.suggestion is not None
    assert warning.suggestion.changes == {"dataset.folder_repeats": ["3_dog=5"]}
    assert warning in found.place_problems
