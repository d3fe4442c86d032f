"""One optimizer step: losses, gradients, the checks before the update, the update."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trainer_core.errors import NumericError
from trainer_core.objectives.noise import sample_posterior
from trainer_core.objectives.objective import NoisePrediction
from trainer_core.pipeline.batch import Batch
from trainer_core.texts import T

# Source: design.md, section 6: a run whose scaler finds no usable scale is lost.
MAX_SKIPPED_IN_A_ROW = 20
MIN_SCALE = 1.0


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step came to; ``grad_norm`` is None where the scaler skipped the update."""

    loss: float
    grad_norm: float | None
    learning_rates: dict[str, float]
    batch_hash: str
    pictures: int


@dataclass(slots=True)
class _Forward:
    """A batch whose losses are computed but not yet known to the host."""

    batch: Batch
    losses_B: Tensor


class Stepper:
    """Runs optimizer steps over groups of batches, which are on the device already."""

    def __init__(
        self,
        *,
        accelerator: Any,
        objective: NoisePrediction,
        predict: Callable[[Batch, Tensor, Tensor], Tensor],
        optimizer: Any,
        scheduler: Any,
        max_grad_norm: float,
    ) -> None:
        self._accelerator = accelerator
        self._objective = objective
        self._predict = predict
        self._optimizer = optimizer
        self._scheduler = scheduler
        self._max_grad_norm = max_grad_norm
        self.skipped_in_a_row = 0
        self.is_updating = False  # True: an error left the weights between two steps

    def step(self, group: Sequence[Batch], number: int) -> StepResult:
        """Do the optimizer step ``number`` (from 1) over the batches of ``group``.

        The loss is the mean over the batches that are really there, also in the last, shorter
        group of an epoch (behaviours 11).

        Raises:
            NumericError: A loss or gradient is not finite; nothing was updated.
        """
        rates = {entry["name"]: float(entry["lr"]) for entry in self._optimizer.param_groups}
        digest = hashlib.blake2b(repr(sorted(rates.items())).encode(), digest_size=8)
        for batch in group:
            digest.update(batch.content)
        forwards = [self._forward(batch) for batch in group]
        mean_loss = torch.stack([each.losses_B.detach().mean() for each in forwards]).mean()
        grad_norm = self._accelerator.clip_grad_norm_(
            self._trained(), self._max_grad_norm or math.inf
        )
        # The one read from the device in a step.
        loss, norm = torch.stack([mean_loss, grad_norm.to(mean_loss)]).tolist()
        if not math.isfinite(loss):
            self._optimizer.zero_grad(set_to_none=True)
            raise _non_finite_loss(forwards, number, rates)
        norm_or_skip = self._update(norm, number)
        return StepResult(loss, norm_or_skip, rates, digest.hexdigest(), sum(map(len, group)))

    def _trained(self) -> list[nn.Parameter]:
        return [weight for entry in self._optimizer.param_groups for weight in entry["params"]]

    def _forward(self, batch: Batch) -> _Forward:
        """Compute the losses of one batch and add up its gradients."""
        assert batch.posterior is not None  # the loader has encoded what came as pixels
        latents_BCHW = sample_posterior(*batch.posterior, batch.draw.posterior_noise_BCHW)
        with self._accelerator.autocast():
            losses_B = self._objective.losses(
                latents_BCHW,
                batch.draw,
                lambda noisy, timesteps: self._predict(batch, noisy, timesteps),
                batch.mask_B1HW,
            )
        if batch.weights_B is not None:
            losses_B = losses_B * batch.weights_B
        self._accelerator.backward(losses_B.mean() / batch.group_size)
        return _Forward(batch, losses_B)

    def _update(self, norm: float, number: int) -> float | None:
        """Update the weights; None if the scaler skipped it."""
        scaler = self._accelerator.scaler
        if not math.isfinite(norm) and scaler is None:
            self._optimizer.zero_grad(set_to_none=True)
            raise NumericError(
                T("Errors", "The gradient of step {step} is not finite; nothing was updated."),
                T("Errors", "Lower the learning rate, then resume from the newest state."),
                step=number,
            )
        self.is_updating = True
        self._optimizer.step()
        self.is_updating = False
        skipped = bool(self._accelerator.optimizer_step_was_skipped)
        if not skipped:
            self._scheduler.step()
        self._optimizer.zero_grad(set_to_none=True)
        self.skipped_in_a_row = self.skipped_in_a_row + 1 if skipped else 0
        if self.skipped_in_a_row >= MAX_SKIPPED_IN_A_ROW or (
            skipped and scaler.get_scale() < MIN_SCALE
        ):
            raise NumericError(
                T("Errors", "Gradients overflow fp16 at step {step}, {count} times in a row."),
                T("Errors", "Use bf16 or 32 bit, or lower the learning rate."),
                step=number,
                count=self.skipped_in_a_row,
            )
        return None if skipped else norm


def _non_finite_loss(
    forwards: Sequence[_Forward], number: int, rates: dict[str, float]
) -> NumericError:
    """Name the pictures and timesteps whose losses are not finite."""
    culprits = []
    for each in forwards:
        finite_B = torch.isfinite(each.losses_B.detach()).tolist()
        timesteps_B = each.batch.draw.timesteps_B.tolist()
        culprits += [
            f"{name} (timestep {timestep})"
            for name, timestep, finite in zip(each.batch.names, timesteps_B, finite_B, strict=True)
            if not finite
        ]
    return NumericError(
        T(
            "Errors",
            "The loss of step {step} is not finite; nothing was updated. Learning rates {rates}. "
            "Pictures: {pictures}.",
        ),
        T(
            "Errors",
            "Look at these pictures, lower the learning rate or use 32 bit, then resume from the "
            "newest state.",
        ),
        step=number,
        rates=", ".join(f"{name} {rate:g}" for name, rate in rates.items()),
        pictures=", ".join(culprits[:8]),
    )
