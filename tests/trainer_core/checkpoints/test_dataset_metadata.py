"""``ss_datasets`` equals the recorded one of the same dataset configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import vectors
from helpers.pictures import write_picture

from trainer_core.catalogue.families import FAMILIES
from trainer_core.checkpoints.dataset_metadata import DATASETS, OF_ONE_DATA_SET, datasets_entry
from trainer_core.checkpoints.metadata import (
    ModelFacts,
    NetworkFacts,
    RunFacts,
    build_metadata,
    plan_facts,
)
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.plan import dataset_dirs
from trainer_core.dataset.subsets import SampleSettings
from trainer_core.dataset.survey import Survey, SurveyRequest, take_survey
from trainer_core.settings.document import replaced
from trainer_core.settings.foreign.dataset_toml import import_dataset_config
from trainer_core.settings.schema import TRAIN

FILE = "metadata.json"
CASES = {each["description"]: each for each in vectors.load(FILE)["written_files"]}
CASE = CASES["dataset config file"]
RECORDED = {key: each["value"] for key, each in CASE["files"]["demo.safetensors"].items()}

OF_THE_TENSORS = {"sshs_model_hash", "sshs_legacy_hash"}
NEVER_LOST = {"ss_resolution", "ss_bucket_info", "ss_total_batch_size"}  # behaviours 16
OF_THIS_PROGRAM = {"modelspec.implementation_version", "ss_sd_scripts_commit_hash"}


def write_pictures(root: Path, folders: dict[str, Any]) -> Path:
    for folder, pictures in folders.items():
        for number, (width, height, caption) in enumerate(pictures):
            path = write_picture(root / folder / f"img{number:03}.png", (width, height))
            if caption is not None:
                path.with_suffix(".txt").write_text(caption)
    return root


def write_recorded(root: Path) -> Path:
    return write_pictures(root, CASE["train_folders"]) / "2_demo cat"


def survey_of(rows: list[dict[str, Any]], **sections: object) -> Survey:
    settings, problems = TRAIN.parse({"dataset": {"subsets": rows}} | sections)
    assert settings is not None, problems
    request = SurveyRequest.of(settings)
    assert request is not None
    return take_survey(request)


@pytest.fixture
def found(tmp_path: Path) -> Survey:
    row = {
        "image_dir": str(write_recorded(tmp_path)),
        "num_repeats": 3,
        "class_tokens": "demo cat",
        "keep_tokens": 1,
        "flip_aug": True,
        "caption_prefix": "p",
        "train_batch_size": 2,
        "resolution": [128, 128],
        "min_bucket_reso": 64,
        "max_bucket_reso": 256,
        "bucket_no_upscale": False,
        "caption_extension": ".txt",
    }
    return survey_of([row])


def entry_of(found: Survey) -> Any:
    assert found.plan is not None
    assert found.audit is not None
    return datasets_entry(
        found.plan,
        found.index,
        found.audit.captions,
        found.request.settings,
        batch_size=7,
        processes=1,
    )


def test_the_entry_of_a_data_set_is_the_recorded_one(found: Survey) -> None:
    assert found.plan is not None
    recorded = json.loads(RECORDED["ss_datasets"])
    (entry,) = entry_of(found)
    assert list(entry) == list(recorded[0])
    error = recorded[0]["bucket_info"].pop("mean_img_ar_error")
    assert entry["bucket_info"].pop("mean_img_ar_error") == pytest.approx(error, rel=1e-12)
    assert [entry] == recorded
    assert dataset_dirs(found.plan) == json.loads(RECORDED["ss_dataset_dirs"])


def test_every_entry_of_a_configuration_file_is_the_recorded_one(tmp_path: Path) -> None:
    config = CASE["config"].replace("<train>", write_recorded(tmp_path).parent.as_posix())
    (tmp_path / "data.toml").write_text(config, encoding="utf-8")
    values = {
        # The command line of the case, and what is left open there.
        "optimizer.max_train_steps": 2,
        "optimizer.learning_rate": 2e-6,
        "optimizer.unet_lr": "unset",
        "optimizer.text_encoder_lr": "unset",
        "optimizer.lr_scheduler": "constant",
        "output.output_name": "demo",
        **import_dataset_config(tmp_path / "data.toml").changes,
    }
    settings, problems = TRAIN.parse(replaced({}, values))
    assert settings is not None, problems
    request = SurveyRequest.of(settings)
    assert request is not None
    found = take_survey(request)
    assert found.plan is not None
    assert found.audit is not None
    facts = RunFacts(
        settings=settings,
        model=ModelFacts(names=FAMILIES["sd1"].names),
        network=NetworkFacts(module="networks.lora", dim=4, alpha=1),
        plan={
            **plan_facts(found.plan, found.index, found.audit.captions),
            DATASETS: entry_of(found),
        },
        optimizer="torch.optim.adamw.AdamW",
        precision="no",
        seed=42,
        run_id="0123",
        started_at=1000.25,
        subsets=request.settings,
    )
    metadata = build_metadata(facts, step=2, epoch=1, saved_at=2000.5)
    kept = {key: metadata[key] for key in NEVER_LOST}
    assert set(metadata) - {"loom_run_id"} - NEVER_LOST == set(RECORDED) - OF_THE_TENSORS
    assert (kept["ss_resolution"], kept["ss_total_batch_size"]) == ("(128, 128)", "2")
    assert (
        json.loads(kept["ss_bucket_info"]) == json.loads(metadata["ss_datasets"])[0]["bucket_info"]
    )
    for key in set(RECORDED) - OF_THE_TENSORS - OF_THIS_PROGRAM - {"ss_datasets"}:
        if RECORDED[key] != "<volatile>":
            case = f"dataset config file/demo/{key}"
            vectors.check(FILE, case, actual=metadata[key], recorded=RECORDED[key])


def test_entries_of_a_single_data_set_are_left_out() -> None:
    default = CASES["SD1.5 with the directory layout, default options"]["files"]
    gone = set(default["demo.safetensors"]) - set(RECORDED)
    assert {f"ss_{name}" for name in OF_ONE_DATA_SET} == gone - NEVER_LOST


def test_the_largest_data_set_tells_size_and_batch_of_the_run() -> None:
    rules = BucketRules((64, 64))
    subsets = {
        number: SampleSettings(rules=rules).having(resolution=size, train_batch_size=own)
        for number, (size, own) in enumerate([((64, 64), 6), ((256, 64), None), ((96, 96), 2)])
    }
    facts = RunFacts(
        settings=TRAIN.tree.model_validate(
            {
                "dataset": {"train_batch_size": 2},
                "optimizer": {"gradient_accumulation_steps": 5},
            }
        ),
        model=ModelFacts(names=FAMILIES["sd1"].names),
        network=NetworkFacts(module="networks.lora", dim=4, alpha=1),
        plan={},
        optimizer="",
        precision="no",
        seed=42,
        run_id="0123",
        started_at=0.0,
        subsets=subsets,
    )
    metadata = build_metadata(facts, step=2, epoch=1, saved_at=0.0)
    assert metadata["ss_resolution"] == "(256, 64)"
    assert metadata["modelspec.resolution"] == "256x64"
    assert metadata["ss_total_batch_size"] == str(6 * 5)


def test_each_data_set_has_its_own_sizes_and_counts(tmp_path: Path) -> None:
    folder = str(write_recorded(tmp_path))
    rows = [
        {"image_dir": folder, "resolution": [192, 192]},
        {"image_dir": folder, "resolution": [128, 128], "train_batch_size": 4},
        {"image_dir": folder, "num_repeats": 1, "is_reg": True, "resolution": [128, 128]},
    ]
    rows[2]["train_batch_size"] = 4
    large, small = entry_of(survey_of(rows))
    assert (large["resolution"], large["batch_size_per_device"]) == ([192, 192], 7)
    assert (small["resolution"], small["batch_size_per_device"]) == ([128, 128], 4)
    # Three pictures shown twice; those for regularisation count by their own repeats.
    assert (large["num_train_images"], large["num_reg_images"]) == (6, 0)
    assert (small["num_train_images"], small["num_reg_images"]) == (6, 3)
    assert [each["is_reg"] for each in small["subsets"]] == [False, True]


def test_regularisation_pictures_are_counted_as_recorded(tmp_path: Path) -> None:
    case = CASES["SD1.5 many options and a mid-training save"]
    recorded = {key: each["value"] for key, each in case["files"]["demo.safetensors"].items()}
    train = write_pictures(tmp_path / "train", case["train_folders"])
    reg = write_pictures(tmp_path / "reg", case["reg_folders"])
    buckets = {"resolution": [128, 192], "bucket_no_upscale": False}
    buckets |= {"min_bucket_reso": 64, "max_bucket_reso": 256}
    dataset = {"train_data_dir": str(train), "reg_data_dir": str(reg), "train_batch_size": 2}
    found = survey_of([], dataset=dataset, buckets=buckets)
    assert found.plan is not None
    assert found.audit is not None
    facts: Any = plan_facts(found.plan, found.index, found.audit.captions)
    names = ("num_train_images", "num_reg_images", "num_batches_per_epoch")
    assert {name: str(facts[name]) for name in names} == {n: recorded[f"ss_{n}"] for n in names}
    tables = ("dataset_dirs", "reg_dataset_dirs", "tag_frequency", "bucket_info")
    for name in tables:
        expected = json.loads(recorded[f"ss_{name}"])
        if name == "bucket_info":
            error = expected.pop("mean_img_ar_error")
            assert facts[name].pop("mean_img_ar_error") == pytest.approx(error, rel=1e-12)
        assert facts[name] == expected
