"""Building what is trained and how: base model, method, optimizer, schedule, objective."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast

import torch
from accelerate import Accelerator
from torch.nn import Parameter
from torch.optim import Optimizer

from trainer_core.catalogue.entry import implementation, position_asked, required_packages
from trainer_core.catalogue.families import TRAINABLE
from trainer_core.catalogue.losses import LOSSES
from trainer_core.catalogue.memory_formats import memory_format
from trainer_core.catalogue.methods import METHODS
from trainer_core.catalogue.predictions import PREDICTION_ASKED
from trainer_core.catalogue.samplers import SAMPLERS
from trainer_core.checkpoints.state import SavedState
from trainer_core.dataset.plan import Plan
from trainer_core.errors import SettingsError, about
from trainer_core.families.base import Family, FamilyOptions
from trainer_core.methods.base import Method, Warn
from trainer_core.model_files.recognise import (
    inspect_model,
    require_base_model,
    require_trainable_prediction,
)
from trainer_core.objectives.diffusion import DDPM
from trainer_core.objectives.objective import Objective
from trainer_core.optim import build as optimizers
from trainer_core.optim.groups import ParameterGroup, parameter_groups
from trainer_core.optim.running_state import running_state
from trainer_core.optim.schedule import Schedule, build_schedule
from trainer_core.runtime.device import Machine
from trainer_core.runtime.libraries import quick_imports
from trainer_core.settings.arguments import parse_arguments
from trainer_core.settings.optimizer import OptimizerSettings
from trainer_core.settings.schema import TrainSettings
from trainer_core.texts import T
from trainer_core.train.resuming import restore_weights

_MODEL = "model.pretrained_model_name_or_path"


def _family_class(settings: TrainSettings, path: Path) -> type[Family]:
    entry = TRAINABLE.get(settings.model.family)
    if entry is None:  # it is to be detected
        report = inspect_model(path)
        require_base_model(report, TRAINABLE)
        entry = TRAINABLE[report.kind]
    # The sampler's package, which diffusers looks for only once.
    needed = required_packages(SAMPLERS[settings.sampling.sample_sampler])
    with quick_imports(needed=needed):  # diffusers comes with it
        return cast("type[Family]", implementation(entry.implementation))


def open_family(settings: TrainSettings) -> Family:
    """Open the base model; no part has its weights yet.

    Raises:
        ModelFileError: It is missing, damaged, incomplete or of another kind.
        SettingsError: It has fewer text-encoder layers than are to be skipped.
    """
    path = settings.model.pretrained_model_name_or_path
    assert path is not None
    model = settings.model
    options = FamilyOptions(
        clip_skip=model.clip_skip,
        max_token_length=settings.captions.max_token_length,
        prediction=PREDICTION_ASKED[model.v_parameterization],
        zero_terminal_snr=position_asked(model.zero_terminal_snr),
        vae=model.vae,
        weighted_captions=settings.captions.weighted_captions,
    )
    with about(setting=_MODEL):
        family: Family = _family_class(settings, path).open(path, options)
    for part in (family.entry.denoiser, *family.entry.text_encoders):
        family.checkpoint_gradients(part, settings.hardware.gradient_checkpointing)
    return family


def load_part(
    family: Family,
    part: str,
    machine: Machine,
    method: Method,
    *,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> None:
    """Bring denoiser or text encoder, frozen, to the device.

    In the run's number format, unless the method needs the part in float32.

    Args:
        family: The opened base model.
        part: Its part that is wanted.
        machine: Device and number format.
        method: It may need the part in float32.
        memory_format: Of convolutions.

    Raises:
        ModelFileError: It cannot be read.
    """
    dtype = torch.float32 if method.keeps_float32(part) else machine.weight_dtype
    with about(setting=_MODEL):
        family.load(part, dtype=dtype, device=machine.device, memory_format=memory_format)


def build_accelerator(machine: Machine) -> Any:
    """Return accelerate's own, for the machine's number format."""
    return Accelerator(mixed_precision=machine.precision, cpu=machine.device.type == "cpu")


def forward_context(
    accelerator: Any, settings: TrainSettings, family: Family, method: Method
) -> Callable[[], AbstractContextManager[Any]]:
    """Return the context of forward passes.

    Without autocast every network computes in the type of its own weights, which needs no cast at
    every layer; with it, in the reference trainer's mixture. Parts that are kept in float32 need
    it: the others hand them what is in the run's type.
    """
    parts = (family.entry.denoiser, *family.entry.text_encoders)
    wanted = settings.hardware.autocast or any(map(method.keeps_float32, parts))
    return accelerator.autocast if wanted else contextlib.nullcontext


def vae_dtype(settings: TrainSettings, machine: Machine) -> torch.dtype:
    """Return the number format that the VAE computes in, whatever its file's."""
    return torch.float32 if settings.model.no_half_vae else machine.weight_dtype


def used_memory_format(settings: TrainSettings, machine: Machine) -> str:
    """Return the name of the memory format of the denoiser's convolutions."""
    return memory_format(
        settings.hardware.memory_format,
        device=machine.device.type,
        precision=machine.precision,
    )


def build_method(settings: TrainSettings) -> Method:
    """Return the owner of what is trained; nothing is opened yet."""
    entry = METHODS[settings.model.training_method]
    method: Method = implementation(entry.implementation).of(settings)
    return method


def trainable_parameters(family: Family, settings: TrainSettings, warn: Warn) -> Mapping[str, int]:
    """Return how many numbers each part would train, without memory for any of them.

    Args:
        family: The opened base model.
        settings: What is to be trained.
        warn: Told what is not as the user may think.

    Raises:
        ModelFileError: The starting weights cannot be used.
        SettingsError: Nothing would be trained.
    """
    method = build_method(settings)
    with torch.device("meta"):
        method.prepare(family, seed=None, warn=warn)
    parameter_groups(method.groups())
    return method.counts()


def try_state(settings: TrainSettings, state: SavedState) -> None:
    """Put a state into what the settings train, without memory for any of it.

    Raises:
        StateError: It is of another optimizer or other parameters, or damaged.
        TrainerError: It is of another network; or what is to be trained cannot be built.
    """
    family, method = open_family(settings), build_method(settings)
    with torch.device("meta"):
        method.prepare(family, seed=None, warn=lambda _: None)
    restore_weights(state, method, build_optimizer(method, settings.optimizer))


def build_optimizer(method: Method, training: OptimizerSettings) -> Optimizer:
    """Build the optimizer with the method's groups.

    Raises:
        SettingsError: Nothing is trained, an argument is unknown, or a library is missing.
    """
    return _optimizer(parameter_groups(method.groups()), training)


def try_optimizer(training: OptimizerSettings, device: torch.device) -> None:
    """Take one step with a single number: some arguments are refused only there.

    Raises:
        SettingsError: An argument is unknown or refused, or a library is missing.
        StateError: Its state could not be saved.
    """
    number = Parameter(torch.zeros(1, device=device))
    number.grad = torch.ones_like(number)
    try:
        optimizer = _optimizer([ParameterGroup(name="", params=[number], lr=0.0)], training)
        optimizer.step()
    except (AssertionError, TypeError, ValueError, RuntimeError) as error:
        raise SettingsError(
            T("Errors", "{optimizer} refuses its {param}: {reason}"),
            T("Errors", "Correct the optimizer arguments, or remove them."),
            setting="optimizer.optimizer_args",
            param="optimizer_args",
            optimizer=training.optimizer_type,
            reason=error,
        ) from error
    running_state(optimizer)  # what cannot be saved is refused now, not at the first save


def _optimizer(groups: Sequence[ParameterGroup], training: OptimizerSettings) -> Optimizer:
    with about(setting="optimizer.optimizer_args"):
        arguments = parse_arguments(training.optimizer_args)
    return optimizers.build_optimizer(
        training.optimizer_type, groups, lr=training.learning_rate, args=arguments
    )


def build_lr_schedule(optimizer: Optimizer, training: OptimizerSettings, plan: Plan) -> Schedule:
    """Build the schedule that moves the learning rates over the planned steps."""
    return build_schedule(
        training.lr_scheduler,
        optimizer,
        total_steps=plan.total_steps,
        warmup_steps=plan.warmup_steps,
        values=training.model_dump(),
    )


def build_objective(family: Family, training: OptimizerSettings) -> Objective:
    """Build what is asked of the denoiser; its tensors are on the CPU.

    Args:
        family: Its noise schedule is trained on.
        training: The choice of the loss.

    Raises:
        SettingsError: The base model predicts what its family cannot be trained to.
    """
    schedule = family.noise_schedule
    require_trainable_prediction(schedule.prediction_type, family.entry.kind)
    loss = implementation(LOSSES[training.loss_type].implementation)
    diffusion = DDPM.of_betas(schedule.betas_T, schedule.prediction_type, schedule.plain_betas_T)
    return Objective.plain(diffusion, loss)
