"""What a state holds of a run, and putting it back into the run's parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer

from trainer_core.checkpoints.state import (
    Position,
    SavedState,
    StateFacts,
    damaged,
    restore_generators,
    restore_optimizer,
    restoring,
)
from trainer_core.errors import SettingsError, about
from trainer_core.events.emitter import Emitter
from trainer_core.methods.base import Method
from trainer_core.optim.modes import Evaluation, evaluation
from trainer_core.optim.schedule import Schedule
from trainer_core.settings.optimizer import OptimizerSettings
from trainer_core.settings.schema import TRAIN, TrainSettings
from trainer_core.texts import T, text
from trainer_core.train.run_start import RunStart, changed_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumable:
    """The parts of a run whose state is saved.

    ``pictures`` is the dataset's fingerprint, ``base`` gives the base model's hash.
    """

    start: RunStart
    settings: TrainSettings
    method: Method
    optimizer: Optimizer
    schedule: Schedule
    scaler: Any
    pictures: str
    base: Callable[[], str] = lambda: ""

    @property
    def evaluation(self) -> Evaluation:
        """The context in which the trained weights are those to be drawn with and given away."""
        return evaluation(self.settings.optimizer.optimizer_type, self.optimizer)

    def facts(self, position: Position) -> StateFacts:
        """Return what a state of this run says of itself."""
        return StateFacts(
            run_id=self.start.run_id,
            name=self.start.folder.name,
            seed=self.start.seed,
            position=position,
            pictures=self.pictures,
            settings=TRAIN.as_raw(self.settings),
            base=self.base(),
        )

    def progress(self) -> Mapping[str, Any]:
        """Return the plain data that a state keeps beside tensors."""
        return {
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict() if self.scaler is not None else None,
        }

    def restore(
        self, state: SavedState, *, total_steps: int, batches_per_epoch: int, emitter: Emitter
    ) -> Position:
        """Put ``state`` back into all parts and return where the run goes on.

        Args:
            state: As it was read.
            total_steps: Where the run ends.
            batches_per_epoch: Of this run.
            emitter: Told what differs from the state.

        Raises:
            SettingsError: The run ends before it.
            StateError: It is of another optimizer, or damaged.
            ModelFileError: It is of another network.
        """
        refuse_position(
            state,
            self.settings.optimizer,
            total_steps=total_steps,
            batches_per_epoch=batches_per_epoch,
            pictures=self.pictures,
        )
        restore_weights(state, self.method, self.optimizer)
        with about(setting="output.resume"), restoring(state):
            self.schedule.load_state_dict(dict(state.progress["schedule"]))
            scaler = state.progress["scaler"]
            if self.scaler is not None and scaler:
                self.scaler.load_state_dict(scaler)
            restore_generators(state)
        changed = changed_settings(state.facts.settings, TRAIN.as_raw(self.settings))
        if changed:
            message = T("Events", "These settings differ from those of the state: {names}.")
            emitter.warn(text(message, names=", ".join(changed)))
        if state.facts.base and self.base() not in ("", state.facts.base):
            message = T(
                "Events",
                "The base model is not the one that the state was trained on: what was learned "
                "may not fit it.",
            )
            emitter.warn(text(message))
        position = state.facts.position
        if self.pictures == state.facts.pictures:
            return position
        message = T(
            "Events",
            "Pictures, captions or batches have changed since the state was saved; the epoch that "
            "it was in begins anew.",
        )
        emitter.warn(text(message))
        return Position(position.step, position.epoch, 0)


def restore_weights(state: SavedState, method: Method, optimizer: Optimizer) -> None:
    """Put back the trained weights, and what the optimizer keeps of them; on any device.

    Raises:
        StateError: It is of another optimizer, or damaged.
        ModelFileError: It is of another network.
    """
    with about(setting="output.resume"), restoring(state):
        method.load_state(state.trained, state.facts.name)
        restore_optimizer(optimizer, state)


def refuse_earlier_end(state: SavedState, training: OptimizerSettings, *, total_steps: int) -> None:
    """Refuse a state that lies behind the end of the run.

    Raises:
        SettingsError: It does; it names the setting of the run's length.
    """
    if state.facts.position.step > total_steps:
        raise SettingsError(
            T("Errors", "The state is at step {step}, but the run ends at step {total}."),
            T("Errors", "Raise the number of epochs or steps to train on."),
            setting=_length_setting(training),
            step=state.facts.position.step,
            total=total_steps,
        )


def refuse_position(
    state: SavedState,
    training: OptimizerSettings,
    *,
    total_steps: int,
    batches_per_epoch: int,
    pictures: str,
) -> None:
    """Refuse a state at a place to which this run never comes.

    Args:
        state: As it was read.
        training: How the length of the run was asked for.
        total_steps: Where the run ends.
        batches_per_epoch: Of the run.
        pictures: The fingerprint of its pictures.

    Raises:
        SettingsError: The run ends before it.
        StateError: Its epoch has no such batch: nothing would be trained, for ever.
    """
    refuse_earlier_end(state, training, total_steps=total_steps)
    position = state.facts.position
    if pictures == state.facts.pictures and position.batch >= batches_per_epoch:
        raise damaged(state.folder, "batch")


def _length_setting(training: OptimizerSettings) -> str:
    """Return the setting that decides how long the run is."""
    if training.max_train_epochs is not None:
        return "optimizer.max_train_epochs"
    return "optimizer.epoch" if training.max_train_steps is None else "optimizer.max_train_steps"
