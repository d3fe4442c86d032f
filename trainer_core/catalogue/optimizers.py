"""The optimizers: the class that each name stands for, and how it wants to be treated."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from trainer_core.catalogue.entry import Entry
from trainer_core.texts import T


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerEntry(Entry):
    """An optimizer; ``implementation`` is its class, built from parameter groups and a rate.

    Attributes:
        rate: ``given``: takes a learning rate; ``one``: adapts it and wants about 1;
            ``own``: finds it alone.
        highest_rate: A rate above it is nearly always a slip; None where none is known.
        one_rate: Every group must have the same rate.
        schedule: ``any``: the rate may be moved by any schedule; ``own``: it has its own;
            ``none``: the rate must not be moved.
        modes: Has ``train()`` and ``eval()``, to be called round samples and saves.
        fixed: Arguments that make it what its name says.
        state_bytes: What it remembers of a weight of a shape, in bytes, as a saved state has it;
            None where nobody can tell.
    """

    rate: Literal["given", "one", "own"] = "given"
    highest_rate: float | None = None
    one_rate: bool = False
    schedule: Literal["any", "own", "none"] = "any"
    modes: bool = False
    fixed: Mapping[str, object] = field(default_factory=dict)
    state_bytes: Callable[[tuple[int, ...]], int] | None = None


_FLOAT32 = 4
# Source: bitsandbytes 0.49, ``Optimizer2State``: below ``min_8bit_size`` numbers the moments stay
# float32; others have a scale for every 256 numbers, and two tables of 256 values.
_SMALLEST_IN_8_BITS = 4096
_BLOCK = 256


def _two_moments(shape: tuple[int, ...]) -> int:
    """Return the bytes of two float32 moments of each number, and of a count of steps."""
    return 2 * _FLOAT32 * math.prod(shape) + _FLOAT32


def _two_moments_in_8_bits(shape: tuple[int, ...]) -> int:
    """Return the bytes of two moments of one byte, with their scales and tables."""
    count = math.prod(shape)
    if count < _SMALLEST_IN_8_BITS:
        return _two_moments(shape)
    return 2 * (count + _FLOAT32 * (math.ceil(count / _BLOCK) + _BLOCK))


# Adam moves every weight by about the rate in each step, whatever the gradient's size (Kingma & Ba
# 2014, arXiv:1412.6980, section 2.1), and a LoRA's weights begin below 0.1.
_HIGHEST_OF_ADAM = 0.01

OPTIMIZERS: Mapping[str, OptimizerEntry] = {
    "AdamW": OptimizerEntry(
        label="AdamW",
        help=T("Settings", "32-bit state; the safe choice."),
        implementation="torch.optim:AdamW",
        highest_rate=_HIGHEST_OF_ADAM,
        state_bytes=_two_moments,
        source="Loshchilov & Hutter 2017, arXiv:1711.05101",
    ),
    "AdamW8bit": OptimizerEntry(
        label="AdamW8bit",
        help=T("Settings", "AdamW with its state in 8 bits: less memory, nearly the same result."),
        implementation="bitsandbytes.optim:AdamW8bit",  # block-wise; it runs on the CPU too
        highest_rate=_HIGHEST_OF_ADAM,
        package="bitsandbytes>=0.49",
        state_bytes=_two_moments_in_8_bits,
        source="Dettmers et al. 2021, arXiv:2110.02861",
    ),
}


def without_package() -> str:
    """Return the label of an optimizer that is always there."""
    return next(entry.label for entry in OPTIMIZERS.values() if not entry.package)
