"""What is saved and removed when: after a step, after an epoch and at the end."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from trainer_core.checkpoints.naming import SavePoint

Kind = Literal["weights", "state"]


@dataclass(frozen=True, slots=True)
class Save:
    """Write a result; ``step`` and ``epoch`` are what it says of itself."""

    kind: Kind
    name: str
    step: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove an earlier result of this run."""

    kind: Kind
    name: str


Action = Save | Remove


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveSchedule:
    """The save settings of a run, under the names they have there, and where the run ends.

    Each method returns what is due, in order. Only names in ``own`` are ever removed: the files
    and folders that this run wrote itself.

    Source: the rules of vectors/README.md, save_policy.json; guide-facts 125 to 130.
    """

    output_name: str | None
    last_step: int
    last_epoch: int
    save_every_n_steps: int | None = None
    save_last_n_steps: int | None = None
    save_last_n_steps_state: int | None = None
    save_every_n_epochs: int | None = None
    save_last_n_epochs: int | None = None
    save_last_n_epochs_state: int | None = None
    save_state: bool = False
    save_state_on_train_end: bool = False

    def after_step(self, step: int, *, epoch: int, own: Collection[str]) -> list[Action]:
        """Return what is due after optimizer step ``step`` of epoch ``epoch``, both from 1.

        The last step writes nothing here: the final weights and state are the same. A step file
        names the number of epochs completed before its own.
        """
        interval = self.save_every_n_steps
        if not interval or step % interval:
            return []
        point = SavePoint("step", step)
        saves = [self._weights(point, step, epoch - 1), *self._state(point, step, epoch)]

        def expired(keep: int) -> SavePoint:
            return SavePoint("step", (step - keep - 1) // interval * interval)

        return [
            *(saves if step < self.last_step else ()),
            *self._removal("state", self._keep_step_states, expired, own),
            *self._removal("weights", self.save_last_n_steps, expired, own),
        ]

    def after_epoch(self, epoch: int, *, step: int, own: Collection[str]) -> list[Action]:
        """Return what is due after epoch ``epoch``, which ended with optimizer step ``step``."""
        interval = self.save_every_n_epochs
        if not interval or epoch % interval or epoch >= self.last_epoch:
            return []
        point = SavePoint("epoch", epoch)

        def expired(keep: int) -> SavePoint:
            return SavePoint("epoch", epoch - keep * interval)

        return [
            self._weights(point, step, epoch),
            *self._removal("weights", self.save_last_n_epochs, expired, own),
            *self._state(point, step, epoch),
            *self._removal("state", self._keep_epoch_states, expired, own),
        ]

    def at_end(self, step: int, *, epoch: int, is_stopped: bool = False) -> list[Action]:
        """Return what is due at the end: a state, if wanted or if stopped early, then weights."""
        point = SavePoint("end")
        wants_state = self.save_state or self.save_state_on_train_end or is_stopped
        state = Save("state", point.state_name(self.output_name), step, epoch)
        return [*((state,) if wants_state else ()), self._weights(point, step, epoch)]

    @property
    def _keep_step_states(self) -> int | None:
        limit = self.save_last_n_steps_state
        return limit if limit is not None else self.save_last_n_steps

    @property
    def _keep_epoch_states(self) -> int | None:
        limit = self.save_last_n_epochs_state
        return limit if limit is not None else self.save_last_n_epochs

    def _weights(self, point: SavePoint, step: int, epoch: int) -> Action:
        return Save("weights", point.weights_name(self.output_name), step, epoch)

    def _state(self, point: SavePoint, step: int, epoch: int) -> list[Action]:
        name = point.state_name(self.output_name)
        return [Save("state", name, step, epoch)] if self.save_state else []

    def _removal(
        self,
        kind: Kind,
        keep: int | None,
        expired: Callable[[int], SavePoint],
        own: Collection[str],
    ) -> list[Action]:
        """Return the removal of what a limit of ``keep`` leaves behind, if it is in ``own``."""
        if keep is None:
            return []
        point = expired(keep)
        state = kind == "state"
        name = (point.state_name if state else point.weights_name)(self.output_name)
        return [Remove(kind, name)] if name in own else []
