"""The learning-rate schedules: the library's function behind each name, and what acts on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trainer_core.catalogue.entry import Entry
from trainer_core.texts import T


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleEntry(Entry):
    """A schedule; ``implementation`` takes an optimizer and returns torch's ``LambdaLR``.

    Attributes:
        has_warmup: Takes ``num_warmup_steps``, over which the rate rises from 0.
        has_end: Takes ``num_training_steps``, the schedule's length.
        uses: The settings that act on it, each with the name of its argument.
        floor: The rate that it ends at, whatever it began with.
        is_constant: Leaves the rate where it is.
    """

    has_warmup: bool = True
    has_end: bool = True
    uses: Mapping[str, str] = field(default_factory=dict)
    floor: float = 0.0
    is_constant: bool = False


SCHEDULES: Mapping[str, ScheduleEntry] = {
    "constant": ScheduleEntry(
        label="constant",
        help=T("Settings", "The same rate to the end."),
        implementation="diffusers.optimization:get_constant_schedule",
        has_warmup=False,
        has_end=False,
        is_constant=True,
    ),
    "constant_with_warmup": ScheduleEntry(
        label="constant_with_warmup",
        help=T("Settings", "Rises during warm-up, then stays."),
        implementation="diffusers.optimization:get_constant_schedule_with_warmup",
        has_end=False,
    ),
    "linear": ScheduleEntry(
        label="linear",
        help=T("Settings", "Falls in a straight line to 0."),
        implementation="diffusers.optimization:get_linear_schedule_with_warmup",
    ),
    "cosine": ScheduleEntry(
        label="cosine",
        help=T("Settings", "Falls to 0 along half a cosine wave."),
        implementation="diffusers.optimization:get_cosine_schedule_with_warmup",
    ),
    "cosine_with_restarts": ScheduleEntry(
        label="cosine_with_restarts",
        help=T("Settings", "Cosine waves, one per cycle, each from the top."),
        implementation=(
            "diffusers.optimization:get_cosine_with_hard_restarts_schedule_with_warmup"
        ),
        uses={"lr_scheduler_num_cycles": "num_cycles"},
    ),
    "polynomial": ScheduleEntry(
        label="polynomial",
        help=T("Settings", "Falls to nearly 0 along a curve shaped by the power."),
        implementation="diffusers.optimization:get_polynomial_decay_schedule_with_warmup",
        uses={"lr_scheduler_power": "power"},
        floor=1e-7,  # the library's
    ),
}


def constant() -> str:
    """Return the name of a schedule that leaves the rate where it is."""
    return next(name for name, entry in SCHEDULES.items() if entry.is_constant)


def with_warmup() -> tuple[str, ...]:
    """Return the names of the schedules that a warm-up acts on."""
    return tuple(name for name, entry in SCHEDULES.items() if entry.has_warmup)


def using(setting: str) -> tuple[str, ...]:
    """Return the names of the schedules that the setting called ``setting`` acts on."""
    return tuple(name for name, entry in SCHEDULES.items() if setting in entry.uses)
