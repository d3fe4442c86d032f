"""Learning-rate schedules: the library's formulas, under the names users know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.schedules import SCHEDULES
from trainer_core.errors import SettingsError
from trainer_core.texts import T

Factor = Callable[[int], float]


class Schedule(Protocol):
    """What moves the learning rates of an optimizer; torch's schedules are such too."""

    def step(self) -> None:
        """Set the rates of the next step."""

    def state_dict(self) -> dict[str, Any]:
        """Return where it stands."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where another stood."""


class RateSchedule:
    """Sets the rate of every group to its base times a factor that depends on the step alone.

    The bases are the rates that the groups have at first; the rates of step 0 are set at once.

    Args:
        optimizer: Its groups' ``lr`` is set; ``initial_lr`` keeps the base, as torch has it.
        factor: Of the number of steps done.
    """

    def __init__(self, optimizer: Optimizer, factor: Factor) -> None:
        self._optimizer = optimizer  # not its groups: loading a state replaces them
        self._factor = factor
        self.bases = [float(group["lr"]) for group in optimizer.param_groups]
        for group, base in zip(optimizer.param_groups, self.bases, strict=True):
            group["initial_lr"] = base
        self.move_to(0)

    def at(self, step: int) -> list[float]:
        """Return the rate of every group after ``step`` steps."""
        factor = self._factor(step)
        return [base * factor for base in self.bases]

    def move_to(self, step: int) -> None:
        """Set the rates to those after ``step`` steps."""
        self.steps = step
        for group, rate in zip(self._optimizer.param_groups, self.at(step), strict=True):
            if isinstance(group["lr"], Tensor):  # a captured step reads it from the device
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    def step(self) -> None:
        """Set the rates of the next step."""
        self.move_to(self.steps + 1)

    def state_dict(self) -> dict[str, Any]:
        """Return where the schedule stands; everything else comes from the settings."""
        return {"steps": self.steps}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where another stood, at this run's own rates."""
        self.move_to(int(state_dict["steps"]))


def build_schedule(
    name: str,
    optimizer: Optimizer,
    *,
    total_steps: int,
    warmup_steps: int,
    values: Mapping[str, object],
) -> RateSchedule:
    """Build the schedule that moves the rates of all groups of ``optimizer`` alike.

    Args:
        name: The schedule's; its entry says whether it knows a warm-up (guide-facts 74).
        optimizer: Its default rate is the base of an end that is no share of the rate.
        total_steps: Optimizer steps in the run.
        warmup_steps: Steps over which the rate rises from 0.
        values: What the settings say that some schedules use, by their names.

    Raises:
        SettingsError: The schedule would have to rise to its end.
    """
    rate = float(optimizer.defaults["lr"])
    factor = rate_factor(
        name, rate, total_steps=total_steps, warmup_steps=warmup_steps, values=values
    )
    return RateSchedule(optimizer, factor)


def rate_factor(
    name: str,
    rate: float,
    *,
    total_steps: int,
    warmup_steps: int,
    values: Mapping[str, object],
) -> Factor:
    """Return the library's formula: the factor of the rate as a function of the steps done.

    Args:
        name: As for `build_schedule`, like all that follows.
        rate: What the factor of a schedule with a floor is reckoned from.
        total_steps: Scheduler steps in the run.
        warmup_steps: Steps over which the rate rises from 0.
        values: What the settings say that some schedules use, by their names.

    Raises:
        SettingsError: The schedule would have to rise to its end.

    Source: diffusers, optimization.py.
    """
    entry = SCHEDULES[name]
    if entry.floor:
        _check_rate(name, entry.floor, rate)
        # The formula divides by the steps after the warm-up; a run that is all warm-up has none.
        total_steps = max(total_steps, warmup_steps + 1)
    arguments = {argument: values[setting] for setting, argument in entry.uses.items()}
    if entry.has_warmup:
        arguments["num_warmup_steps"] = warmup_steps
    if entry.has_end:
        arguments["num_training_steps"] = total_steps
    # The library gives a formula only together with an optimizer; this one is never stepped.
    optimizer = SGD([torch.zeros(1)], lr=rate)
    schedule: LambdaLR = implementation(entry.implementation)(optimizer, **arguments)
    factor: Factor = schedule.lr_lambdas[0]
    return factor


def _check_rate(name: str, end: float, rate: float) -> None:
    if rate <= end:
        raise SettingsError(
            T("Errors", "The {schedule} schedule falls to {end}, but the learning rate is {rate}."),
            T("Errors", "Set a larger learning rate, or choose another schedule."),
            setting="optimizer.learning_rate",
            schedule=name,
            end=end,
            rate=rate,
        )
