"""What is held out is decided by seed and name alone, and is in nothing that is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.pictures import write_picture

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.index import DatasetIndex, index_subsets
from trainer_core.dataset.plan import Pace
from trainer_core.dataset.subsets import CaptionRules, PictureRules, SampleSettings, Subset
from trainer_core.dataset.survey import SurveyRequest, take_survey
from trainer_core.dataset.validation.split import HoldOut, hold_out, validation_settings
from trainer_core.settings.problems import Severity

RUN = SampleSettings(rules=BucketRules((64, 64)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty pictures of one concept."""
    for number in range(20):
        write_picture(tmp_path / "3_cat" / f"{number}.png", (64, 64))
    return tmp_path


def names(index: DatasetIndex) -> set[str]:
    return {picture.path.name for picture in index.pictures}


def split(
    folder: Path, asked: HoldOut, settings: Mapping[int, SampleSettings] | None = None
) -> tuple[DatasetIndex, DatasetIndex]:
    settings = settings or {0: RUN}
    subsets = [Subset(number=number, folder=folder) for number in settings]
    index = index_subsets(subsets, dict.fromkeys(settings, 1))
    return hold_out(index, asked, settings)


@pytest.mark.parametrize(("share", "count"), [(0.1, 2), (0.25, 5), (0.9, 18), (0.001, 1)])
def test_so_many_are_held_out_and_all_others_trained(
    folder: Path, share: float, count: int
) -> None:
    rest, held_out = split(folder, HoldOut(share=share))
    assert len(names(held_out)) == count
    assert names(rest) | names(held_out) == {f"{number}.png" for number in range(20)}
    assert not names(rest) & names(held_out)


def test_the_split_is_the_same_wherever_the_folder_lies_and_another_with_another_seed(
    folder: Path, tmp_path: Path
) -> None:
    _, before = split(folder, HoldOut(share=0.3))
    _, other_seed = split(folder, HoldOut(share=0.3, seed=1))
    moved = folder.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    _, after = split(moved, HoldOut(share=0.3))
    assert names(before) == names(after) != names(other_seed)


def test_pictures_that_come_later_move_no_more_than_their_number_asks_for(folder: Path) -> None:
    _, before = split(folder, HoldOut(share=0.3))
    write_picture(folder / "3_cat" / "new.png", (64, 64))
    _, after = split(folder, HoldOut(share=0.3))
    assert len(names(before) - names(after)) <= 1


def test_a_held_out_picture_is_measured_once_whatever_its_repeats(folder: Path) -> None:
    _, held_out = split(folder, HoldOut(share=0.3))
    assert {picture.repeats for picture in held_out.pictures} == {1}


def test_the_last_picture_is_never_held_out(tmp_path: Path) -> None:
    write_picture(tmp_path / "1_cat" / "only.png", (64, 64))
    rest, held_out = split(tmp_path, HoldOut(share=0.9))
    assert names(rest) == {"only.png"}
    assert names(held_out) == set()


def test_a_file_of_two_subsets_is_held_out_of_both_but_not_of_regularisation(folder: Path) -> None:
    settings = {0: RUN, 1: RUN.having(resolution=(96, 96)), 2: RUN.having(is_reg=True)}
    rest, held_out = split(folder, HoldOut(share=0.25), settings)
    by_subset = {number: set[str]() for number in settings}
    for picture in held_out.pictures:
        by_subset[picture.subset].add(picture.path.name)
    assert by_subset[0] == by_subset[1]
    assert len(by_subset[0]) == 5
    assert by_subset[2] == set()
    assert sum(picture.subset == 2 for picture in rest.pictures) == 20


def test_what_lies_in_the_validation_folder_is_not_trained(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "validation"
    write_picture(own / "mine.png", (64, 64))
    (own / "7.png").symlink_to(folder / "3_cat" / "7.png")
    rest, held_out = split(folder, HoldOut(folder=own))
    assert names(held_out) == {"mine.png", "7.png"}
    assert names(rest) == {f"{number}.png" for number in range(20)} - {"7.png"}


def test_nothing_of_the_samples_varies() -> None:
    run = SampleSettings(
        rules=RUN.rules,
        captions=CaptionRules(shuffle_caption=True, keep_tokens=2),
        pictures=PictureRules(flip_aug=True, resize_interpolation="area"),
        weight=0.5,
    )
    for settings in validation_settings({0: run}, run).values():
        assert (settings.captions.shuffle_caption, settings.captions.keep_tokens) == (False, 2)
        assert settings.pictures == PictureRules(resize_interpolation="area")
        assert settings.weight == 1.0


# ------------------------------------------------------------------ in the survey


def request(folder: Path, asked: HoldOut | None) -> SurveyRequest:
    pace = Pace(train_batch_size=1)
    return SurveyRequest(subsets=(Subset(folder=folder),), run=RUN, pace=pace, hold_out=asked)


def test_the_survey_plans_without_the_held_out_and_tells_what_is_wrong_with_them(
    folder: Path,
) -> None:
    whole = take_survey(request(folder, HoldOut(share=0.25)))
    assert whole.plan is not None
    assert whole.held_out is not None
    assert (whole.plan.samples, whole.held_out.pictures) == (15 * 3, 5)

    [broken, *_] = whole.held_out.index.pictures
    broken.path.write_bytes(b"no picture")
    messages = [str(each.message) for each in take_survey(whole.request).problems]
    assert any(str(broken.path) in message for message in messages)


def test_a_share_of_too_few_pictures_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "1_cat" / "only.png", (64, 64))
    short = take_survey(request(tmp_path, HoldOut(share=0.5)))
    assert "validation.validation_split" in [problem.path for problem in short.problems]

    everything = take_survey(request(tmp_path, HoldOut(folder=tmp_path)))
    assert [str(each.message) for each in everything.problems if each.severity == "error"] == [
        "All pictures are for validation; none is left to train."
    ]
    assert "validation.validation_data_dir" in [each.path for each in everything.place_problems]

    missing = take_survey(request(tmp_path, HoldOut(folder=tmp_path / "nowhere")))
    assert "validation.validation_data_dir" in [problem.path for problem in missing.problems]


def test_one_place_of_held_out_pictures_alone_is_told_as_such(folder: Path) -> None:
    more = folder / "other"
    write_picture(more / "a.png", (64, 64))
    asked = request(folder, HoldOut(folder=more))
    asked = replace(asked, subsets=(Subset(folder=folder, more=(more,)),))
    found = take_survey(asked)
    told = [(each.severity, str(each.message)) for each in found.problems]
    assert (Severity.WARNING, f"All pictures in {more} are held out for validation.") in told
    assert not any("no pictures" in message for _, message in told)
