"""Learning-rate schedules: the library's formulas, under the names users know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.schedules import SCHEDULES
from trainer_core.errors import SettingsError
from trainer_core.texts import T


def build_schedule(
    name: str,
    optimizer: Optimizer,
    *,
    total_steps: int,
    warmup_steps: int,
    values: Mapping[str, object],
) -> LambdaLR:
    """Build the schedule that moves the rates of all groups of ``optimizer`` alike.

    Args:
        name: The schedule's; its entry says whether it knows a warm-up (guide-facts 74).
        optimizer: Its default rate is the base of an end that is no share of the rate.
        total_steps: Scheduler steps in the run: optimizer steps times processes.
        warmup_steps: Steps over which the rate rises from 0.
        values: What the settings say that some schedules use, by their names.

    Raises:
        SettingsError: The schedule would have to rise to its end.
    """
    entry = SCHEDULES[name]
    if entry.floor:
        _check_rate(name, entry.floor, float(optimizer.defaults["lr"]))
        # The formula divides by the steps after the warm-up; a run that is all warm-up has none.
        total_steps = max(total_steps, warmup_steps + 1)
    arguments = {argument: values[setting] for setting, argument in entry.uses.items()}
    if entry.has_warmup:
        arguments["num_warmup_steps"] = warmup_steps
    if entry.has_end:
        arguments["num_training_steps"] = total_steps
    return cast(LambdaLR, implementation(entry.implementation)(optimizer, **arguments))


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
