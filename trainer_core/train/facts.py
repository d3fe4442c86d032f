"""What a weight file says of the run that made it."""

from __future__ import annotations

import time
from collections.abc import Mapping

from trainer_core.checkpoints.metadata import (
    BaseModelFacts,
    DatasetFacts,
    NetworkFacts,
    RunFacts,
    TrainingFacts,
)
from trainer_core.dataset.captions import tag_frequency
from trainer_core.dataset.plan import bucket_info, dataset_dirs
from trainer_core.families.base import Family
from trainer_core.settings.arguments import parse_arguments
from trainer_core.train.inputs import RunInputs
from trainer_core.train.run_start import RunStart


def run_facts(
    inputs: RunInputs, start: RunStart, family: Family, *, optimizer: str, precision: str
) -> RunFacts:
    """Gather the facts that are the same in all weight files of a run."""
    return RunFacts(
        model=_model_facts(family, inputs.settings.model.clip_skip),
        network=_network_facts(inputs),
        dataset=_dataset_facts(inputs),
        training=_training_facts(inputs, start, optimizer=optimizer, precision=precision),
    )


def _model_facts(family: Family, clip_skip: int) -> BaseModelFacts:
    identity = family.identity()
    return BaseModelFacts(
        architecture=family.architecture,
        implementation="diffusers",
        version=family.base_model_version,
        clip_skip=clip_skip,
        name=identity.name,
        short_hash=identity.legacy_hash,
        sha256=identity.sha256,
    )


def _network_facts(inputs: RunInputs) -> NetworkFacts:
    adapter = inputs.settings.adapter
    alpha = adapter.network_dim if adapter.network_alpha is None else adapter.network_alpha
    return NetworkFacts(module="networks.lora", dim=adapter.network_dim, alpha=float(alpha))


def _dataset_facts(inputs: RunInputs) -> DatasetFacts:
    pictures, plan = inputs.settings.dataset, inputs.plan
    return DatasetFacts(
        num_train_images=plan.samples - plan.reg_samples,
        num_reg_images=plan.reg_samples,
        num_batches_per_epoch=plan.batches_per_epoch,
        batch_size_per_device=pictures.train_batch_size,
        total_batch_size=pictures.train_batch_size,
        resolution=pictures.resolution,
        enable_bucket=pictures.enable_bucket,
        bucket_no_upscale=pictures.bucket_no_upscale,
        min_bucket_reso=pictures.min_bucket_reso,
        max_bucket_reso=pictures.max_bucket_reso,
        flip_aug=pictures.flip_aug,
        shuffle_caption=pictures.shuffle_caption,
        keep_tokens=pictures.keep_tokens,
        cache_latents=pictures.cache_latents,
        bucket_info=bucket_info(plan),
        dataset_dirs=dataset_dirs(plan),
        reg_dataset_dirs=dataset_dirs(plan, is_reg=True),
        tag_frequency=tag_frequency(inputs.index, inputs.captions),
    )


def _training_facts(
    inputs: RunInputs, start: RunStart, *, optimizer: str, precision: str
) -> TrainingFacts:
    settings = inputs.settings
    training, plan = settings.optimizer, inputs.plan
    arguments: Mapping[str, object] = parse_arguments(training.optimizer_args)
    return TrainingFacts(
        run_id=start.run_id,
        session_id=int(start.run_id, 16) % 2**32,
        training_started_at=time.time(),
        output_name=settings.output.output_name,
        training_comment=settings.output.training_comment,
        seed=start.seed,
        num_epochs=plan.epochs,
        max_train_steps=plan.total_steps,
        learning_rate=training.learning_rate,
        unet_lr=training.unet_lr,
        text_encoder_lr=training.text_encoder_lr,
        lr_scheduler=training.lr_scheduler,
        lr_warmup_steps=plan.warmup_steps,
        optimizer=optimizer,
        optimizer_args=arguments,
        max_grad_norm=training.max_grad_norm,
        gradient_accumulation_steps=training.gradient_accumulation_steps,
        gradient_checkpointing=settings.hardware.gradient_checkpointing,
        mixed_precision=precision,
    )
