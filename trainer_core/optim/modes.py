"""The two modes of optimizers that train other weights than those that are meant to be used."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch.optim import Optimizer

from trainer_core.catalogue.optimizers import OPTIMIZERS

Evaluation = Callable[[], AbstractContextManager[None]]
"""Opens a context in which the trained weights are those to be drawn with and given away."""


def evaluation(name: str, optimizer: Optimizer) -> Evaluation:
    """Return the context for samples and saved weights; most optimizers need none.

    A state is written outside of it: training goes on from the weights that were trained.

    Args:
        name: The optimizer's in the catalogue.
        optimizer: Built under that name, so that it is in training mode.
    """
    if not OPTIMIZERS[name].modes:
        return contextlib.nullcontext
    return lambda: _evaluating(optimizer)


@contextlib.contextmanager
def _evaluating(optimizer: Any) -> Iterator[None]:
    """Put ``optimizer`` into evaluation mode, and the weights back to the bit afterwards.

    Its own way back rounds: samples would change a run, and move it away from the processes that
    draw none. The copies lie on the CPU, because pictures need the device's memory.
    """
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    trained = [weight.detach().to("cpu", copy=True) for weight in weights]
    optimizer.eval()
    try:
        yield
    finally:
        optimizer.train()
        with torch.no_grad():
            for weight, copy in zip(weights, trained, strict=True):
                weight.copy_(copy)
