"""The ``ss_*`` entries of a weight file: how it was trained, under the names that programs read."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from trainer_core.catalogue.families import BaseNames
from trainer_core.catalogue.interpolations import INTERPOLATIONS
from trainer_core.catalogue.predictions import PREDICTIONS, USUAL_PREDICTION
from trainer_core.checkpoints.dataset_metadata import DATASETS, OF_ONE_DATA_SET
from trainer_core.checkpoints.modelspec import (
    DIFFUSERS,
    PROGRAM,
    ModelSpec,
    modelspec_metadata,
)
from trainer_core.dataset.captions import tag_frequency
from trainer_core.dataset.index import DatasetIndex
from trainer_core.dataset.plan import Plan, bucket_info, dataset_dirs
from trainer_core.dataset.subsets import SampleKey, SettingsBySubset
from trainer_core.dataset.survey import bucket_rules
from trainer_core.settings.schema import TRAIN, TrainSettings
from trainer_core.tokens.clip import CHUNK_TOKENS

DYNAMIC = "Dynamic"
"""Rank or alpha of a file whose modules differ in it. Source: utilities.md, Resize LoRA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """The model that was trained on.

    ``implementation`` is ModelSpec's word. ``name`` is the file's or folder's; only files have
    hashes. ``parts`` are those of its parts that can be trained. ``sha256`` gives the file's, ""
    without one; it may have to wait for it. The same of the VAE, if it is not the model's own.
    """

    names: BaseNames
    implementation: str = DIFFUSERS
    is_v2: bool = False
    parts: Collection[str] = ()
    prediction_type: str = USUAL_PREDICTION
    zero_terminal_snr: bool = False
    name: str | None = None
    short_hash: str | None = None
    sha256: Callable[[], str] = str
    vae_name: str | None = None
    vae_short_hash: str | None = None
    vae_sha256: Callable[[], str] = str


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """What was trained. ``module`` is the reference trainer's, such as ``networks.lora``.

    ``dim`` and ``alpha`` are those that were built, which starting weights may decide; each is
    `DYNAMIC` where the modules differ. What has no rank has neither.
    """

    module: str
    dim: int | str | None
    alpha: float | str | None
    dropout: float | None = None
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What is the same in all weight files of a run.

    Attributes:
        settings: What was asked.
        model: The base model.
        network: What was trained.
        plan: What the pictures came to, by entry: see `plan_facts`.
        optimizer: The dotted name of its class, with the arguments that were given.
        precision: ``no``, ``fp16`` or ``bf16``, as it was used.
        seed: The seed that was used.
        run_id: 16 hex digits.
        started_at: Unix time in seconds.
        processes: How many train together.
        subsets: The settings of each subset; empty where all have those of the run.
    """

    settings: TrainSettings
    model: ModelFacts
    network: NetworkFacts
    plan: Mapping[str, object]
    optimizer: str
    precision: str
    seed: int
    run_id: str
    started_at: float
    processes: int = 1
    subsets: SettingsBySubset = field(default_factory=dict)


def plan_facts(
    plan: Plan, index: DatasetIndex, captions: Mapping[SampleKey, str], num_held_out: int = 0
) -> dict[str, object]:
    """Return the entries that come from the pictures and the planned length.

    Args:
        plan: The counts.
        index: The pictures that are trained.
        captions: Theirs.
        num_held_out: The pictures for validation.
    """
    return {
        "num_validation_images": num_held_out,
        "num_train_images": plan.samples - plan.reg_samples,  # repeats counted
        "num_reg_images": plan.reg_asked,  # before they are matched to the others
        "num_batches_per_epoch": plan.batches_per_epoch,
        "num_epochs": plan.epochs,
        "max_train_steps": plan.total_steps,
        "lr_warmup_steps": plan.warmup_steps,
        "bucket_info": bucket_info(plan),
        "dataset_dirs": dataset_dirs(plan),
        "reg_dataset_dirs": dataset_dirs(plan, is_reg=True),
        "tag_frequency": tag_frequency(index, captions),
    }


# The entries that are the value of the setting of the same name. What stands here is written
# while there is no such setting; once it is declared, its value is. Source: metadata.json.
_SETTINGS: Mapping[str, object] = {
    "adaptive_noise_scale": None,
    "cache_latents": None,
    "caption_dropout_rate": None,
    "caption_tag_dropout_rate": None,
    "color_aug": False,
    "debiased_estimation": False,
    "enable_bucket": None,
    "face_crop_aug_range": None,
    "flip_aug": None,
    "fp8_base": False,
    "fp8_base_unet": False,
    "full_fp16": False,
    "gradient_accumulation_steps": None,
    "gradient_checkpointing": None,
    "huber_c": 0.1,
    "huber_scale": 1.0,
    "huber_schedule": "snr",
    "ip_noise_gamma": None,
    "ip_noise_gamma_random_strength": False,
    "keep_tokens": None,
    "learning_rate": None,
    "loss_type": None,
    "lowram": False,
    "lr_scheduler": None,
    "max_grad_norm": None,
    "max_validation_steps": None,
    "min_snr_gamma": None,
    "multires_noise_discount": 0.3,
    "multires_noise_iterations": None,
    "noise_offset": None,
    "noise_offset_random_strength": False,
    "num_validation_images": 0,
    "output_name": None,
    "prior_loss_weight": 1.0,
    "random_crop": False,
    "scale_weight_norms": None,
    "shuffle_caption": None,
    "training_comment": None,
    "validate_every_n_epochs": None,
    "validate_every_n_steps": None,
    "validation_seed": None,
}


def _network_args(facts: RunFacts) -> str | None:
    """Return the arguments with the dropout among them; None without any (behaviours 16)."""
    network = facts.network
    if not network.args:
        return None
    dropout = network.args.get("dropout", network.dropout)
    return json.dumps({**network.args, "dropout": dropout})


def _architecture(facts: RunFacts) -> str:
    """Return the base model's, with what the result is of it, such as ``/lora``."""
    own = facts.settings.method.architecture
    return "/".join(filter(None, (facts.model.names.architecture, own)))


def _interpolation(facts: RunFacts) -> str | None:
    """Return None where each picture decides, which the reference trainer calls unset."""
    name = facts.settings.buckets.resize_interpolation
    return None if INTERPOLATIONS[name].shrinking else name


def _clip_skip(facts: RunFacts) -> int | None:
    """Return None for 1: the last layer, which the reference trainer calls unset."""
    clip_skip = facts.settings.model.clip_skip
    return clip_skip if clip_skip > 1 else None


def _max_token_length(facts: RunFacts) -> int | None:
    """Return None for what is read at once, which the reference trainer calls unset."""
    length = facts.settings.captions.max_token_length
    return length if length > CHUNK_TOKENS else None


def _resolution(facts: RunFacts) -> tuple[int, int]:
    """Return the largest size that pictures are trained at (behaviours 16 and 18)."""
    sizes = [each.rules.resolution for each in facts.subsets.values()]
    return max(sizes, key=math.prod, default=facts.settings.buckets.resolution)


def _batch_size(facts: RunFacts) -> int:
    """Return how many pictures the largest batch of all processes has (behaviours 16)."""
    run = facts.settings.dataset.train_batch_size * facts.processes
    return max((each.train_batch_size or run for each in facts.subsets.values()), default=run)


def _bucket_limit(number: int) -> Callable[[RunFacts], int | None]:
    """Return a source of the smallest (0) or largest (1) side of a bucket, as it was used.

    That is a multiple of the bucket step. Source: buckets.json, ``adjusted_*``.
    """

    def value(facts: RunFacts) -> int | None:
        buckets = facts.settings.buckets
        return bucket_rules(buckets).limits[number] if buckets.enable_bucket else None

    return value


def _rate(name: str) -> Callable[[RunFacts], object]:
    """Return a source of a part's learning rate: None if it is not trained, or has the common one.

    ``name`` is that of its setting.
    """

    def value(facts: RunFacts) -> object:
        is_trained = any(part.rate == name for part in facts.settings.trained_parts())
        return getattr(facts.settings.optimizer, name) if is_trained else None

    return value


def _text_encoder_rates(facts: RunFacts) -> object:
    """Return the rate of the text encoders; a list where those of the base model differ.

    Source: sd-scripts, whose ``text_encoder_lr`` takes a rate for each encoder.
    """
    common, parts = _rate("text_encoder_lr")(facts), facts.model.parts
    trained = [part for part in facts.settings.trained_parts() if part.name in parts]
    rates = [facts.settings.rate_of(part) for part in trained if part.is_text_encoder]
    return rates if len(set(rates)) > 1 else common


# The entries that come from what the run really was.
_RUN: Mapping[str, Callable[[RunFacts], object]] = {
    "base_model_version": lambda facts: facts.model.names.version,
    "v2": lambda facts: facts.model.is_v2,
    "zero_terminal_snr": lambda facts: facts.model.zero_terminal_snr,
    "clip_skip": _clip_skip,
    "max_token_length": _max_token_length,
    "caption_dropout_every_n_epochs": lambda facts: (
        facts.settings.captions.caption_dropout_every_n_epochs or 0
    ),
    "resize_interpolation": _interpolation,
    "network_module": lambda facts: facts.network.module,
    "network_dim": lambda facts: facts.network.dim,
    "network_alpha": lambda facts: facts.network.alpha,
    "network_dropout": lambda facts: facts.network.dropout,
    "batch_size_per_device": lambda facts: facts.settings.dataset.train_batch_size,
    "total_batch_size": lambda facts: (
        _batch_size(facts) * facts.settings.optimizer.gradient_accumulation_steps
    ),
    "resolution": _resolution,
    "validation_split": lambda facts: facts.settings.validation.validation_split or 0.0,
    "bucket_no_upscale": lambda facts: (
        facts.settings.buckets.enable_bucket and facts.settings.buckets.bucket_no_upscale
    ),
    "min_bucket_reso": _bucket_limit(0),
    "max_bucket_reso": _bucket_limit(1),
    "unet_lr": _rate("unet_lr"),
    "text_encoder_lr": _text_encoder_rates,
    "optimizer": lambda facts: facts.optimizer,
    "mixed_precision": lambda facts: facts.precision,
    "seed": lambda facts: facts.seed,
    "session_id": lambda facts: int(facts.run_id, 16) % 2**32,
    "training_started_at": lambda facts: facts.started_at,
    "sd_scripts_commit_hash": lambda facts: PROGRAM,
}

# The same, but left out where there is nothing to say.
_RUN_IF_ANY: Mapping[str, Callable[[RunFacts], object]] = {
    "sd_model_name": lambda facts: facts.model.name,
    "sd_model_hash": lambda facts: facts.model.short_hash,
    "new_sd_model_hash": lambda facts: facts.model.sha256() or None,
    "vae_name": lambda facts: facts.model.vae_name,
    "vae_hash": lambda facts: facts.model.vae_short_hash,
    "new_vae_hash": lambda facts: facts.model.vae_sha256() or None,
    "network_args": _network_args,
    # Newer versions of the reference trainer write it.
    "skip_image_resolution": lambda facts: facts.settings.buckets.skip_image_resolution,
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
    entries = {
        **{name: _setting(facts.settings, name) for name in _SETTINGS},
        **{name: source(facts) for name, source in _RUN.items()},
        **{name: _plan_value(value) for name, value in facts.plan.items()},
        "steps": step,
        "epoch": epoch,
        "training_finished_at": saved_at,
    }
    if DATASETS in facts.plan:
        entries = {name: each for name, each in entries.items() if name not in OF_ONE_DATA_SET}
    if_any = {name: source(facts) for name, source in _RUN_IF_ANY.items()}
    entries |= {name: value for name, value in if_any.items() if value is not None}
    spec = ModelSpec(
        architecture=_architecture(facts),
        implementation=facts.model.implementation,
        resolution=_resolution(facts),
        saved_at=saved_at,
        title=facts.settings.output.output_name,
        prediction_type=PREDICTIONS[facts.model.prediction_type].modelspec,
        encoder_layer=_clip_skip(facts),
    )
    return {
        **{f"ss_{name}": str(value) for name, value in entries.items()},
        **modelspec_metadata(spec),
        "loom_run_id": facts.run_id,
    }


def _setting(settings: TrainSettings, name: str) -> object:
    path = TRAIN.path_of(name)
    return settings.get(path) if path is not None else _SETTINGS[name]


def _plan_value(value: object) -> object:
    """Return tables, and that there is none, as JSON; numbers as they are."""
    return value if isinstance(value, int) else json.dumps(value)
