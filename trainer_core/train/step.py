"""One optimizer step: losses, gradients, the checks before the update, the update."""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import torch
from torch import Tensor, nn

from trainer_core.errors import InternalError, NumericError, TeamError, TrainerError
from trainer_core.objectives.noise import sample_posterior
from trainer_core.objectives.objective import Objective
from trainer_core.pipeline.batch import Batch
from trainer_core.runtime.team import Alone, Team
from trainer_core.texts import T, Text, text
from trainer_core.train.control import Wishes
from trainer_core.train.soundness.faults import (
    Suspect,
    are_weights_useless,
    gradient_fault,
    loss_fault,
    suspects_of,
    update_fault,
)
from trainer_core.train.soundness.last_good import LastGood

# Source: design.md, section 6: a run whose scaler finds no usable scale is lost.
MAX_SKIPPED_IN_A_ROW = 20
MIN_SCALE = 1.0


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step came to; ``grad_norm`` is None where the scaler skipped the update.

    ``wishes`` are what was asked of any process of the run until then. ``measures`` were taken
    after the step before, so of the same weights as the loss; None is what is not finite.
    """

    loss: float
    grad_norm: float | None
    learning_rates: dict[str, float]
    batch_hash: str
    pictures: int
    wishes: Wishes
    measures: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(slots=True)
class _Forward:
    """A batch whose losses are computed but not yet known to the host."""

    batch: Batch
    losses_B: Tensor

    @property
    def mean(self) -> Tensor:
        """This process's part of the mean over the whole batch."""
        return self.losses_B.detach().mean() * self.batch.share


class _Report(NamedTuple):
    """What another process is told of a failure; it travels between processes."""

    message: Text
    hint: Text | None
    setting: str
    picture: str

    @classmethod
    def of(cls, error: Exception) -> _Report:
        known = error if isinstance(error, TrainerError) else InternalError.of(error)
        return cls(known.message, known.hint, known.setting, known.picture)

    @property
    def error(self) -> TeamError:
        return TeamError.in_words(
            text(
                T("Errors", "Another process of this run has failed: {reason}"), reason=self.message
            ),
            self.hint or text(T("Errors", "Mend that, then go on from the newest state.")),
            setting=self.setting,
            picture=self.picture,
        )


class Stepper:
    """Runs optimizer steps over groups of batches, which are on the device already.

    Args:
        accelerator: Of accelerate: scaler, backward and clipping.
        objective: From latents to losses.
        predict: The denoiser's prediction for a batch, noisy latents BCHW and timesteps B, which
            are on the device; called in ``autocast``.
        optimizer: As accelerate prepared it.
        scheduler: What moves its rates.
        max_grad_norm: Gradients are scaled down to it; 0: not at all.
        autocast: The context that a forward pass is computed in; losses are float32 in it too,
            and the backward pass is outside of it.
        after_step: What the method does after an update; what it measures is read in the next
            step, because every read from the device is waited for.
        team: The processes of the run.
    """

    def __init__(
        self,
        *,
        accelerator: Any,
        objective: Objective,
        predict: Callable[[Batch, Tensor, Tensor], Tensor],
        optimizer: Any,
        scheduler: Any,
        max_grad_norm: float,
        autocast: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext,
        after_step: Callable[[], Mapping[str, Tensor]] = dict,
        team: Team | None = None,
    ) -> None:
        self._accelerator = accelerator
        self._objective = objective
        self._predict = predict
        self._optimizer = optimizer
        self._scheduler = scheduler
        self._max_grad_norm = max_grad_norm
        self._autocast = autocast
        self._after_step = after_step
        self._team = team or Alone()
        self._measures: Mapping[str, Tensor] = {}  # not yet known to the host
        self._last_good = LastGood(self._trained())
        self._is_useless = False
        self.skipped_in_a_row = 0
        self.is_updating = False  # True: an error left the weights between two steps

    def step(
        self, group: Sequence[Batch], number: int, wishes: Callable[[], Wishes] = Wishes
    ) -> StepResult:
        """Do the optimizer step ``number`` (from 1) over the batches of ``group``.

        The loss is the mean over the batches that are really there, also in the last, shorter
        group of an epoch (behaviours 11).

        Args:
            group: The batches, encoded; of a team, this process's part of each.
            number: Of the step.
            wishes: Asked before the update, what this process is asked to do.

        Raises:
            NumericError: A loss or gradient is not finite; nothing was updated.
            TeamError: Another process failed or has ended; nothing was updated.
        """
        rates = self._rates()
        digest = hashlib.blake2b(repr(sorted(rates.items())).encode(), digest_size=8)
        for batch in group:
            digest.update(batch.content)
        try:
            forwards = [self._forward(batch) for batch in group if len(batch)]
        except Exception as error:  # noqa: BLE001 - goes on its way from there
            self.give_up(error)
        self._team.reduce_gradients(self._trained())
        grad_norm = self._accelerator.clip_grad_norm_(
            self._trained(), self._max_grad_norm or math.inf
        )
        loss, norm, all_wishes, measures = self._agree(forwards, len(group), grad_norm, wishes())
        if not math.isfinite(loss):
            self._optimizer.zero_grad(set_to_none=True)
            self.require_finite_weights(number - 1, rates)
            suspects = self._suspects(forwards)
            self._is_useless = are_weights_useless(suspects, number)
            raise loss_fault(suspects, number, rates)
        if not math.isfinite(norm) and self._accelerator.scaler is None:
            self._optimizer.zero_grad(set_to_none=True)
            raise gradient_fault(self._suspects(forwards), number, rates)
        norm_or_skip = self._update(norm, number)
        pictures = sum(batch.whole for batch in group)
        return StepResult(
            loss, norm_or_skip, rates, digest.hexdigest(), pictures, all_wishes, measures
        )

    def give_up(self, error: Exception) -> NoReturn:
        """Let the other processes know that this one failed before its update, and raise.

        Raises:
            Exception: ``error``.
        """
        if self._team.size > 1:
            self._team.reduce_gradients(self._trained())
            self._team.agree(self._packed(0.0, Wishes(), failed=True))
            self._team.gather(_Report.of(error))
        raise error

    def _trained(self) -> list[nn.Parameter]:
        return [weight for entry in self._optimizer.param_groups for weight in entry["params"]]

    def _forward(self, batch: Batch) -> _Forward:
        """Compute the losses of one batch and add up its gradients."""
        assert batch.posterior is not None  # the loader has encoded what came as pixels
        latents_BCHW = sample_posterior(*batch.posterior, batch.draw.posterior_noise_BCHW)
        with self._autocast():
            losses_B = self._objective.losses(
                latents_BCHW,
                batch.draw,
                lambda noisy, timesteps: self._predict(batch, noisy, timesteps),
                batch.mask_B1HW,
            )
        if batch.weights_B is not None:
            losses_B = losses_B * batch.weights_B
        self._accelerator.backward(losses_B.mean() * batch.share / batch.group_size)
        return _Forward(batch, losses_B)

    # ------------------------------------------------------------- agreeing

    def _agree(
        self, forwards: Sequence[_Forward], count: int, grad_norm: Tensor, wishes: Wishes
    ) -> tuple[float, float, Wishes, Mapping[str, float | None]]:
        """Return the loss of all processes, the norm of the gradient, what is asked and measured.

        Raises:
            TeamError: Another process failed.
        """
        zero = torch.zeros((), device=grad_norm.device)
        means = [each.mean for each in forwards] or [zero]
        # Absent batches count nothing; without a team there is none.
        loss = torch.stack(means).sum() / count if len(means) < count else torch.stack(means).mean()
        packed = self._team.agree(self._packed(loss, wishes))
        # The one read from the device in a step; the scaler of fp16 has another.
        own = [grad_norm, *self._measures.values()]
        numbers = torch.cat([packed, *(each.to(packed).reshape(1) for each in own)]).tolist()
        agreed_loss, failures, *wish_numbers = numbers[: len(packed)]
        norm, *measured = numbers[len(packed) :]
        if failures:
            reports: list[_Report | None] = self._team.gather(None)
            raise next(report for report in reports if report is not None).error
        found = zip(self._measures, measured, strict=True)
        measures = {name: value if math.isfinite(value) else None for name, value in found}
        return agreed_loss, norm, Wishes.of(wish_numbers), measures

    def _packed(self, loss: Tensor | float, wishes: Wishes, *, failed: bool = False) -> Tensor:
        """Return what all processes agree on, in one row: loss, failures, wishes; float32."""
        device = self._accelerator.device
        row = torch.tensor([0.0, float(failed), *wishes.as_numbers()])
        row = row.to(device, non_blocking=True)
        row[0] = loss
        return row

    def _suspects(self, forwards: Sequence[_Forward]) -> list[Suspect]:
        """Return the samples of the step, of every process."""
        own = [suspect for each in forwards for suspect in suspects_of(each.batch, each.losses_B)]
        return [suspect for each in self._team.gather(own) for suspect in each]

    # ------------------------------------------------------------- updating

    def require_finite_weights(self, number: int, rates: Mapping[str, float] | None = None) -> None:
        """Refuse weights that the update of step ``number`` spoiled; of a team, in all processes.

        Raises:
            NumericError: They are not finite; `put_back` has those before that update.
        """
        if not self._last_good.is_finite():
            raise update_fault(number, self._rates() if rates is None else rates)

    def has_good_weights(self) -> bool:
        """Tell whether the trained weights are finite and no step has shown them to be useless."""
        return not self._is_useless and self._last_good.is_finite()

    def put_back(self) -> bool:
        """Undo the newest update, or one that broke off; False if the weights were not kept.

        What the optimizer remembers stays as it is: the weights are to be saved, not trained on.
        """
        return self._last_good.put_back()

    def _rates(self) -> dict[str, float]:
        return {entry["name"]: float(entry["lr"]) for entry in self._optimizer.param_groups}

    def _update(self, norm: float, number: int) -> float | None:
        """Update the weights; None if the scaler skipped it."""
        scaler = self._accelerator.scaler
        self._last_good.keep()
        self.is_updating = True
        self._optimizer.step()
        self.is_updating = False
        # Not accelerate's word for it: a fused optimizer skips inside, unseen by the scaler.
        skipped = not math.isfinite(norm)
        if not skipped:
            self._scheduler.step()
            self._measures = self._after_step()
        self._optimizer.zero_grad(set_to_none=True)
        self.skipped_in_a_row = self.skipped_in_a_row + 1 if skipped else 0
        if self.skipped_in_a_row >= MAX_SKIPPED_IN_A_ROW or (
            skipped and scaler.get_scale() < MIN_SCALE
        ):
            raise NumericError(
                T(
                    "Errors",
                    "Gradients overflow fp16 at step {step}, {count} [count:time|times] in a row.",
                ),
                T("Errors", "Use bf16 or 32 bit, or lower the learning rate."),
                setting="hardware.mixed_precision",
                step=number,
                count=self.skipped_in_a_row,
            )
        return None if skipped else norm
