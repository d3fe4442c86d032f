"""How many files of a kind a run has at most at one time, without going through its steps."""

from __future__ import annotations

import math
from typing import NamedTuple

from trainer_core.settings.output import OutputSettings
from trainer_core.settings.sampling import SamplingSettings


class Length(NamedTuple):
    """How long a run is: optimizer steps, those of a whole epoch, and epochs begun."""

    total_steps: int
    steps_per_epoch: int
    epochs: int


class FileCounts(NamedTuple):
    """The most weights files and states that are there at one time."""

    weights: int
    states: int


def file_counts(output: OutputSettings, length: Length) -> FileCounts:
    """Return how many weights files and states there are at most at one time.

    An older file is removed only after the new one is there, so a limit of K files is K + 1 for a
    moment; a limit of K steps keeps the files of the last K steps, which are ``ceil((K + 1) / N)``
    of every N steps, and one more for a moment. At the end there are the weights and, if wanted,
    the state of the end. Of states kept because minutes had passed there are two for a moment;
    one is left while the end is saved.

    The sum is exact where nothing is removed. Elsewhere it may be one file of each kind too high:
    saves after steps and after epochs need not be at their most at once.
    """
    steps = _steps_saved(output, length)
    epochs = _epochs_saved(output, length)
    weights = _at_most(steps, _kept_steps(output, output.save_last_n_steps))
    weights += _at_most(epochs, output.save_last_n_epochs)
    states = 0
    if output.save_state:
        limit = _or(output.save_last_n_steps_state, output.save_last_n_steps)
        states += _at_most(steps, _kept_steps(output, limit))
        limit = _or(output.save_last_n_epochs_state, output.save_last_n_epochs)
        states += _at_most(epochs, limit)
    has_end_state = output.save_state or output.save_state_on_train_end
    kept = 0 if output.save_state_every_n_minutes is None else 2
    return FileCounts(weights + 1, states + max(kept, int(has_end_state)))


def rounds_of_samples(sampling: SamplingSettings, length: Length) -> int:
    """Return how often the sample pictures are drawn; where steps and epochs meet, once."""
    by_steps, by_epochs = sampling.sample_every_n_steps, sampling.sample_every_n_epochs
    rounds = int(sampling.sample_at_first)
    if by_steps:
        rounds += length.total_steps // by_steps
    if by_epochs:
        rounds += length.total_steps // (by_epochs * length.steps_per_epoch)
    if by_steps and by_epochs:
        rounds -= length.total_steps // math.lcm(by_steps, by_epochs * length.steps_per_epoch)
    return rounds


def _steps_saved(output: OutputSettings, length: Length) -> int:
    """Return how many saves are due after steps; the last step's are those of the end."""
    every = output.save_every_n_steps
    return 0 if not every else (length.total_steps - 1) // every


def _epochs_saved(output: OutputSettings, length: Length) -> int:
    every = output.save_every_n_epochs
    return 0 if not every else (length.epochs - 1) // every


def _kept_steps(output: OutputSettings, limit: int | None) -> int | None:
    """Return how many saves a limit of steps keeps."""
    every = output.save_every_n_steps
    return None if limit is None or not every else math.ceil((limit + 1) / every)


def _at_most(saves: int, limit: int | None) -> int:
    return saves if limit is None else min(saves, limit + 1)


def _or(limit: int | None, other: int | None) -> int | None:
    return other if limit is None else limit
