"""The metadata of a weight file equals the recorded one of the same configuration."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers import vectors
from helpers.another_method import another_method, settings_of
from helpers.pictures import write_dataset

from trainer_core.catalogue.families import FAMILIES
from trainer_core.checkpoints import metadata as module
from trainer_core.checkpoints.metadata import (
    ModelFacts,
    NetworkFacts,
    RunFacts,
    build_metadata,
    plan_facts,
)
from trainer_core.checkpoints.modelspec import PROGRAM
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.index import build_index
from trainer_core.dataset.plan import Pace, make_plan
from trainer_core.dataset.subsets import SampleSettings
from trainer_core.settings.augmentation import AugmentationSettings
from trainer_core.settings.buckets import BucketSettings
from trainer_core.settings.captions import CaptionSettings
from trainer_core.settings.dataset import DatasetSettings
from trainer_core.settings.model import ModelSettings
from trainer_core.settings.optimizer import OptimizerSettings
from trainer_core.settings.output import OutputSettings
from trainer_core.settings.schema import TRAIN, TrainSettings

DATA = Path(__file__).parents[2] / "data"
FILE = "metadata.json"
FILES = {entry["description"]: entry["files"] for entry in vectors.load(FILE)["written_files"]}
DEFAULT = FILES["SD1.5 with the directory layout, default options"]["demo.safetensors"]
MANY_OPTIONS, WARMUP = "SD1.5 many options and a mid-training save", "ss_lr_warmup_steps"
MANY = FILES[MANY_OPTIONS]
VELOCITY = FILES["SD2 v-prediction"]["demo.safetensors"]
XL = FILES["SDXL"]["demo.safetensors"]

# Left to later issues: no_metadata, and in the case with many options the entries of settings that
# are not offered yet. That of a configuration file is in the tests of dataset_metadata.
LATER = {
    "ss_min_snr_gamma", "ss_noise_offset", "ss_scale_weight_norms",
    "modelspec.author", "modelspec.description", "modelspec.license", "modelspec.tags",
    "modelspec.timestep_range", "modelspec.title",
}  # fmt: skip

OF_THIS_PROGRAM = {"modelspec.implementation_version", "ss_sd_scripts_commit_hash"}
HASHES = {"sshs_model_hash", "sshs_legacy_hash"}  # added when the tensors are known
OWN_KEYS = {"loom_run_id"}

__all__ = ["another_method"]  # a fixture

DEFAULT_FACTS = RunFacts(
    settings=TrainSettings(
        buckets=BucketSettings(resolution=(64, 64), enable_bucket=False),
        optimizer=OptimizerSettings(
            learning_rate=2e-6, unet_lr=None, text_encoder_lr=None, lr_scheduler="constant"
        ),
        output=OutputSettings(output_name="demo"),
    ),
    model=ModelFacts(names=FAMILIES["sd1"].names),
    network=NetworkFacts(module="networks.lora", dim=4, alpha=2.0),
    plan={
        "num_train_images": 6,
        "num_reg_images": 0,
        "num_batches_per_epoch": 6,
        "num_epochs": 1,
        "max_train_steps": 4,
        "lr_warmup_steps": 0,
        "bucket_info": None,
        "dataset_dirs": {"2_demo cat": {"n_repeats": 2, "img_count": 3}},
        "reg_dataset_dirs": {},
        "tag_frequency": {"2_demo cat": {"a": 2, "b": 1, "c": 1, "demo cat": 1}},
    },
    optimizer="torch.optim.adamw.AdamW",
    precision="no",
    seed=42,
    run_id="0123",
    started_at=1000.25,
)

MANY_FACTS = replace(
    DEFAULT_FACTS,
    settings=TrainSettings(
        model=ModelSettings(clip_skip=2),
        dataset=DatasetSettings(train_batch_size=2),
        buckets=BucketSettings(
            resolution=(128, 192),
            enable_bucket=True,
            bucket_no_upscale=False,
            min_bucket_reso=64,
            max_bucket_reso=256,
        ),
        augmentation=AugmentationSettings(flip_aug=True),
        captions=CaptionSettings(shuffle_caption=True, keep_tokens=1, max_token_length=225),
        optimizer=OptimizerSettings(
            learning_rate=1e-4, unet_lr=2e-4, text_encoder_lr=5e-5, lr_scheduler="cosine"
        ),
        output=OutputSettings(output_name="demo", training_comment="hello"),
    ),
    model=replace(DEFAULT_FACTS.model, name="nowhere/model"),
    network=NetworkFacts(
        module="networks.lora",
        dim=8,
        alpha=4.0,
        dropout=0.1,
        args={"conv_dim": "2", "conv_alpha": "1"},
    ),
    plan={
        **DEFAULT_FACTS.plan,
        "num_reg_images": 1,
        "num_epochs": 2,
        "max_train_steps": 12,
        "lr_warmup_steps": 1,
        "bucket_info": {
            "buckets": {
                "0": {"resolution": [128, 128], "count": 10},
                "1": {"resolution": [192, 128], "count": 2},
            },
            "mean_img_ar_error": 0.11607142857142855,
        },
        "reg_dataset_dirs": {"1_cat": {"n_repeats": 1, "img_count": 1}},
        "tag_frequency": {
            "2_demo cat": {"a": 2, "b": 1, "c": 1, "demo cat": 1},
            "1_cat": {"cat": 1},
        },
    },
    optimizer="torch.optim.adamw.AdamW(weight_decay=0.1,betas=(0.9, 0.99))",
)


def fixed_values(recorded: dict[str, Any], without: set[str]) -> dict[str, str]:
    """Return the recorded values that do not depend on time, chance or the program."""
    return {
        key: entry["value"]
        for key, entry in recorded.items()
        if entry["value"] != "<volatile>" and key not in without
    }


def test_keys_equal_the_recorded_ones_and_our_own() -> None:
    metadata = build_metadata(DEFAULT_FACTS, step=4, epoch=1, saved_at=2000.5)

    assert set(metadata) | HASHES == set(DEFAULT) | OWN_KEYS


def test_values_equal_the_recorded_ones() -> None:
    metadata = build_metadata(DEFAULT_FACTS, step=4, epoch=1, saved_at=2000.5)
    expected = fixed_values(DEFAULT, HASHES | OF_THIS_PROGRAM)

    assert {key: metadata[key] for key in expected} == expected


def test_values_equal_the_recorded_ones_where_settings_are_not_the_default() -> None:
    mid_training = build_metadata(MANY_FACTS, step=6, epoch=1, saved_at=2000.5)
    final = build_metadata(MANY_FACTS, step=12, epoch=2, saved_at=2000.5)
    without = HASHES | OF_THIS_PROGRAM | LATER

    for metadata, name in ((mid_training, "demo-000001"), (final, "demo")):
        expected = fixed_values(MANY[f"{name}.safetensors"], without)
        case = f"{MANY_OPTIONS}/{name}/{WARMUP}"
        share = expected.pop(WARMUP)
        vectors.check(FILE, case, actual=metadata[WARMUP], recorded=share)
        # By the rule of lr_schedules.json: a share of the schedule's length, truncated.
        steps = int(float(share) * int(expected["ss_max_train_steps"]))
        assert metadata[WARMUP] == str(steps)
        assert {key: metadata[key] for key in expected} == expected
        assert set(metadata) | HASHES | LATER == set(MANY[f"{name}.safetensors"]) | OWN_KEYS


def test_every_listed_deviation_is_a_recorded_entry() -> None:
    names = [
        f"{case}/{Path(file).stem}/{key}"
        for case, files in FILES.items()
        for file, entries in files.items()
        for key in entries
    ]
    vectors.check_listing(FILE, names)


def test_how_captions_are_dropped_is_told_under_the_recorded_names() -> None:
    captions = CaptionSettings(
        caption_dropout_rate=0.1, caption_dropout_every_n_epochs=3, caption_tag_dropout_rate=0.2
    )
    facts = replace(DEFAULT_FACTS, settings=TrainSettings(captions=captions))
    metadata = build_metadata(facts, step=4, epoch=1, saved_at=2000.5)
    told = {name: value for name, value in metadata.items() if "dropout" in name}
    assert told == {
        "ss_caption_dropout_rate": "0.1",
        "ss_caption_dropout_every_n_epochs": "3",
        "ss_caption_tag_dropout_rate": "0.2",
        "ss_network_dropout": "None",
    }


def test_a_stable_diffusion_2_that_predicts_velocity_is_named_as_recorded() -> None:
    entry = FAMILIES["sd2"]
    model = ModelFacts(
        names=entry.names_for("v_prediction"), is_v2=entry.is_v2, prediction_type="v_prediction"
    )
    plan = {**DEFAULT_FACTS.plan, "max_train_steps": 2}
    network = NetworkFacts(module="networks.lora", dim=4, alpha=1)
    facts = replace(DEFAULT_FACTS, model=model, network=network, plan=plan)
    metadata = build_metadata(facts, step=2, epoch=1, saved_at=2000.5)
    expected = fixed_values(VELOCITY, HASHES | OF_THIS_PROGRAM)

    assert {key: metadata[key] for key in expected} == expected
    assert set(metadata) | HASHES == set(VELOCITY) | OWN_KEYS


def test_an_sdxl_lora_has_the_recorded_values() -> None:
    names = FAMILIES["sdxl"].names
    model = ModelFacts(names=names, implementation=names.implementation)
    plan = {**DEFAULT_FACTS.plan, "max_train_steps": 2}
    network = NetworkFacts(module="networks.lora", dim=4, alpha=1)
    facts = replace(DEFAULT_FACTS, model=model, network=network, plan=plan)
    metadata = build_metadata(facts, step=2, epoch=1, saved_at=2000.5)
    expected = fixed_values(XL, HASHES | OF_THIS_PROGRAM)

    assert {key: metadata[key] for key in expected} == expected
    assert set(metadata) | HASHES == set(XL) | OWN_KEYS


@pytest.mark.parametrize(
    ("family", "second", "rates"),
    [
        ("sdxl", None, "5e-06"),
        ("sdxl", 5e-6, "5e-06"),
        ("sdxl", 1e-6, "[5e-06, 1e-06]"),
        ("sdxl", 0.0, "[5e-06, 0.0]"),
        ("sd1", 1e-6, "5e-06"),
    ],
)
def test_rates_of_two_encoders_are_listed_where_they_differ(
    family: str, second: float | None, rates: str
) -> None:
    settings = TrainSettings(
        optimizer=OptimizerSettings(text_encoder_lr=5e-6, learning_rate_te2=second)
    )
    parts = [part.name for part in FAMILIES[family].parts]
    model = replace(DEFAULT_FACTS.model, parts=parts)
    facts = replace(DEFAULT_FACTS, settings=settings, model=model)

    assert build_metadata(facts, step=1, epoch=1, saved_at=0.0)["ss_text_encoder_lr"] == rates


def test_every_value_is_text() -> None:
    metadata = build_metadata(MANY_FACTS, step=6, epoch=1, saved_at=2000.5)

    assert {type(value) for value in metadata.values()} == {str}


def test_this_program_names_itself() -> None:
    metadata = build_metadata(DEFAULT_FACTS, step=4, epoch=1, saved_at=2000.5)

    assert {metadata[key] for key in OF_THIS_PROGRAM} == {PROGRAM}
    assert metadata["loom_run_id"] == "0123"


def test_times_are_those_of_the_run() -> None:
    metadata = build_metadata(DEFAULT_FACTS, step=4, epoch=1, saved_at=2000.5)

    assert metadata["ss_session_id"] == str(0x123)
    assert metadata["ss_training_started_at"] == "1000.25"
    assert metadata["ss_training_finished_at"] == "2000.5"


def test_a_base_model_file_is_named_with_both_hashes() -> None:
    model = replace(
        DEFAULT_FACTS.model, name="sd.safetensors", short_hash="ab", sha256=lambda: "cd"
    )

    metadata = build_metadata(replace(DEFAULT_FACTS, model=model), step=4, epoch=1, saved_at=0.0)

    assert metadata["ss_sd_model_name"] == "sd.safetensors"
    assert metadata["ss_sd_model_hash"] == "ab"
    assert metadata["ss_new_sd_model_hash"] == "cd"


def test_a_dropout_among_the_network_arguments_stays() -> None:
    network = replace(DEFAULT_FACTS.network, dropout=0.1, args={"dropout": "0.5"})

    metadata = build_metadata(
        replace(DEFAULT_FACTS, network=network), step=4, epoch=1, saved_at=0.0
    )

    assert json.loads(metadata["ss_network_args"]) == {"dropout": "0.5"}


def test_without_buckets_nothing_is_said_of_their_sides() -> None:
    buckets = BucketSettings(enable_bucket=False, bucket_no_upscale=True, min_bucket_reso=320)
    settings = DEFAULT_FACTS.settings.model_copy(update={"buckets": buckets})

    metadata = build_metadata(
        replace(DEFAULT_FACTS, settings=settings), step=4, epoch=1, saved_at=0.0
    )

    names = ("bucket_no_upscale", "min_bucket_reso", "max_bucket_reso", "bucket_info")
    assert [metadata[f"ss_{name}"] for name in names] == ["False", "None", "None", "null"]


def facts_of(**sections: dict[str, object]) -> dict[str, str]:
    """Return the metadata of a run with the default values but for these."""
    settings = TrainSettings.model_validate(sections)
    facts = replace(DEFAULT_FACTS, settings=settings, processes=3)
    return build_metadata(facts, step=4, epoch=1, saved_at=0.0)


def test_the_total_batch_is_what_one_optimizer_step_takes() -> None:
    # sd-scripts: batch size x processes x accumulation.
    metadata = facts_of(
        dataset={"train_batch_size": 2}, optimizer={"gradient_accumulation_steps": 5}
    )

    assert metadata["ss_batch_size_per_device"] == "2"
    assert metadata["ss_total_batch_size"] == str(2 * 3 * 5)


@pytest.mark.parametrize(
    ("changes", "rates"),
    [
        ({}, ("0.0003", "5e-06")),
        ({"network_train_unet_only": True}, ("0.0003", "None")),
        ({"network_train_text_encoder_only": True}, ("None", "5e-06")),
    ],
)
def test_a_part_that_is_not_trained_has_no_rate(
    changes: dict[str, object], rates: tuple[str, str]
) -> None:
    metadata = facts_of(adapter=changes, optimizer={"unet_lr": 3e-4, "text_encoder_lr": 5e-6})

    assert (metadata["ss_unet_lr"], metadata["ss_text_encoder_lr"]) == rates


LIMITS = [
    case
    for case in json.loads((DATA / "buckets.json").read_text(encoding="utf-8"))["cases"]
    if case["enable_bucket"] and "adjusted_min_bucket_reso" in case
]


@pytest.mark.parametrize("case", LIMITS)
def test_the_limits_of_buckets_are_those_that_were_used(case: dict[str, Any]) -> None:
    names = ("min_bucket_reso", "max_bucket_reso", "bucket_reso_steps", "bucket_no_upscale")
    buckets = {name: case[name] for name in names}

    metadata = facts_of(buckets={**buckets, "resolution": tuple(case["resolution"])})

    for side in ("min", "max"):
        expected = str(case[f"adjusted_{side}_bucket_reso"])
        assert metadata[f"ss_{side}_bucket_reso"] == expected


def test_a_filter_that_was_chosen_is_named() -> None:
    buckets = BucketSettings(resize_interpolation="bicubic")
    facts = replace(DEFAULT_FACTS, settings=TrainSettings(buckets=buckets))

    metadata = build_metadata(facts, step=1, epoch=0, saved_at=0.0)
    assert metadata["ss_resize_interpolation"] == "bicubic"


def test_a_setting_that_comes_to_be_offered_appears_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As if it were declared: the name leads to a value.
    paths = {"noise_offset": "optimizer.max_grad_norm"}
    schema = SimpleNamespace(path_of=lambda name: paths.get(name, TRAIN.path_of(name)))
    monkeypatch.setattr(module, "TRAIN", schema)

    metadata = build_metadata(DEFAULT_FACTS, step=4, epoch=1, saved_at=0.0)

    assert metadata["ss_noise_offset"] == "1.0"


def test_what_the_plan_tells_is_counted_from_the_pictures(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"2_demo cat": {"a.png": None, "b.png": None, "c.png": None}})
    index = build_index(tmp_path, plain_repeats=1)
    sizes = dict.fromkeys([picture.path for picture in index.pictures], (64, 64))
    settings = {0: SampleSettings(rules=BucketRules((64, 64), enable_bucket=False))}
    plan = make_plan(index, sizes, settings, Pace(train_batch_size=1, epoch=2))
    captions = {picture.key: "a, demo cat" for picture in index.pictures}

    assert plan_facts(plan, index, captions, num_held_out=4) == {
        "num_validation_images": 4,
        "num_train_images": 6,
        "num_reg_images": 0,
        "num_batches_per_epoch": 6,
        "num_epochs": 2,
        "max_train_steps": 12,
        "lr_warmup_steps": 0,
        "bucket_info": None,
        "dataset_dirs": {"2_demo cat": {"n_repeats": 2, "img_count": 3}},
        "reg_dataset_dirs": {},
        "tag_frequency": {"2_demo cat": {"a": 3, "demo cat": 3}},
    }


def test_a_whole_model_has_the_architecture_of_the_base_model(another_method: str) -> None:
    facts = replace(DEFAULT_FACTS, settings=settings_of(another_method))
    entries = build_metadata(facts, step=1, epoch=1, saved_at=0)

    assert entries["modelspec.architecture"] == "stable-diffusion-v1"


def test_what_varies_pictures_is_written_as_the_reference_does() -> None:
    # Python's text of the values, as of everything (behaviours 16).
    augmentation = AugmentationSettings(
        color_aug=True, random_crop=True, face_crop_aug_range=(2.0, 4.0)
    )
    settings = DEFAULT_FACTS.settings.model_copy(update={"augmentation": augmentation})
    facts = replace(DEFAULT_FACTS, settings=settings)
    metadata = build_metadata(facts, step=4, epoch=1, saved_at=2000.5)

    assert metadata["ss_color_aug"] == metadata["ss_random_crop"] == "True"
    assert metadata["ss_face_crop_aug_range"] == "(2.0, 4.0)"


def test_the_size_up_to_which_pictures_are_skipped_is_written_if_there_is_one() -> None:
    buckets = DEFAULT_FACTS.settings.buckets.model_copy(
        update={"skip_image_resolution": (512, 768)}
    )
    settings = DEFAULT_FACTS.settings.model_copy(update={"buckets": buckets})
    facts = replace(DEFAULT_FACTS, settings=settings)
    metadata = build_metadata(facts, step=4, epoch=1, saved_at=2000.5)

    assert metadata["ss_skip_image_resolution"] == "(512, 768)"
