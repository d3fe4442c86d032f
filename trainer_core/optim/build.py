"""Optimizers from the libraries that own them, by the names users know."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.optim import Optimizer

from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.optimizers import OPTIMIZERS, OptimizerEntry, without_package
from trainer_core.errors import SettingsError
from trainer_core.optim.groups import ParameterGroup
from trainer_core.runtime.speed import fastest_kernels
from trainer_core.texts import T

CPU = torch.device("cpu")

_OWN_PARAMETERS = frozenset({"self", "params", "lr"})  # given by the groups and the settings


def build_optimizer(
    name: str, groups: Sequence[ParameterGroup], *, lr: float, args: Mapping[str, object]
) -> Optimizer:
    """Build the optimizer that the settings call ``name``, in training mode if it has modes.

    Args:
        name: Of the catalogue.
        groups: The parameters with a rate for each group: float32, where they are to be trained.
        lr: The optimizer's default rate.
        args: Further arguments of its class.

    Raises:
        SettingsError: Its package cannot be loaded, or its class does not take ``args``.
    """
    entry = OPTIMIZERS[name]
    kind = _loaded(entry)
    known = [
        argument
        for argument in inspect.signature(kind).parameters
        if argument not in _OWN_PARAMETERS and argument not in entry.fixed
    ]
    unknown = [argument for argument in args if argument not in known]
    if unknown:
        raise SettingsError(
            T("Errors", "{optimizer} has no argument {name}."),
            T("Errors", "It takes: {known}."),
            setting="optimizer.optimizer_args",
            optimizer=kind.__name__,
            name=unknown[0],
            known=", ".join(known),
        )
    try:
        fastest = {} if _chooses_kernels(args) else fastest_kernels(kind, _device(groups))
        optimizer = kind(list(groups), lr=lr, **{**fastest, **entry.fixed, **args})
    except (TypeError, ValueError, RuntimeError) as error:
        raise SettingsError(
            T("Errors", "{optimizer} refuses its arguments: {reason}"),
            T("Errors", "Correct the optimizer arguments, or remove them."),
            setting="optimizer.optimizer_args",
            optimizer=kind.__name__,
            reason=error,
        ) from error
    if entry.modes:
        optimizer.train()
    built: Optimizer = optimizer
    return built


def _chooses_kernels(args: Mapping[str, object]) -> bool:
    """Tell whether the user asks for a way to update that torch refuses to fuse."""
    return any(args.get(name) for name in ("foreach", "differentiable"))


def _device(groups: Sequence[ParameterGroup]) -> torch.device:
    return next((weight.device for group in groups for weight in group["params"]), CPU)


def _loaded(entry: OptimizerEntry) -> type[Any]:
    """Import an optimizer's class; some take a second, and the trainer runs without them."""
    try:
        kind: type[Any] = implementation(entry.implementation)
    except ImportError as error:
        raise SettingsError(
            T("Errors", "{optimizer} needs {package}, which cannot be loaded: {reason}"),
            T("Errors", "Choose {other}, or install {package} into the trainer's environment."),
            setting="optimizer.optimizer_type",
            optimizer=entry.label,
            package=entry.implementation.partition(".")[0],
            other=without_package(),
            reason=error,
        ) from error
    return kind


def display_name(optimizer: Optimizer, args: Mapping[str, object]) -> str:
    """Return the class with its extra arguments, as file metadata name an optimizer.

    For example ``torch.optim.adamw.AdamW(weight_decay=0.1,betas=(0.9, 0.99))``.
    """
    kind = type(optimizer)
    given = ",".join(f"{name}={value}" for name, value in args.items())
    return f"{kind.__module__}.{kind.__qualname__}" + (f"({given})" if given else "")
