"""A training that is driven by steps and goes on where it was interrupted."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch

from trainer_core.files.writing import publish_file

logger = logging.getLogger(__name__)

LOG_EVERY = 50
WARMUP_STEPS = 100
DECAY_SHARE = 0.3  # of the steps, at the end, in which the rate falls to nothing
SEED = 20240
_LARGE_PRIME = 1_000_003


class Part(Protocol):
    """A network or an optimizer: something with a state."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Take a state over."""


class Course:
    """Repeats one step, and keeps the state of its parts in a file.

    Every step draws its lots from a seed of its own, so an interrupted course and one without a
    break take the same steps.
    """

    def __init__(self, file: Path, parts: dict[str, Part], *, steps: int, save_every: int) -> None:
        self.file, self.steps, self.done = file, steps, 0
        self._parts, self._save_every = parts, save_every
        if file.exists():
            state = torch.load(file, map_location="cpu", weights_only=True)
            self.done = state.pop("done")
            for name, part in parts.items():
                part.load_state_dict(state[name])

    def run(self, take_step: Callable[[int], float]) -> None:
        """Take the steps that are left; the function gets a step's number and returns its loss."""
        if self.done >= self.steps:
            return
        started, losses = time.perf_counter(), []
        for step in range(self.done, self.steps):
            loss = take_step(step)
            if not math.isfinite(loss):
                raise FloatingPointError(f"The loss is {loss} in step {step + 1}.")
            losses.append(loss)
            self.done = step + 1
            if self.done % LOG_EVERY == 0 or self.done == self.steps:
                seconds = (time.perf_counter() - started) / len(losses)
                mean = sum(losses) / len(losses)
                logger.info(
                    "%s: step %d of %d, loss %.4f, %.3f s a step",
                    self.file.stem, self.done, self.steps, mean, seconds,
                )  # fmt: skip
                started, losses = time.perf_counter(), []
            if self.done % self._save_every == 0 or self.done == self.steps:
                self._save()

    def _save(self) -> None:
        state = {name: part.state_dict() for name, part in self._parts.items()}
        state["done"] = self.done
        publish_file(self.file, lambda file: torch.save(state, file), replace=True)


def set_rate(optimizer: torch.optim.Optimizer, peak: float, step: int, steps: int) -> None:
    """Set a step's learning rate: it climbs, stays, and falls in a straight line at the end.

    While it stays, more steps may be decided on, and a copy of the state may be finished early.
    """
    climbing = (step + 1) / WARMUP_STEPS
    falling = (steps - step) / max(1, DECAY_SHARE * steps)
    for group in optimizer.param_groups:
        group["lr"] = peak * min(1.0, climbing, falling)


def lots_of(step: int) -> tuple[random.Random, torch.Generator]:
    """Return the two sources of chance of a step."""
    seed = SEED + _LARGE_PRIME * step
    return random.Random(seed), torch.Generator().manual_seed(seed)
