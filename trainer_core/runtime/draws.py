"""Repeatable draws of tensors: each random stream is a function of the seed and its purpose.

Nothing is drawn from a shared, running generator, so a resumed run needs no generator's
position, and neither threads nor samples drawn in between can shift anything.
"""

from __future__ import annotations

import random

import torch

from trainer_core.seeds import derived_seed


def generator(seed: int, purpose: str, *place: int) -> torch.Generator:
    """Return a CPU generator for one purpose at one place of the run (epoch, step, index)."""
    return torch.Generator().manual_seed(derived_seed(seed, purpose, *place))


def seed_globals(seed: int) -> None:
    """Seed the generators that libraries draw from without asking."""
    random.seed(derived_seed(seed, "python"))
    torch.manual_seed(derived_seed(seed, "torch"))
