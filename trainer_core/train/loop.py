"""The training loop, as one would describe it: step, report, save, sample, obey."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from trainer_core.checkpoints.retention import SaveSchedule
from trainer_core.checkpoints.state import Position
from trainer_core.errors import NumericError, OutputError
from trainer_core.events.emitter import Emitter
from trainer_core.pipeline.loader import BatchLoader, Group
from trainer_core.protocol.messages import Phase, StepDone, Stop
from trainer_core.train.control import Control, StopRequested
from trainer_core.train.saving import Saver
from trainer_core.train.step import Stepper

_log = logging.getLogger(__name__)


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
    """One run, from a position to its end or until it is stopped."""

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

    def run(self) -> Stop | None:
        """Train; return the command that stopped the run, None if it came to its end.

        Whatever else ends the run, what was trained until then is saved first.

        Raises:
            NumericError: A loss or gradient was not finite.
            DatasetError: A picture could not be read.
            OutputError: A file could not be written.
            StopRequested: It was told to stop before its first step.
        """
        try:
            return self._train()
        except (OutputError, StopRequested):
            raise
        except Exception:  # whatever it is: it goes on its way once the weights are safe
            self._keep_good_weights()
            raise

    def _train(self) -> Stop | None:
        if self.position.step == 0 and self.sample_schedule.at_first:
            self.draw_samples(self.position)
        self.control.stop_if_asked()
        while self.position.step < self.total_steps:
            self._enter("training")
            epoch, batch = self.position.epoch, self.position.batch
            step = self.position.step + 1
            for group in self.loader.groups(epoch, skip_batches=batch, first_step=step):
                self._step(group)
                if self.position.step == self.total_steps:
                    break
                if (stop := self._obey()) is not None:
                    return stop
        # `epoch` counts completed epochs, so an unfinished last one is counted as begun.
        epochs = self.position.epoch + (self.position.batch > 0)
        self.saver.carry_out(
            self.save_schedule.at_end(self.position.step, epoch=epochs), self.position
        )
        return None

    def _step(self, group: Group) -> None:
        """Do one optimizer step, and whatever is due after it."""
        started = time.perf_counter()
        step, epoch = self.position.step + 1, self.position.epoch + 1
        result = self.stepper.step(group.batches, step)
        self.position = self._next(len(group.batches))
        seconds = time.perf_counter() - started + group.waited_s
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
            )
        )
        ends_epoch = self.position.batch == 0
        due = self.save_schedule.after_step(step, epoch=epoch, own=self.saver.own.steps)
        if ends_epoch:
            due += self.save_schedule.after_epoch(epoch, step=step, own=self.saver.own.steps)
        self.saver.carry_out(due, self.position)
        draws = self.sample_schedule.is_due_after_step(step) or (
            ends_epoch and self.sample_schedule.is_due_after_epoch(epoch)
        )
        if draws:
            self.draw_samples(self.position)
        if due or draws:
            self._enter("training")

    def _next(self, batches: int) -> Position:
        step, batch = self.position.step + 1, self.position.batch + batches
        if batch >= self.batches_per_epoch:
            return Position(step, self.position.epoch + 1, 0)
        return Position(step, self.position.epoch, batch)

    def _keep_good_weights(self) -> None:
        """Save what was trained before the failure, unless that is unsound or cannot be written."""
        if self.position.step == 0 or self.stepper.is_updating:
            return
        try:
            self.saver.save_here(self.position)
        except (NumericError, OutputError) as error:
            _log.warning("nothing could be saved: %s", error)
        except Exception:  # noqa: BLE001 - a device that broke down; the failure before it is told
            _log.exception("nothing could be saved")

    def _obey(self) -> Stop | None:
        """Do what was asked meanwhile, and hold while paused; return a command to stop."""
        self.control.look()
        self._save_and_sample("training")
        if self.control.is_paused:
            self._enter("paused")
            while self.control.is_paused:
                self.control.wait()
                self._save_and_sample("paused")
            self._enter("training")
        stop = self.control.stop_asked()
        if stop is not None and stop.save:
            self.saver.save_here(self.position)
        return stop

    def _save_and_sample(self, phase: str) -> None:
        """Save and draw if that was asked for, then go back to ``phase``."""
        wants_save, wants_samples = self.control.take_save(), self.control.take_sample()
        if wants_save:
            self.saver.save_here(self.position)
        if wants_samples:
            self.draw_samples(self.position)
        if wants_save or wants_samples:
            self._enter(phase)

    def _enter(self, phase: str) -> None:
        self.emitter.emit(Phase.model_validate({"phase": phase}))
