"""The training loop, as one would describe it: step, report, save, sample, obey."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from trainer_core.checkpoints.retention import Action, SaveSchedule
from trainer_core.checkpoints.state import Position
from trainer_core.errors import NumericError, OutputError, StopRequested
from trainer_core.events.emitter import Emitter
from trainer_core.pipeline.loader import BatchLoader, Group
from trainer_core.protocol.messages import Phase, StepDone, Stop
from trainer_core.runtime.team import Alone, Team
from trainer_core.train.control import Control, Wishes
from trainer_core.train.saving import Saver
from trainer_core.train.step import Stepper
from trainer_core.train.validation.measuring import ValidationSchedule

_log = logging.getLogger(__name__)

_NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSchedule:
    """When sample pictures are due."""

    every_n_steps: int | None
    every_n_epochs: int | None
    at_first: bool

    def is_due_after_step(self, step: int) -> bool:
        """Tell whether pictures are due after optimizer step ``step``."""
        return bool(self.every_n_steps) and step % (self.every_n_steps or 1) == 0

    def is_due_after_epoch(self, epoch: int) -> bool:
        """Tell whether pictures are due after epoch ``epoch``, counted from 1."""
        return bool(self.every_n_epochs) and epoch % (self.every_n_epochs or 1) == 0


@dataclass(slots=True, kw_only=True)
class Loop:
    """One run, from a position to its end or until it is stopped.

    ``before`` is where it was before its newest step; ``resumed_at`` is where its state was saved;
    ``has_samples`` tells whether the pictures that are due there were drawn before; ``rescued`` is
    where it saved what the output folder could not take. ``keep_records`` sees after each step that
    its events are written, and waits where the disk is full. ``data_wait_s`` is how long it waited
    for data so far. ``validate`` measures the loss of pictures that are not trained; None without
    any. In a team all processes do.
    """

    emitter: Emitter
    control: Control
    loader: BatchLoader
    stepper: Stepper
    saver: Saver
    save_schedule: SaveSchedule
    sample_schedule: SampleSchedule
    draw_samples: Callable[[Position], None]
    memory_mib: Callable[[], float]
    total_steps: int
    batches_per_epoch: int
    position: Position = field(default_factory=Position)
    before: Position = field(default_factory=Position, init=False)
    resumed_at: Position | None = None
    has_samples: Callable[[Position], bool] = lambda position: True
    team: Team = field(default_factory=Alone)
    rescued: Path | None = None
    keep_records: Callable[[], object] = lambda: None
    validate: Callable[[Position], None] | None = None
    validation_schedule: ValidationSchedule = field(default_factory=ValidationSchedule)
    data_wait_s: float = field(default=0.0, init=False)

    def run(self) -> Stop | None:
        """Train; return the command that stopped the run, None if it came to its end.

        Whatever else ends the run, what was trained until then is saved first.

        Raises:
            NumericError: A loss or gradient was not finite.
            DatasetError: A picture could not be read.
            OutputError: A file could not be written.
            StopRequested: It was told to stop before its first step, or without saving while it
                waited for room on a disk.
        """
        try:
            return self._train()
        except StopRequested:
            raise
        except OutputError:
            self._save_elsewhere()
            raise
        except Exception:  # whatever it is: it goes on its way once the weights are safe
            self._keep_good_weights()
            raise

    def _train(self) -> Stop | None:
        if self.position.step == 0 and self.sample_schedule.at_first:
            self._draw_samples()
        self._leave_if_asked()
        self._catch_up()
        while self.position.step < self.total_steps:
            self._enter("training")
            for group in self._groups():
                wishes = self._step(group)
                if self.position.step == self.total_steps:
                    break
                if (stop := self._obey(wishes)) is not None:
                    return stop
        self._finish()
        return None

    def _finish(self) -> None:
        """Save what is due at the end; all but that was done before a run that was killed there."""
        at, was_there = self.position, False
        if self.resumed_at is not None and self.resumed_at.step == at.step:
            at, was_there = self.resumed_at, True
        due = self.save_schedule.at_end(at.step, epoch=_epochs_begun(at))
        self.stepper.require_finite_weights(at.step)
        with self.team.together():
            if self.team.is_first:
                due = self.saver.missing(due) if was_there else due
                self.saver.carry_out([*due, *self.saver.outdated()], at)

    def _catch_up(self) -> None:
        """Do what was due at the state that the run goes on from, if a kill came before it."""
        at = self.resumed_at
        if at is None:
            return
        with self.team.together():
            if self.team.is_first:
                self.saver.tell_untold()
                due, draws = self._due(at.step, _epochs_begun(at), ends_epoch=at.batch == 0)
                self.saver.carry_out(self.saver.missing(due), at)
                if draws and not self.has_samples(at):
                    self.draw_samples(at)

    def _groups(self) -> Iterator[Group]:
        """Yield the rest of the epoch at hand; other processes learn of a failure on the way."""
        step, epoch, batch = self.position.step, self.position.epoch, self.position.batch
        groups = self.loader.groups(epoch, skip_batches=batch, first_step=step + 1)
        while True:
            try:
                group = next(groups, None)
            except Exception as error:  # noqa: BLE001 - goes on its way from there
                self.stepper.give_up(error)
            if group is None:
                return
            yield group

    def _step(self, group: Group) -> Wishes:
        """Do one optimizer step and whatever is due after it; return what was asked meanwhile."""
        started = time.perf_counter()
        step, epoch = self.position.step + 1, self.position.epoch + 1
        result = self.stepper.step(group.batches, step, self.control.take_wishes)
        self.before, self.position = self.position, self._next(len(group.batches))
        seconds = time.perf_counter() - started + group.waited_s
        self.data_wait_s += group.waited_s
        self.emitter.emit(
            StepDone(
                step=step,
                epoch=epoch,
                loss=result.loss,
                learning_rates=result.learning_rates,
                grad_norm=result.grad_norm,
                images_per_second=result.pictures / seconds,
                memory_mib=self.memory_mib(),
                data_wait_s=group.waited_s,
                seconds=seconds,
                batch_hash=result.batch_hash,
                measures=result.measures,
            )
        )
        self.keep_records()
        return self._agreed(result.wishes) if self._do_what_is_due(step, epoch) else result.wishes

    def _do_what_is_due(self, step: int, epoch: int) -> bool:
        """Validate, save and draw after a step what is due then; tell whether anything was.

        Validation comes first: whoever goes on from what is saved has its result.
        """
        ends_epoch = self.position.batch == 0
        validates = self._validate_if_due(step, epoch, ends_epoch=ends_epoch)
        due, draws = self._due(step, epoch, ends_epoch=ends_epoch)
        self._carry_out(due)
        if draws:
            self._draw_samples()
        if due or draws or validates:
            self._enter("training")
        return bool(due) or draws or validates

    def _validate_if_due(self, step: int, epoch: int, *, ends_epoch: bool) -> bool:
        is_last = step == self.total_steps
        schedule = self.validation_schedule
        if self.validate is None or not schedule.is_due(
            step, epoch, ends_epoch=ends_epoch, is_last=is_last
        ):
            return False
        self.validate(self.position)
        return True

    def _due(self, step: int, epoch: int, *, ends_epoch: bool) -> tuple[list[Action], bool]:
        """Return what is to be saved and removed after a step, and whether samples are due."""
        own = self.saver.own.steps
        due = self.save_schedule.after_step(step, epoch=epoch, own=own)
        if ends_epoch:
            due += self.save_schedule.after_epoch(epoch, step=step, own=own)
        draws = self.sample_schedule.is_due_after_step(step) or (
            ends_epoch and self.sample_schedule.is_due_after_epoch(epoch)
        )
        return due, draws

    def _next(self, batches: int) -> Position:
        step, batch = self.position.step + 1, self.position.batch + batches
        if batch >= self.batches_per_epoch:
            return Position(step, self.position.epoch + 1, 0)
        return Position(step, self.position.epoch, batch)

    def _keep_good_weights(self) -> None:
        """Save what was trained before the failure, unless it cannot be written."""
        if not self.team.is_first:
            return
        try:
            self._save_what_is_good()
        except NumericError as error:
            _log.warning("nothing could be saved: %s", error)
        except OutputError as error:
            _log.warning("the output folder takes nothing: %s", error)
            if self.stepper.has_good_weights():
                self._save_elsewhere()
        except Exception:  # noqa: BLE001 - a device that broke down; the failure before it is told
            _log.exception("nothing could be saved")

    def _save_elsewhere(self) -> None:
        """Save what was trained where there is room: the output folder failed."""
        if self.position.step == 0 or self.stepper.is_updating or not self.team.is_first:
            return
        try:
            stop = self.control.stop_command
            wanted = Path(stop.folder) if stop is not None and stop.folder else None
            self.rescued = self.saver.save_elsewhere(self.position, wanted)
        except Exception:  # noqa: BLE001 - the failure before it is told
            _log.exception("nothing could be saved elsewhere")

    def _save_what_is_good(self) -> None:
        """Save state and weights; where the last update spoiled the weights, those before it."""
        if self.position.step == 0:
            return
        if self.stepper.is_updating:
            self._save_weights_before(self.position)
        elif self.stepper.has_good_weights():
            try:
                self.saver.save_here(self.position)
            except NumericError:  # what the optimizer remembers is not finite
                self.saver.save_weights(self.position)
                raise
        else:
            try:
                self.saver.save_state(self.position)  # to go on from in another number format
            finally:
                self._save_weights_before(self.before)

    def _save_weights_before(self, good: Position) -> None:
        """Save the weights from before the newest update."""
        if good.step and self.stepper.put_back():
            self.saver.save_weights(good)

    def _obey(self, wishes: Wishes) -> Stop | None:
        """Do what is asked, and hold while paused; return a command to stop."""
        self._save_and_sample(wishes, "training")
        if wishes.pause:
            self._enter("paused")
            while wishes.pause and not wishes.stop:  # of a team, one may pause and one stop
                self.control.wait()
                wishes = self._agreed()
                self._save_and_sample(wishes, "paused")
            self._enter("training")
        stop = wishes.command
        if stop is not None and stop.save:
            self._save_here()
        return stop

    def _save_and_sample(self, wishes: Wishes, phase: str) -> None:
        """Save and draw if that is asked for or due by time, then go back to ``phase``."""
        if wishes.save:
            self._save_here()
        elif wishes.keep:
            self._keep_state()
        if wishes.sample:
            self._draw_samples()
        if wishes.save or wishes.sample or wishes.keep:
            self._enter(phase)

    # ------------------------------------------------------------- together

    def _agreed(self, before: Wishes = _NO_WISHES) -> Wishes:
        """Return what any process asks by now, beside what was asked before."""
        own = self.control.take_wishes()
        numbers = [max(pair) for pair in zip(own.as_numbers(), before.as_numbers(), strict=True)]
        return Wishes.of(self.team.agree(torch.tensor(numbers)).tolist())

    def _leave_if_asked(self) -> None:
        if self._agreed().stop:
            raise StopRequested

    def _carry_out(self, actions: Sequence[Action]) -> None:
        if actions:
            self.stepper.require_finite_weights(self.position.step)
            with self.team.together():
                if self.team.is_first:
                    self.saver.carry_out(actions, self.position)

    def _save_here(self) -> None:
        self.stepper.require_finite_weights(self.position.step)
        with self.team.together():
            if self.team.is_first:
                self.saver.save_here(self.position)

    def _keep_state(self) -> None:
        self.stepper.require_finite_weights(self.position.step)
        with self.team.together():
            if self.team.is_first:
                self.saver.keep_state(self.position)

    def _draw_samples(self) -> None:
        with self.team.together():
            if self.team.is_first:
                self.draw_samples(self.position)

    def _enter(self, phase: str) -> None:
        self.emitter.emit(Phase.model_validate({"phase": phase}))


def _epochs_begun(position: Position) -> int:
    """Return the number of the epoch that a position is in or at the end of, from 1."""
    # `epoch` counts completed epochs, so an unfinished last one is counted as begun.
    return position.epoch + (position.batch > 0)
