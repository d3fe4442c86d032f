"""Repeatable draws of tensors: each random stream is a function of the seed and its purpose.

Nothing is drawn from a shared, running generator, so a resumed run needs no generator's
position, and neither threads nor samples drawn in between can shift anything.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn

from trainer_core.seeds import derived_seed


def generator(seed: int, purpose: str, *place: int) -> torch.Generator:
    """Return a CPU generator for one purpose at one place of the run (epoch, step, index)."""
    return torch.Generator().manual_seed(derived_seed(seed, purpose, *place))


def seed_globals(seed: int) -> None:
    """Seed the generators that libraries draw from without asking."""
    random.seed(derived_seed(seed, "python"))
    torch.manual_seed(derived_seed(seed, "torch"))


@contextlib.contextmanager
def undisturbed(modules: Sequence[nn.Module], device: torch.device) -> Iterator[None]:
    """Put the modules in evaluation mode; give back modes and random generators as they were."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    is_training = {part: part.training for module in modules for part in module.modules()}
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            for module in modules:
                module.eval()
            yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        for part, flag in is_training.items():
            part.training = flag
