"""Learning-rate schedules: the library's formulas, under the names users know."""

from __future__ import annotations

from diffusers import optimization
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from trainer_core.errors import SettingsError
from trainer_core.settings.optimizer import POLYNOMIAL_END, LrScheduler
from trainer_core.texts import T


def build_schedule(
    name: LrScheduler,
    optimizer: Optimizer,
    *,
    total_steps: int,
    warmup_steps: int,
    num_cycles: int = 1,
    power: float = 1.0,
) -> LambdaLR:
    """Build the schedule that moves the rates of all groups of ``optimizer`` alike.

    Args:
        name: ``constant`` ignores the warm-up (guide-facts 74).
        optimizer: Its default rate is the base of the polynomial schedule's end.
        total_steps: Scheduler steps in the run: optimizer steps times processes.
        warmup_steps: Steps over which the rate rises from 0.
        num_cycles: Waves of ``cosine_with_restarts``.
        power: Exponent of ``polynomial``.

    Raises:
        SettingsError: The polynomial schedule would have to rise to its end.
    """
    if name == "polynomial":
        _check_polynomial(optimizer)
        # The formula divides by the steps after the warm-up; a run that is all warm-up has none.
        total_steps = max(total_steps, warmup_steps + 1)
    schedule: LambdaLR = optimization.get_scheduler(
        name,
        optimizer,
        num_warmup_steps=warmup_steps,
        num_training_steps=total_steps,
        num_cycles=num_cycles,
        power=power,
    )
    return schedule


def _check_polynomial(optimizer: Optimizer) -> None:
    rate = float(optimizer.defaults["lr"])
    if rate <= POLYNOMIAL_END:
        raise SettingsError(
            T("Errors", "The polynomial schedule falls to {end}, but the learning rate is {rate}."),
            T("Errors", "Set a larger learning rate, or choose another schedule."),
            setting="optimizer.learning_rate",
            end=POLYNOMIAL_END,
            rate=rate,
        )
