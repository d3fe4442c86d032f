"""The plan against the recorded runs of the reference trainer."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from helpers import vectors
from helpers.pictures import write_sizes

from trainer_core.dataset.batches import epoch_batches
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.description.balance import balanced
from trainer_core.dataset.index import DatasetIndex, build_index, index_subsets
from trainer_core.dataset.pictures import read_header
from trainer_core.dataset.plan import Pace, Plan, bucket_info, dataset_dirs, make_plan, pools_of
from trainer_core.dataset.subsets import SampleSettings, Subset
from trainer_core.errors import DatasetError

FILE = "steps.json"
CASES = vectors.load(FILE)["cases"]
# That of a dataset configuration file is in the tests of its import.
OF_FOLDERS = [case for case in CASES if case["config"] is None]
RECORDED = pytest.mark.parametrize("case", OF_FOLDERS, ids=lambda case: case["description"])
# The reference's command-line defaults, see the README of the vectors.
DEFAULTS: dict[str, Any] = {
    "enable_bucket": False,
    "bucket_no_upscale": False,
    "min_bucket_reso": 256,
    "max_bucket_reso": 1024,
    "bucket_reso_steps": 64,
    "train_batch_size": 1,
}


RULES = {
    "resolution", "enable_bucket", "bucket_no_upscale", "min_bucket_reso", "max_bucket_reso",
    "bucket_reso_steps",
}  # fmt: skip


def options_of(case: dict[str, Any]) -> dict[str, Any]:
    options = dict(DEFAULTS)
    words = iter(shlex.split(case["command_line"]))
    for word in words:
        name = word.removeprefix("--")
        options[name] = True if name == "enable_bucket" else float(next(words))
    weight = options.pop("prior_loss_weight", 1.0)
    return {name: int(value) for name, value in options.items()} | {"prior_loss_weight": weight}


def settings_of(case: dict[str, Any]) -> dict[int, SampleSettings]:
    options = {name: value for name, value in options_of(case).items() if name in RULES}
    run = SampleSettings(rules=BucketRules((options.pop("resolution"),) * 2, **options))
    reg = run.having(is_reg=True, weight=options_of(case)["prior_loss_weight"])
    return {0: run, 1: reg}


def index_of(case: dict[str, Any], root: Path) -> DatasetIndex:
    subsets = [Subset(folder=write_sizes(root / "train", case["train_folders"]))]
    if case["reg_folders"]:
        folder = write_sizes(root / "reg", case["reg_folders"])
        subsets.append(Subset(number=1, folder=folder))
    return balanced(index_subsets(subsets, {0: 1, 1: 1}), settings_of(case))


def plan_of(case: dict[str, Any], index: DatasetIndex) -> Plan:
    pace = {name: each for name, each in options_of(case).items() if name in Pace.__slots__}
    sizes = {picture.path: read_header(picture.path).size for picture in index.pictures}
    return make_plan(index, sizes, settings_of(case), Pace(**pace))


@RECORDED
def test_counts_steps_and_epochs_are_the_recorded_ones(
    case: dict[str, Any], tmp_path: Path
) -> None:
    plan = plan_of(case, index_of(case, tmp_path))
    actual = {
        "num_train_images": plan.samples - plan.reg_samples,
        "num_reg_images": plan.reg_asked,
        "num_batches_per_epoch": plan.batches_per_epoch,
        "num_epochs": plan.epochs,
        "max_train_steps": plan.total_steps,
    }
    recorded = {name: case["expected"][name] for name in actual}
    vectors.check(FILE, case["description"], actual=actual, recorded=recorded)


@RECORDED
def test_bucket_info_is_the_recorded_one(case: dict[str, Any], tmp_path: Path) -> None:
    info = bucket_info(plan_of(case, index_of(case, tmp_path)))
    recorded = case["expected"]["bucket_info"]
    if recorded is None:
        assert info is None
        return
    assert info is not None
    assert info["buckets"] == recorded["buckets"]
    assert info["mean_img_ar_error"] == pytest.approx(recorded["mean_img_ar_error"], rel=1e-12)


@RECORDED
def test_repeats_of_each_picture_are_the_recorded_ones(
    case: dict[str, Any], tmp_path: Path
) -> None:
    repeats = {
        f"{picture.path.parent.name}/{picture.path.name}": picture.repeats
        for picture in index_of(case, tmp_path).trained
    }
    recorded = {p["image"]: p["repeats"] for p in case["expected"]["image_repeats"][0]}
    assert repeats == recorded


@RECORDED
def test_the_first_epoch_delivers_the_recorded_batch_sizes(
    case: dict[str, Any], tmp_path: Path
) -> None:
    index = index_of(case, tmp_path)
    plan = plan_of(case, index)
    pictures, settings = index.trained, settings_of(case)
    batch_size = options_of(case)["train_batch_size"]
    keys = [picture.key for picture in pictures]
    pools = pools_of(plan.placements, keys, settings, batch_size)
    batches = epoch_batches(pools, [picture.repeats for picture in pictures], seed=42, epoch=1)
    sizes = sorted(len(batch.pictures) for batch in batches)
    assert sizes == case["expected"]["batch_sizes_first_epoch_sorted"]
    assert len(batches) == plan.batches_per_epoch
    weights = [settings[pictures[n].subset].weight for batch in batches for n in batch.pictures]
    assert sorted(weights) == case["expected"].get("loss_weights_first_epoch_sorted", weights)


def test_every_listed_deviation_is_a_recorded_case() -> None:
    vectors.check_listing(FILE, [case["description"] for case in OF_FOLDERS])


@pytest.fixture
def index(tmp_path: Path) -> DatasetIndex:
    """Three square pictures and a wide one, shown 5 times each, and two shown once."""
    square, wide = [512, 512], [768, 512]
    folders = {"5_cat": [square, square, square, wide], "1_dog": [square, wide]}
    return build_index(write_sizes(tmp_path, folders), plain_repeats=1)


def plan_at(index: DatasetIndex, **pace: Any) -> Plan:
    sizes = {picture.path: read_header(picture.path).size for picture in index.pictures}
    rules = BucketRules((512, 512), bucket_no_upscale=False)
    settings = {0: SampleSettings(rules=rules)}
    return make_plan(index, sizes, settings, Pace(**({"train_batch_size": 4} | pace)))


def test_pictures_samples_and_batches_are_counted_by_folder_and_bucket(
    index: DatasetIndex,
) -> None:
    plan = plan_at(index)
    assert plan.pictures == 6
    assert plan.samples == 4 * 5 + 2
    assert [(c.name, c.pictures, c.repeats, c.samples) for c in plan.concepts] == [
        ("1_dog", 2, 1, 2),
        ("5_cat", 4, 5, 20),
    ]
    # 3 x 5 + 1 square samples are 4 batches, 5 + 1 wide ones are 2.
    assert [(b.resolution, b.samples, b.batches) for b in plan.buckets] == [
        ((512, 512), 16, 4),
        ((640, 384), 6, 2),
    ]


@pytest.mark.parametrize(("accumulation", "steps", "last"), [(1, 6, 1), (4, 2, 2), (6, 1, 6)])
def test_the_last_step_of_an_epoch_may_have_fewer_batches(
    index: DatasetIndex, accumulation: int, steps: int, last: int
) -> None:
    plan = plan_at(index, gradient_accumulation_steps=accumulation)
    assert (plan.steps_per_epoch, plan.batches_in_last_step) == (steps, last)


@pytest.mark.parametrize(
    ("length", "steps", "epochs"),
    [
        ({"epoch": 3}, 18, 3),
        ({"epoch": 3, "max_train_steps": 7}, 7, 2),
        ({"epoch": 3, "max_train_steps": 7, "max_train_epochs": 4}, 24, 4),
    ],
)
def test_max_epochs_override_max_steps_which_override_epochs(
    index: DatasetIndex, length: dict[str, int], steps: int, epochs: int
) -> None:
    plan = plan_at(index, **length)
    assert (plan.total_steps, plan.epochs) == (steps, epochs)


@pytest.mark.parametrize(
    ("pace", "has_reg", "steps"),
    [
        ({"epoch": 1}, False, 1000),
        ({"epoch": 2}, False, 2000),
        ({"epoch": 2}, True, 4000),
        ({"epoch": 2, "train_batch_size": 4}, True, 1000),
        ({"epoch": 2, "train_batch_size": 4, "gradient_accumulation_steps": 5}, True, 200),
    ],
)
def test_steps_are_pictures_by_repeats_by_epochs_in_batches(
    tmp_path: Path, pace: dict[str, int], has_reg: bool, steps: int
) -> None:
    # guide-facts 38 and 41: 20 pictures shown 50 times; regularisation doubles an epoch.
    subsets = [Subset(folder=write_sizes(tmp_path / "a", {"50_cat": [[64, 64]] * 20}))]
    if has_reg:
        folder = write_sizes(tmp_path / "b", {"1_cat": [[64, 64]] * 3})
        subsets.append(Subset(number=1, folder=folder))
    run = SampleSettings(rules=BucketRules((64, 64)))
    settings = {0: run, 1: run.having(is_reg=True)}
    index = balanced(index_subsets(subsets, {0: 1, 1: 1}), settings)
    sizes = {picture.path: (64, 64) for picture in index.pictures}
    plan = make_plan(index, sizes, settings, Pace(**({"train_batch_size": 1} | pace)))
    assert plan.total_steps == steps


@pytest.mark.parametrize(
    ("warmup", "steps"),
    [
        ({"lr_warmup": 10.0}, 300),
        ({"lr_warmup": 0.05}, 2),  # 1.5 rounds to the even 2
        ({"lr_warmup": 10.0, "lr_warmup_steps": 0}, 0),
        ({"lr_warmup_steps": 25}, 25),
        ({"lr_warmup": 10.0, "lr_scheduler": "constant"}, 0),
    ],
)
def test_warmup_is_a_percentage_unless_steps_are_given(
    index: DatasetIndex, warmup: dict[str, Any], steps: int
) -> None:
    pace = {"lr_scheduler": "cosine", "max_train_steps": 3000} | warmup
    assert plan_at(index, **pace).warmup_steps == steps


def test_dataset_dirs_name_repeats_and_pictures_of_each_folder(index: DatasetIndex) -> None:
    assert dataset_dirs(plan_at(index)) == {
        "1_dog": {"n_repeats": 1, "img_count": 2},
        "5_cat": {"n_repeats": 5, "img_count": 4},
    }


def test_a_picture_too_thin_for_a_bucket_is_refused_by_name(tmp_path: Path) -> None:
    index = build_index(write_sizes(tmp_path, {"1_x": [[512, 512], [60, 500]]}), plain_repeats=1)
    sizes = {picture.path: read_header(picture.path).size for picture in index.pictures}
    settings = {0: SampleSettings(rules=BucketRules((512, 512)))}
    with pytest.raises(DatasetError, match=r"img001\.png is too thin .*60 x 500"):
        make_plan(index, sizes, settings, Pace(train_batch_size=1))


def test_no_pictures_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no pictures"):
        plan_at(build_index(tmp_path, plain_repeats=1))
