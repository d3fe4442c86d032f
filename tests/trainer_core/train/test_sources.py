"""What the pictures of a run are called, which decides whether a state fits them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers.pictures import write_dataset

from trainer_core.dataset.audit import quick_audit
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.index import build_index
from trainer_core.dataset.plan import Pace, make_plan
from trainer_core.dataset.subsets import SampleSettings
from trainer_core.settings.schema import TrainSettings
from trainer_core.train.inputs import RunInputs
from trainer_core.train.sources import sources_of

RULES = BucketRules((64, 64))


def names_of(root: Path, more: Sequence[Path] = ()) -> list[str]:
    index = build_index(root, more, plain_repeats=1)
    settings = {0: SampleSettings(rules=RULES)}
    audit = quick_audit(index, settings)
    plan = make_plan(index, audit.sizes, settings, Pace(train_batch_size=1))
    inputs = RunInputs(TrainSettings(), Path("model"), index, audit, plan, settings, ())
    return [source.name for source in sources_of(inputs)]


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    files = {"1.png": None}
    return write_dataset(tmp_path, {"a/5_cat": files, "b/5_cat": files, "b": files})


def test_pictures_of_one_folder_are_called_by_their_place_in_it(sets: Path) -> None:
    assert names_of(sets / "b") == ["1.png", "5_cat/1.png"]


def test_pictures_of_several_folders_have_a_name_each_that_moves_with_them(sets: Path) -> None:
    names = names_of(sets / "a", [sets / "b"])
    assert names == ["a/5_cat/1.png", "b/1.png", "b/5_cat/1.png"]
