"""The ``ss_*`` entries of a weight file: how it was trained, under the names that programs read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from trainer_core.checkpoints.modelspec import (
    PROGRAM,
    ModelSpec,
    PredictionType,
    modelspec_metadata,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModelFacts:
    """The model that was trained on.

    ``architecture`` and ``implementation`` are ModelSpec's words, ``version`` is the reference
    trainer's, such as ``sd_v1``. ``name`` is the file's or folder's; only files have hashes.
    """

    architecture: str
    implementation: str
    version: str
    is_v2: bool = False
    prediction_type: PredictionType = "epsilon"
    clip_skip: int = 1
    name: str | None = None
    short_hash: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """The adapter. ``module`` is the reference trainer's, such as ``networks.lora``."""

    module: str
    dim: int
    alpha: float
    dropout: float | None = None
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFacts:
    """The pictures. Numbers of images count repeats; directories and tags are keyed by folder."""

    num_train_images: int
    num_reg_images: int
    num_batches_per_epoch: int
    batch_size_per_device: int
    total_batch_size: int
    resolution: tuple[int, int]
    enable_bucket: bool
    bucket_no_upscale: bool
    min_bucket_reso: int
    max_bucket_reso: int
    flip_aug: bool
    shuffle_caption: bool
    keep_tokens: int
    cache_latents: bool
    bucket_info: Mapping[str, Any] | None
    dataset_dirs: Mapping[str, Mapping[str, int]]
    reg_dataset_dirs: Mapping[str, Mapping[str, int]]
    tag_frequency: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFacts:
    """How it was trained. ``optimizer`` is the dotted name of its class; times are Unix seconds."""

    run_id: str
    session_id: int
    training_started_at: float
    output_name: str
    training_comment: str | None
    seed: int
    num_epochs: int
    max_train_steps: int
    learning_rate: float
    unet_lr: float | None
    text_encoder_lr: float | None
    lr_scheduler: str
    lr_warmup_steps: int
    optimizer: str
    optimizer_args: Mapping[str, object]
    max_grad_norm: float
    gradient_accumulation_steps: int
    gradient_checkpointing: bool
    mixed_precision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """Everything that is the same in all weight files of a run.

    The facts of network, dataset and training are fields named as their entries are.
    """

    model: BaseModelFacts
    network: NetworkFacts
    dataset: DatasetFacts
    training: TrainingFacts


# What this program does not offer yet, with the values that say so. Source: metadata.json.
_NOT_OFFERED: Mapping[str, object] = {
    "adaptive_noise_scale": None,
    "caption_dropout_every_n_epochs": 0,
    "caption_dropout_rate": 0.0,
    "caption_tag_dropout_rate": 0.0,
    "color_aug": False,
    "debiased_estimation": False,
    "face_crop_aug_range": None,
    "fp8_base": False,
    "fp8_base_unet": False,
    "full_fp16": False,
    "huber_c": 0.1,
    "huber_scale": 1.0,
    "huber_schedule": "snr",
    "ip_noise_gamma": None,
    "ip_noise_gamma_random_strength": False,
    "loss_type": "l2",
    "lowram": False,
    "max_token_length": None,
    "max_validation_steps": None,
    "min_snr_gamma": None,
    "multires_noise_discount": 0.3,
    "multires_noise_iterations": None,
    "noise_offset": None,
    "noise_offset_random_strength": False,
    "num_validation_images": 0,
    "prior_loss_weight": 1.0,
    "random_crop": False,
    "resize_interpolation": None,
    "scale_weight_norms": None,
    "validate_every_n_epochs": None,
    "validate_every_n_steps": None,
    "validation_seed": None,
    "validation_split": 0.0,
    "zero_terminal_snr": False,
}


def build_metadata(facts: RunFacts, *, step: int, epoch: int, saved_at: float) -> dict[str, str]:
    """Return the metadata of a weight file, without its hashes.

    Args:
        facts: What holds for the whole run.
        step: Optimizer steps done.
        epoch: The epoch number written into the file; see `retention`.
        saved_at: Unix time in seconds.

    Returns:
        Text values throughout, ``None`` for what is unset. Own entries begin with ``loom_``.
    """
    model, training = facts.model, facts.training
    entries = {
        **_NOT_OFFERED,
        **_model_entries(model),
        **_network_entries(facts.network),
        **_dataset_entries(facts.dataset),
        **_training_entries(training),
        "steps": step,
        "epoch": epoch,
        "training_finished_at": saved_at,
        "sd_scripts_commit_hash": PROGRAM,
    }
    spec = ModelSpec(
        architecture=f"{model.architecture}/lora",
        implementation=model.implementation,
        resolution=facts.dataset.resolution,
        saved_at=saved_at,
        title=training.output_name,
        prediction_type=model.prediction_type,
        encoder_layer=_clip_skip(model),
    )
    return {
        **{f"ss_{key}": str(value) for key, value in entries.items()},
        **modelspec_metadata(spec),
        "loom_run_id": training.run_id,
    }


def _clip_skip(model: BaseModelFacts) -> int | None:
    """Return None for 1: the last layer, which the reference trainer calls unset."""
    return model.clip_skip if model.clip_skip > 1 else None


def _model_entries(model: BaseModelFacts) -> dict[str, object]:
    origin = {
        "sd_model_name": model.name,
        "sd_model_hash": model.short_hash,
        "new_sd_model_hash": model.sha256,
    }
    return {
        "base_model_version": model.version,
        "v2": model.is_v2,
        "clip_skip": _clip_skip(model),
        **{key: value for key, value in origin.items() if value is not None},
    }


def _network_entries(network: NetworkFacts) -> dict[str, object]:
    entries = {f"network_{name}": value for name, value in _values(network).items()}
    if network.args:  # only then, and with the dropout in it: behaviours 16
        dropout = network.args.get("dropout", network.dropout)
        entries["network_args"] = json.dumps({**network.args, "dropout": dropout})
    else:
        del entries["network_args"]
    return entries


def _dataset_entries(dataset: DatasetFacts) -> dict[str, object]:
    entries = _values(dataset)
    if not dataset.enable_bucket:
        unused = {"min_bucket_reso": None, "max_bucket_reso": None, "bucket_info": None}
        entries |= {"bucket_no_upscale": False, **unused}
    for name in ("bucket_info", "dataset_dirs", "reg_dataset_dirs", "tag_frequency"):
        entries[name] = json.dumps(entries[name])
    return entries


def _training_entries(training: TrainingFacts) -> dict[str, object]:
    entries = _values(training)
    del entries["run_id"], entries["optimizer_args"]
    args = ",".join(f"{name}={value}" for name, value in training.optimizer_args.items())
    if args:
        entries["optimizer"] = f"{training.optimizer}({args})"
    return entries


def _values(facts: NetworkFacts | DatasetFacts | TrainingFacts) -> dict[str, object]:
    return {entry.name: getattr(facts, entry.name) for entry in fields(facts)}
