"""Optimizers from the libraries that own them, by the names users know."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.optim import Optimizer

from trainer_core.errors import SettingsError
from trainer_core.optim.groups import ParameterGroup
from trainer_core.texts import T

_OWN_PARAMETERS = frozenset({"self", "params", "lr"})  # given by the groups and the settings


def adamw(groups: Sequence[ParameterGroup], *, lr: float, args: Mapping[str, object]) -> Optimizer:
    """Build torch's AdamW.

    Source: Loshchilov & Hutter 2017, arXiv:1711.05101.
    """
    return _build(torch.optim.AdamW, groups, lr=lr, args=args)


def adamw_8bit(
    groups: Sequence[ParameterGroup], *, lr: float, args: Mapping[str, object]
) -> Optimizer:
    """Build bitsandbytes' AdamW with block-wise 8-bit state; it runs on the CPU too.

    Raises:
        SettingsError: bitsandbytes cannot be loaded, or does not take ``args``.

    Source: Dettmers et al. 2021, arXiv:2110.02861.
    """
    # Imported only when chosen: it takes a second, and the trainer runs without it.
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError as error:
        raise SettingsError(
            T(
                "Errors",
                "AdamW8bit needs bitsandbytes, which cannot be loaded: {reason}",
            ),
            T("Errors", "Choose AdamW, or install bitsandbytes into the trainer's environment."),
            setting="optimizer.optimizer_type",
            reason=error,
        ) from error
    return _build(AdamW8bit, groups, lr=lr, args=args)


def display_name(optimizer: Optimizer, args: Mapping[str, object]) -> str:
    """Return the class with its extra arguments, as file metadata name an optimizer.

    For example ``torch.optim.adamw.AdamW(weight_decay=0.1,betas=(0.9, 0.99))``.
    """
    kind = type(optimizer)
    given = ",".join(f"{name}={value}" for name, value in args.items())
    return f"{kind.__module__}.{kind.__qualname__}" + (f"({given})" if given else "")


def _build(
    kind: type[Any], groups: Sequence[ParameterGroup], *, lr: float, args: Mapping[str, object]
) -> Optimizer:
    known = [name for name in inspect.signature(kind).parameters if name not in _OWN_PARAMETERS]
    unknown = [name for name in args if name not in known]
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
        optimizer: Optimizer = kind(list(groups), lr=lr, **args)
    except (TypeError, ValueError) as error:
        raise SettingsError(
            T("Errors", "{optimizer} refuses its arguments: {reason}"),
            T("Errors", "Correct the optimizer arguments, or remove them."),
            setting="optimizer.optimizer_args",
            optimizer=kind.__name__,
            reason=error,
        ) from error
    return optimizer
