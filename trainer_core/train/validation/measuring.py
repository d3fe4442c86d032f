"""The loss of pictures that are not trained, at always the same timesteps, with the same noise.

Nothing of the run changes by it, and nothing is remembered: a resumed run measures the same.

Shape suffixes: B samples, C channels, H and W rows and columns of the latent.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trainer_core.checkpoints.state import Position
from trainer_core.events.emitter import Emitter
from trainer_core.objectives.noise import sample_posterior
from trainer_core.objectives.objective import Objective
from trainer_core.optim.modes import Evaluation
from trainer_core.pipeline.batch import Batch
from trainer_core.pipeline.loader import BatchLoader
from trainer_core.pipeline.sources import Source, sources_of
from trainer_core.protocol.messages import Phase, Validated
from trainer_core.runtime.draws import undisturbed
from trainer_core.runtime.team import Team
from trainer_core.settings.validation import ValidationSettings
from trainer_core.train.inputs import RunInputs

# How much noise: these parts of all timesteps. Source: sd-scripts, train_network.py, which takes
# four between the ends as well.
_PARTS = (0.2, 0.4, 0.6, 0.8)

Predict = Callable[[Batch, Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationSchedule:
    """When the loss is due; after every epoch if neither is said, and at the end of the run."""

    every_n_steps: int | None = None
    every_n_epochs: int | None = None

    def is_due(self, step: int, epoch: int, *, ends_epoch: bool, is_last: bool) -> bool:
        """Tell whether it is due after a step.

        Args:
            step: Its number, from 1.
            epoch: The number of the epoch that it is in, from 1.
            ends_epoch: Whether it is the last of its epoch.
            is_last: Whether it is the last of the run.
        """
        if is_last or (self.every_n_steps and step % self.every_n_steps == 0):
            return True
        epochs = self.every_n_epochs or (0 if self.every_n_steps else 1)
        return ends_epoch and epochs > 0 and epoch % epochs == 0


def validation_schedule(validation: ValidationSettings) -> ValidationSchedule:
    """Return when the settings want the loss."""
    return ValidationSchedule(
        every_n_steps=validation.validate_every_n_steps,
        every_n_epochs=validation.validate_every_n_epochs,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Measures the loss with the weights as they are.

    Attributes:
        loader: Of the pictures, each once in an epoch; its first epoch is measured every time.
        objective: From latents to losses, as in training.
        predict: The denoiser's prediction for a batch; called in ``autocast``.
        autocast: The context that a forward pass is computed in.
        evaluation: The context in which the trained weights are those to be given away.
        modules: The networks, which are in evaluation mode meanwhile.
        emitter: Told what came of it.
        team: The processes of the run; each measures its part.
        max_batches: The most that are measured; None: all.
    """

    loader: BatchLoader
    objective: Objective
    predict: Predict
    autocast: Callable[[], AbstractContextManager[Any]]
    evaluation: Evaluation
    modules: Sequence[nn.Module]
    emitter: Emitter
    team: Team
    max_batches: int | None = None

    def __call__(self, position: Position) -> None:
        """Measure after the step of ``position``; the phase stays validating.

        Raises:
            DatasetError: A picture cannot be read.
        """
        self.emitter.emit(Phase(phase="validating"))
        started = time.perf_counter()
        device = self.loader.device
        with self.evaluation(), undisturbed(self.modules, device), torch.no_grad():
            total, pictures = self._measure()
        loss = total / pictures if pictures else math.nan
        # The epoch that the step was in: at its end the position is in the next one already.
        epoch = position.epoch + (position.batch > 0)
        self.emitter.emit(
            Validated(
                step=position.step,
                epoch=epoch,
                loss=loss if math.isfinite(loss) else None,
                pictures=pictures,
                seconds=time.perf_counter() - started,
            )
        )

    def _measure(self) -> tuple[float, int]:
        """Return the sum of all pictures' losses, and their number, of all processes."""
        total, pictures = 0.0, 0
        groups = self.loader.groups(0, first_step=1)
        with contextlib.closing(groups):
            for group in itertools.islice(groups, self.max_batches):
                for batch in group.batches:
                    pictures += batch.whole
                    total += self._losses(batch) if len(batch) else 0.0
        return float(self.team.agree(torch.tensor(total, dtype=torch.float64))), pictures

    def _losses(self, batch: Batch) -> float:
        """Return the sum of a batch's losses; of each sample the mean over the timesteps."""
        assert batch.posterior is not None  # the loader has encoded what came as pixels
        latents_BCHW = sample_posterior(*batch.posterior, batch.draw.posterior_noise_BCHW)
        found = []
        for timestep in self._timesteps():
            timesteps_B = torch.full_like(batch.draw.timesteps_B, timestep)
            with self.autocast():
                losses_B = self.objective.losses(
                    latents_BCHW,
                    batch.draw._replace(timesteps_B=timesteps_B),
                    lambda noisy, timesteps: self.predict(batch, noisy, timesteps),
                    batch.mask_B1HW,
                )
            found.append(losses_B.double())
        return float(torch.stack(found).mean(dim=0).sum())

    def _timesteps(self) -> list[int]:
        return [round(part * self.objective.diffusion.num_timesteps) for part in _PARTS]


def validation_sources(inputs: RunInputs) -> list[Source]:
    """Return the pictures that are measured; none where no validation is asked for."""
    held_out = inputs.held_out
    if held_out is None or held_out.plan is None:
        return []
    return sources_of(held_out.index, held_out.audit, held_out.plan, held_out.settings)
