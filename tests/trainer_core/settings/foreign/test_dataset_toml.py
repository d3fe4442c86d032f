"""A dataset configuration of sd-scripts becomes subsets that train as they do there."""

from __future__ import annotations

import json
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from helpers import vectors
from helpers.pictures import write_dataset, write_sizes

from trainer_core.dataset.batches import epoch_batches
from trainer_core.dataset.plan import pools_of
from trainer_core.dataset.survey import Survey, SurveyRequest, take_survey
from trainer_core.errors import SettingsError
from trainer_core.settings.document import replaced
from trainer_core.settings.foreign.dataset_toml import import_dataset_config
from trainer_core.settings.foreign.imported import Imported
from trainer_core.settings.schema import TRAIN

CASES = {case["description"]: case for case in vectors.load("steps.json")["cases"]}
CASE = CASES["two datasets of different batch size"]


def imported(folder: Path, content: str, name: str = "data.toml") -> Imported:
    path = folder / name
    path.write_text(content)
    return import_dataset_config(path)


def rows_of(found: Imported) -> list[dict[str, Any]]:
    rows: Any = found.changes["dataset.subsets"]
    return rows


def survey_of(found: Imported, run: dict[str, object]) -> Survey:
    settings, problems = TRAIN.parse(replaced({}, {**run, **found.changes}))
    assert settings is not None, problems
    request = SurveyRequest.of(settings)
    assert request is not None
    return take_survey(request)


@pytest.fixture
def recorded(tmp_path: Path) -> Survey:
    root = write_sizes(tmp_path, CASE["train_folders"])
    words = shlex.split(CASE["command_line"])
    options = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    run = {
        "dataset.train_batch_size": options["--train_batch_size"],
        "optimizer.max_train_epochs": options["--max_train_epochs"],
    }
    return survey_of(imported(tmp_path, CASE["config"].replace("<train>", root.as_posix())), run)


def test_counts_steps_and_epochs_are_the_recorded_ones(recorded: Survey) -> None:
    plan, expected = recorded.plan, CASE["expected"]
    assert plan is not None
    assert {
        "num_train_images": plan.samples,
        "num_reg_images": plan.reg_asked,
        "num_batches_per_epoch": plan.batches_per_epoch,
        "num_epochs": plan.epochs,
        "max_train_steps": plan.total_steps,
    }.items() <= expected.items()


def test_each_data_set_has_the_recorded_repeats_and_batch_sizes(recorded: Survey) -> None:
    assert recorded.plan is not None
    pictures = recorded.index.trained
    expected = {
        each["image"]: each["repeats"]
        for data_set in CASE["expected"]["image_repeats"]
        for each in data_set
    }
    assert {f"{p.path.parent.name}/{p.path.name}": p.repeats for p in pictures} == expected
    keys = [picture.key for picture in pictures]
    pools = pools_of(recorded.plan.placements, keys, recorded.request.settings, 7)
    batches = epoch_batches(pools, [picture.repeats for picture in pictures], seed=1, epoch=0)
    sizes = sorted(len(batch.pictures) for batch in batches)
    assert sizes == CASE["expected"]["batch_sizes_first_epoch_sorted"]


CONFIG = r"""
[general]
shuffle_caption = true
caption_extension = '.txt'
keep_tokens = 1

[[datasets]]
resolution = 512
batch_size = 4
keep_tokens = 2

  [[datasets.subsets]]
  image_dir = 'studio'
  class_tokens = 'kxq kettle'
  num_repeats = 8

  [[datasets.subsets]]
  image_dir = '/sets/street'
  keep_tokens = 3
  flip_aug = true

  [[datasets.subsets]]
  is_reg = true
  image_dir = 'D:\sets\reg'
  class_tokens = 'kettle'
"""


def test_values_are_inherited_and_shared_ones_become_the_run_s(tmp_path: Path) -> None:
    found = imported(tmp_path, CONFIG)
    assert rows_of(found) == [
        {
            "image_dir": str(tmp_path / "studio"),
            "num_repeats": 8,
            "class_tokens": "kxq kettle",
            "keep_tokens": 2,
        },
        {"image_dir": "/sets/street", "num_repeats": 1, "keep_tokens": 3, "flip_aug": True},
        {
            "image_dir": "D:\\sets\\reg",
            "num_repeats": 1,
            "class_tokens": "kettle",
            "is_reg": True,
            "keep_tokens": 2,
        },
    ]
    shared = {path: value for path, value in found.changes.items() if path != "dataset.subsets"}
    assert shared == {
        "dataset.train_data_dir": "unset",
        "dataset.more_pictures": [],
        "dataset.reg_data_dir": "unset",
        "dataset.in_json": "unset",
        "dataset.train_batch_size": 4,
        "buckets.resolution": 512,
        "captions.shuffle_caption": True,
        "captions.caption_extension": ".txt",
    }
    settings, problems = TRAIN.parse(replaced({}, found.changes))
    assert (settings is not None, problems) == (True, [])


def test_json_says_the_same(tmp_path: Path) -> None:
    as_json = json.dumps(tomllib.loads(CONFIG))
    assert imported(tmp_path, as_json, "data.json") == imported(tmp_path, CONFIG)


def test_without_a_run_what_is_open_is_as_in_sd_scripts(tmp_path: Path) -> None:
    path = tmp_path / "data.toml"
    path.write_text("[[datasets]]\nresolution = 64\n[[datasets.subsets]]\nimage_dir = 'a'\n")
    changes = import_dataset_config(path, is_alone=True).changes
    assert changes["buckets.enable_bucket"] is False
    assert changes["buckets.max_bucket_reso"] == 1024
    assert changes["captions.caption_extension"] == ".caption"
    assert "buckets.enable_bucket" not in import_dataset_config(path).changes


SUBSET = "[[datasets]]\n[[datasets.subsets]]\nimage_dir = 'a'\n"


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (f"{SUBSET}num_repeat = 2", "datasets[1].subsets[1].num_repeat is no", "num_repeats?"),
        ("[general]\nkeep_token = 1\n" + SUBSET, "general.keep_token is no", "keep_tokens?"),
        ("[[datasets]]\nimage_dir = 'a'", "datasets[1].image_dir is no", "Remove it"),
        ("[[dataset]]\n", "dataset is no", "datasets?"),
        ("[general]\n", "it names no pictures", "Choose"),
        ("[[datasets]]\n[[datasets.subsets]]\nnum_repeats = 1", "has no image_dir", "Choose"),
        (
            f"{SUBSET}[[datasets.subsets]]\nmetadata_file = 'm'",
            "only some subsets of datasets[1] have a metadata file",
            "Choose",
        ),
        (f"{SUBSET}keep_tokens = {{ a = 1 }}", "keep_tokens has no value", "Choose"),
        (f"{SUBSET}resolution = 1979-05-27", "datasets[1].subsets[1].resolution is no", "Remove"),
        ("[general]\nresolution = [1979-05-27]\n" + SUBSET, "resolution has no value", "Choose"),
        ("datasets = 3", "datasets must be a list of tables", "Choose"),
        ("a = ", "cannot be imported", "Choose"),
    ],
)
def test_what_is_no_configuration_is_named(
    tmp_path: Path, content: str, message: str, hint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        imported(tmp_path, content)
    assert message in str(caught.value.message)
    assert hint in str(caught.value.hint)
    assert "data.toml" in str(caught.value.message)


def test_what_has_no_place_here_is_noted(tmp_path: Path) -> None:
    double = "[[datasets.subsets]]\nimage_dir = 'a'\n"
    off = "[[datasets.subsets]]\nimage_dir = 'b'\nnum_repeats = 0\n"
    config = f"[general]\nnetwork_multiplier = 0.5\n{SUBSET}{double}{off}"
    found = imported(tmp_path, config)
    assert [str(note) for note in found.notes] == [
        "network_multiplier has no effect here.",
        "datasets[1].subsets[2] is there twice and left out.",
        "datasets[1].subsets[3] has no repeats and is left out.",
    ]
    assert len(rows_of(found)) == 1


def test_shares_that_differ_are_noted(tmp_path: Path) -> None:
    each = "[[datasets]]\n{0}[[datasets.subsets]]\nimage_dir = 'a'\n"
    same = each.format("validation_split = 0.1\n")
    assert imported(tmp_path, same * 2).notes == ()
    for other in ("", "validation_split = 0.3\n"):
        found = imported(tmp_path, same + each.format(other))
        assert found.changes["validation.validation_split"] == 0.1
        assert [str(note) for note in found.notes] == [
            "validation_split is 0.1 for the whole run; the data sets differ."
        ]


def test_one_folder_at_several_sizes_and_a_metadata_file(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"a": {"x.png": None}}, (128, 128))
    (tmp_path / "meta.json").write_text('{"x": {"caption": "one"}}')
    each = "[[datasets]]\nresolution = {0}\n[[datasets.subsets]]\nimage_dir = 'a'\n"
    described = "metadata_file = 'meta.json'\n"
    content = "[general]\nenable_bucket = false\n" + each.format(64) + each.format(128) + described
    found = survey_of(imported(tmp_path, content), {})
    assert found.plan is not None
    assert found.audit is not None
    sizes = {key.subset: place.bucket for key, place in found.plan.placements.items()}
    assert sizes == {1: (64, 64), 2: (128, 128)}
    assert sorted(found.audit.captions.values()) == ["", "one"]
