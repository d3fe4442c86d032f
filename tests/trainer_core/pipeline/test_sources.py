"""What the pictures of a run are called, which decides whether a state fits them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.pictures import write_dataset

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.plan import Pace
from trainer_core.dataset.subsets import SampleKey, SampleSettings, Subset
from trainer_core.dataset.survey import SurveyRequest, take_survey
from trainer_core.pipeline.sources import Source, fingerprint, sources_of

RUN = SampleSettings(rules=BucketRules((64, 64)))


def sources_in(*subsets: Subset) -> list[Source]:
    pace = Pace(train_batch_size=1)
    found = take_survey(SurveyRequest(subsets=subsets, run=RUN, pace=pace))
    assert found.audit is not None
    assert found.plan is not None
    return sources_of(found.index, found.audit, found.plan, found.request.settings)


def names_of(root: Path, more: Sequence[Path] = ()) -> list[str]:
    return [source.name for source in sources_in(Subset(folder=root, more=tuple(more)))]


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    files = {"1.png": None}
    return write_dataset(tmp_path, {"a/5_cat": files, "b/5_cat": files, "b": files})


def test_pictures_of_one_folder_are_called_by_their_place_in_it(sets: Path) -> None:
    assert names_of(sets / "b") == ["1.png", "5_cat/1.png"]


def test_pictures_of_several_folders_have_a_name_each_that_moves_with_them(sets: Path) -> None:
    names = names_of(sets / "a", [sets / "b"])
    assert names == ["a/5_cat/1.png", "b/1.png", "b/5_cat/1.png"]


def test_a_picture_of_two_subsets_has_a_name_and_settings_for_each(sets: Path) -> None:
    second = Subset(number=1, folder=sets / "a", own={"flip_aug": True, "weight": 0.5})
    sources = sources_in(Subset(folder=sets / "a"), second)

    path = sets / "a" / "5_cat" / "1.png"
    assert [source.key for source in sources] == [SampleKey(0, path), SampleKey(1, path)]
    assert [source.name for source in sources] == ["a/5_cat/1.png", "a (2)/5_cat/1.png"]
    assert [source.settings for source in sources] == [
        RUN,
        RUN.having(flip_aug=True, weight=0.5),
    ]


# ------------------------------------------------------------------ the fingerprint


def test_one_subset_has_the_fingerprint_from_before_there_were_subsets(sets: Path) -> None:
    sources = sources_in(Subset(folder=sets / "b"))

    # Format 1 of the states: batch size, accumulation, and four facts of each picture.
    facts = [["1.png", 1, [64, 64], ""], ["5_cat/1.png", 5, [64, 64], "cat"]]
    content = json.dumps([3, 2, facts]).encode()
    expected = hashlib.blake2b(content, digest_size=16).hexdigest()
    assert fingerprint(sources, batch_size=3, accumulation=2) == expected


def test_the_subset_of_a_picture_is_in_the_fingerprint(sets: Path) -> None:
    first, second = sources_in(Subset(folder=sets / "a"), Subset(number=1, folder=sets / "a"))
    other = replace(second, key=SampleKey(2, second.path))

    prints = {fingerprint([first, each], batch_size=1, accumulation=1) for each in (second, other)}
    assert len(prints) == 2
