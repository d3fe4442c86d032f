"""Regularisation pictures are shown as often as the training pictures they go with."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.pictures import write_sizes

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.description.balance import matched
from trainer_core.dataset.plan import Pace
from trainer_core.dataset.subsets import SampleSettings, Subset
from trainer_core.dataset.survey import Survey, SurveyRequest, take_survey
from trainer_core.settings.problems import Severity
from trainer_core.settings.schema import TrainSettings

SQUARE = [64, 64]


@pytest.mark.parametrize(
    ("repeats", "wanted", "shown"),
    [
        ([1, 1, 1], 10, [4, 3, 3]),
        ([2, 2, 2], 5, [2, 2, 2]),  # the first round may overshoot
        ([1] * 4, 2, [1, 1, 0, 0]),
        ([3, 1], 0, [0, 0]),
        ([], 7, []),
        ([5], 1_000_003, [1_000_003]),
    ],
)
def test_rounds_go_on_until_the_number_is_reached(
    repeats: list[int], wanted: int, shown: list[int]
) -> None:
    assert matched(repeats, wanted) == shown


@pytest.mark.parametrize("wanted", range(40))
def test_many_rounds_at_once_are_the_same_as_one_by_one(wanted: int) -> None:
    repeats = [2, 1, 3]
    slow, total = [0, 0, 0], 0
    for place in range(100):
        if total >= wanted:
            break
        times = repeats[place] if place < 3 else 1
        slow[place % 3] += times
        total += times
    assert matched(repeats, wanted) == slow


def survey_of(train: Path | None, reg: Path, **settings: object) -> Survey:
    raw = {"train_data_dir": train, "reg_data_dir": reg, **settings}
    request = SurveyRequest.of(TrainSettings.model_validate({"dataset": raw}))
    assert request is not None
    return take_survey(request)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two training pictures shown twice, and five for regularisation."""
    train = write_sizes(tmp_path / "train", {"2_zxq cat": [SQUARE] * 2})
    return train, write_sizes(tmp_path / "reg", {"1_cat": [SQUARE] * 5})


def test_both_counts_are_known_and_what_is_not_shown_is_told(
    folders: tuple[Path, Path],
) -> None:
    found = survey_of(*folders, prior_loss_weight=0.25)
    assert found.plan is not None
    assert (found.plan.reg_asked, found.plan.reg_samples, found.plan.samples) == (5, 4, 8)
    assert found.plan.pictures == 2 + 4
    assert found.request.settings[1].weight == 0.25
    told = found.problems[0]
    assert (told.severity, str(told.message)) == (
        Severity.NOTICE,
        "1 of 5 regularisation pictures is not used: as many are shown as training pictures.",
    )


def test_regularisation_without_training_pictures_is_an_error(folders: tuple[Path, Path]) -> None:
    found = survey_of(None, folders[1])
    (told,) = [p for p in found.problems if p.severity is Severity.ERROR]
    assert str(told.message) == "There are only regularisation pictures, none to learn."
    assert found.plan is None


def test_a_missing_regularisation_folder_is_told_of_its_setting(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    found = survey_of(folders[0], tmp_path / "gone")
    (told,) = [p for p in found.problems if p.severity is Severity.ERROR]
    assert told.path == "dataset.reg_data_dir"


def test_each_data_set_is_matched_by_itself(folders: tuple[Path, Path]) -> None:
    train, reg = folders
    run, large = SampleSettings(rules=BucketRules((64, 64))), {"rules": BucketRules((128, 128))}
    subsets = (
        Subset(folder=train),
        Subset(number=1, folder=train, own=large | {"dataset_repeats": 1}),
        Subset(number=2, folder=reg, own={"is_reg": True}),
        Subset(number=3, folder=reg, own=large | {"is_reg": True, "weight": 0.5}),
    )
    found = take_survey(SurveyRequest(subsets=subsets, run=run, pace=Pace(train_batch_size=1)))
    assert found.plan is not None
    # Two pictures shown twice at each size, and as many regularisation pictures.
    assert [count.samples for count in found.plan.concepts] == [4, 4, 4, 4]


def test_a_data_set_of_regularisation_alone_goes_with_the_whole_run(
    folders: tuple[Path, Path],
) -> None:
    run, small = SampleSettings(rules=BucketRules((128, 128))), BucketRules((64, 64))
    subsets = (
        Subset(folder=folders[0]),
        Subset(number=1, folder=folders[1], own={"rules": small, "is_reg": True}),
    )
    found = take_survey(SurveyRequest(subsets=subsets, run=run, pace=Pace(train_batch_size=1)))
    assert found.plan is not None
    assert found.plan.reg_samples == 4
