"""Building what is trained: base model, adapters, optimizer, schedule, objective."""

from __future__ import annotations

import importlib
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from trainer_core.adapters.base import AdapterKind
from trainer_core.adapters.set import AdapterSet, Target, build, build_like, count
from trainer_core.checkpoints.weights import read_lora
from trainer_core.dataset.captions import process_caption
from trainer_core.dataset.plan import Plan
from trainer_core.errors import ModelFileError, SettingsError
from trainer_core.events.emitter import Emitter
from trainer_core.families.base import Family, FamilyOptions
from trainer_core.model_files.recognise import inspect_model
from trainer_core.objectives.objective import NoisePrediction
from trainer_core.optim.groups import ParameterGroup, parameter_groups, part_rates
from trainer_core.optim.schedule import build_schedule
from trainer_core.pipeline.texts import MAX_REMEMBERED
from trainer_core.runtime.device import Machine
from trainer_core.settings.adapter import LORA_TYPES, AdapterSettings
from trainer_core.settings.arguments import parse_arguments
from trainer_core.settings.model import FAMILIES
from trainer_core.settings.optimizer import OPTIMIZERS, OptimizerSettings
from trainer_core.settings.schema import TrainSettings
from trainer_core.texts import T, text
from trainer_core.train.inputs import RunInputs


def implementation(name: str) -> Any:
    """Return what a choice's ``module:name`` stands for."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _family_class(settings: TrainSettings, path: Path) -> type[Family]:
    asked = settings.model.family
    kind = inspect_model(path).kind.value if asked == "auto" else asked
    return cast("type[Family]", implementation(FAMILIES[kind].implementation))


def open_family(settings: TrainSettings) -> Family:
    """Open the base model; no part has its weights yet.

    Raises:
        ModelFileError: It is missing, damaged, incomplete or of another kind.
        SettingsError: It has fewer text-encoder layers than are to be skipped.
    """
    path = settings.model.pretrained_model_name_or_path
    assert path is not None
    options = FamilyOptions(clip_skip=settings.model.clip_skip)
    family: Family = _family_class(settings, path).open(path, options)
    for part in (family.denoiser_part, *family.text_parts):
        family.checkpoint_gradients(part, settings.hardware.gradient_checkpointing)
    return family


def load_part(family: Family, part: str, machine: Machine) -> None:
    """Bring denoiser or text encoder to the device, in the run's number format.

    Raises:
        ModelFileError: It cannot be read.
    """
    memory_format = torch.contiguous_format
    if part == family.denoiser_part and machine.device.type == "cuda":
        memory_format = torch.channels_last  # in which convolutions in 16 bit are faster
    family.load(
        part, dtype=machine.weight_dtype, device=machine.device, memory_format=memory_format
    )


def captions_ahead(inputs: RunInputs) -> list[str] | None:
    """Return every text that the run will ask for; None if they are not known or too many."""
    pictures = inputs.settings.dataset
    if pictures.shuffle_caption:
        return None
    captions = {
        process_caption(caption, shuffle=False, keep_tokens=0, rng=random.Random(0)): None
        for caption in inputs.captions.values()
    }
    prompts = {each: None for p in inputs.prompts for each in (p.prompt, p.negative_prompt)}
    known = list(captions | prompts)
    return known if len(known) <= MAX_REMEMBERED else None


def trainable_parameters(family: Family, settings: TrainSettings) -> dict[str, int]:
    """Return how many numbers each part would train, without memory for any of them.

    Raises:
        ModelFileError: The starting weights cannot be used.
    """
    with torch.device("meta"):
        adapters, weights = build_adapters(family, settings)
    if weights is not None:
        _take(adapters, weights, settings.adapter.network_weights)
    return {part: count(adapters.parameters_of(part)) for part in adapters.parts()}


def trained_rates(adapter: AdapterSettings, optimizer: OptimizerSettings) -> dict[str, float]:
    """Return the learning rate of every part that gets adapters."""
    rates = part_rates(
        learning_rate=optimizer.learning_rate,
        text_encoder_lr=optimizer.text_encoder_lr,
        unet_lr=optimizer.unet_lr,
    )
    if adapter.network_train_unet_only:
        rates.pop("text_encoder", None)
    if adapter.network_train_text_encoder_only:
        rates.pop("unet", None)
    return rates


def build_adapters(
    family: Family, settings: TrainSettings
) -> tuple[AdapterSet, Mapping[str, Tensor] | None]:
    """Build adapters without values for the parts with a rate.

    Returns:
        The adapters, and the starting weights that they are to take, if there are any.

    Raises:
        ModelFileError: The starting weights cannot be used.
    """
    adapter = settings.adapter
    kind = cast(AdapterKind, implementation(LORA_TYPES[adapter.LoRA_type].implementation))
    targets = [
        Target(each.name, part, each.layer)
        for part in trained_rates(adapter, settings.optimizer)
        for each in family.targets(part, frozenset({"linear", "conv"}))
        if each.is_standard
    ]
    weights = None
    if adapter.network_weights is not None:
        weights = read_lora(adapter.network_weights).tensors
        if adapter.dim_from_weights:
            return build_like(kind, targets, weights), weights
    rank = adapter.network_dim
    alpha = float(rank if adapter.network_alpha is None else adapter.network_alpha)
    return build(kind, targets, rank=rank, alpha=alpha), weights


def fresh_adapters(
    family: Family, settings: TrainSettings, *, seed: int, emitter: Emitter
) -> AdapterSet:
    """Build the adapters that a run begins with: drawn from the seed, or starting weights.

    Raises:
        ModelFileError: The starting weights cannot be used.
    """
    adapters, weights = build_adapters(family, settings)
    adapters.reset(seed)
    path = settings.adapter.network_weights
    if weights is not None:
        unused = _take(adapters, weights, path)
        if unused:
            message = T("Events", "{count} modules of {path} are not used, such as {name}.")
            emitter.warn(text(message, count=len(unused), path=path, name=unused[0]))
    return adapters


def _take(adapters: AdapterSet, weights: Mapping[str, Tensor], path: Path | None) -> list[str]:
    """Load starting weights; return the modules of the file that there is no adapter for."""
    try:
        return adapters.load(weights, str(path))
    except ModelFileError as error:
        hint = T("Errors", "Turn on dim_from_weights, or use the rank and parts of that file.")
        error.hint = text(hint)
        raise


def build_optimizer(adapters: AdapterSet, settings: TrainSettings) -> Optimizer:
    """Build the optimizer with one parameter group per trained part.

    Raises:
        SettingsError: An argument is unknown, or a library is missing.
    """
    training = settings.optimizer
    rates = trained_rates(settings.adapter, training)
    groups = parameter_groups(
        {part: adapters.parameters_of(part) for part in adapters.parts()}, rates
    )
    return _optimizer(groups, training)


def try_optimizer(training: OptimizerSettings, device: torch.device) -> None:
    """Take one step with a single number: some arguments are refused only there.

    Raises:
        SettingsError: An argument is unknown or refused, or a library is missing.
    """
    number = Parameter(torch.zeros(1, device=device))
    number.grad = torch.ones_like(number)
    try:
        _optimizer([ParameterGroup(name="", params=[number], lr=0.0)], training).step()
    except (AssertionError, TypeError, ValueError, RuntimeError) as error:
        raise SettingsError(
            T("Errors", "{optimizer} refuses its optimizer_args: {reason}"),
            T("Errors", "Correct the optimizer arguments, or remove them."),
            optimizer=training.optimizer_type,
            reason=error,
        ) from error


def _optimizer(groups: Sequence[ParameterGroup], training: OptimizerSettings) -> Optimizer:
    build_kind = implementation(OPTIMIZERS[training.optimizer_type].implementation)
    arguments = parse_arguments(training.optimizer_args)
    return cast(Optimizer, build_kind(groups, lr=training.learning_rate, args=arguments))


def build_lr_schedule(optimizer: Optimizer, training: OptimizerSettings, plan: Plan) -> LambdaLR:
    """Build the schedule that moves the learning rates over the planned steps."""
    return build_schedule(
        training.lr_scheduler,
        optimizer,
        total_steps=plan.total_steps,
        warmup_steps=plan.warmup_steps,
        num_cycles=training.lr_scheduler_num_cycles,
        power=training.lr_scheduler_power,
    )


def build_objective(family: Family) -> NoisePrediction:
    """Build the objective of a model that predicts the noise.

    Raises:
        SettingsError: The base model predicts something else.
    """
    schedule = family.noise_schedule
    if schedule.prediction_type != "epsilon":
        raise SettingsError(
            T("Errors", "The base model predicts {found}; only noise prediction can be trained."),
            T("Errors", "Choose a base model that predicts the noise."),
            found=schedule.prediction_type,
        )
    return NoisePrediction(torch.cumprod(1 - schedule.betas_T, dim=0))
