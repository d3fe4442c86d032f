"""Writing and removing a run's weights and states, each told as an event."""

from __future__ import annotations

import contextlib
import itertools
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch.optim import Optimizer

from trainer_core.checkpoints.dataset_metadata import DATASETS, datasets_entry
from trainer_core.checkpoints.metadata import ModelFacts, RunFacts, build_metadata, plan_facts
from trainer_core.checkpoints.naming import SavePoint, is_kept_state
from trainer_core.checkpoints.retention import Action, Remove, Save
from trainer_core.checkpoints.state import Position, StateFacts, write_state
from trainer_core.errors import DiskFull, NumericError, OutputError, about
from trainer_core.events.emitter import Emitter
from trainer_core.families.base import Family
from trainer_core.files.links import is_taken
from trainer_core.files.presence import is_folder
from trainer_core.files.run_folder import STATE_SUFFIX, RunFolder
from trainer_core.files.writing import discard
from trainer_core.methods.base import Method
from trainer_core.model_files.base_hash import BaseHash
from trainer_core.optim.build import display_name
from trainer_core.optim.modes import Evaluation
from trainer_core.protocol.messages import CheckpointRemoved, Phase
from trainer_core.settings.arguments import parse_arguments
from trainer_core.texts import T, text
from trainer_core.train.earlier.own_files import OwnFiles, saved_event
from trainer_core.train.full_disk.sizes import bytes_of_state, bytes_of_weights
from trainer_core.train.full_disk.waiting import WithRoom, at_once
from trainer_core.train.inputs import RunInputs
from trainer_core.train.resuming import Resumable
from trainer_core.train.run_start import RunStart

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saver:
    """Carries out what `SaveSchedule` says is due.

    ``places`` yields where else to save what the output folder cannot take; ``is_elsewhere``
    tells that this is such a place, where the run has no folder. ``with_room`` waits where the
    output folder's disk is full.
    """

    emitter: Emitter
    folder: RunFolder
    own: OwnFiles
    method: Method
    optimizer: Optimizer
    facts: RunFacts
    precision: str
    state_facts: Callable[[Position], StateFacts]
    progress: Callable[[], Mapping[str, Any]]
    evaluation: Evaluation = contextlib.nullcontext
    places: Callable[[], Iterable[Path]] = tuple
    is_elsewhere: bool = False
    with_room: WithRoom = at_once

    def carry_out(self, actions: Iterable[Action], position: Position) -> None:
        """Write and remove, in order.

        What cannot be written does not keep weights, which are smaller than a state, from being
        tried; nothing is removed then.

        Raises:
            OutputError: A file cannot be written.
            NumericError: A weight does not fit into the save precision.
        """
        failure: OutputError | None = None
        for action in actions:
            if failure is not None and not (isinstance(action, Save) and action.kind == "weights"):
                continue
            try:
                self._carry_out(action, position)
            except OutputError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def save_here(self, position: Position) -> None:
        """Save a state and weights that bear the step's number, unless they are there already.

        The state comes first: it is in full precision, so it succeeds where the weights may not.
        """
        self.carry_out([*self._missing(self._due(position), position), *self.outdated()], position)

    def save_state(self, position: Position) -> None:
        """Save a state alone that bears the step's number; earlier ones stay.

        It is there already where a save at this step was due.
        """
        self.carry_out(self._missing(self._due(position)[:1], position), position)

    def save_weights(self, position: Position) -> None:
        """Save weights alone that bear the step's number, unless they are there already."""
        self.carry_out(self._missing(self._due(position)[1:], position), position)

    def _due(self, position: Position) -> tuple[Save, Save]:
        name, point = self.folder.name, SavePoint("step", position.step)
        return (
            Save("state", point.state_name(name), position.step, position.epoch),
            Save("weights", point.weights_name(name), position.step, position.epoch),
        )

    def _missing(self, due: Iterable[Save], position: Position) -> list[Save]:
        return [save for save in due if self.own.steps.get(save.name) != position.step]

    def keep_state(self, position: Position) -> None:
        """Save a state that takes the place of the last one that was kept so.

        A disk that is full is no reason to end a run that only wanted to be on the safe side,
        unless somebody was asked and decided so.

        Raises:
            NumericError: What was trained is not finite.
            DiskFull: The run is to end.
        """
        steps = self.own.steps.items()
        if any(name.endswith(STATE_SUFFIX) and step == position.step for name, step in steps):
            return
        state = SavePoint("kept", position.step).state_name(self.folder.name)
        outdated = self.outdated()
        try:
            self.carry_out([Save("state", state, position.step, position.epoch)], position)
        except OutputError as error:
            if isinstance(error, DiskFull) and error.is_decided:
                raise
            self.emitter.warn(error.message, error.hint)
        else:
            self.carry_out(outdated, position)

    def outdated(self) -> list[Remove]:
        """Return the removal of states that were kept only until a later save."""
        kept = (name for name in self.own.steps if is_kept_state(self.folder.name, name))
        return [Remove("state", name) for name in kept]

    def save_elsewhere(self, position: Position, wanted: Path | None = None) -> Path | None:
        """Save a state and weights where there is room, unless there is such a state already.

        Args:
            position: Where the run is.
            wanted: A folder to try first.

        Returns:
            The new folder that holds them, or weights alone if nothing takes the state; None if
            nothing was saved.
        """
        if self._has_state_of(position):
            return None
        state = SavePoint("step", position.step).state_name(self.folder.name)
        with contextlib.suppress(OutputError):  # an event file that fails does so once
            self.emitter.emit(Phase(phase="saving"))
        kept: list[Path] = []
        for place in itertools.chain(() if wanted is None else (wanted,), self.places()):
            folder = place / f"{self.folder.name}.kept-{secrets.token_hex(4)}"
            there = replace(
                self,
                folder=RunFolder(folder, self.folder.name),
                own=OwnFiles(),
                is_elsewhere=True,
                with_room=at_once,
            )
            try:
                there.save_here(position)
            except (OutputError, NumericError) as error:
                _log.warning("%s", error.sentences)
            if state in there.own.steps:
                for partly in kept:
                    discard(partly)
                return folder
            if there.own.steps:
                kept.append(folder)
            elif folder.is_dir():
                discard(folder)
        return kept[0] if kept else None

    def _has_state_of(self, position: Position) -> bool:
        of_now = (name for name, step in self.own.steps.items() if step == position.step)
        states = (name for name in of_now if name.endswith(STATE_SUFFIX))
        return any(is_folder(self.folder.output_dir / name) for name in states)

    def missing(self, due: Iterable[Action]) -> list[Action]:
        """Return what of it is still to do for a run that goes on from the step it was due at.

        What the run ended with stands for results of the same step: they get their name from it.
        """
        end, name = SavePoint("end"), self.folder.name
        ends = {"weights": end.weights_name(name), "state": end.state_name(name)}
        return [
            action
            for action in due
            if isinstance(action, Remove)
            or not any(self.own.has(name, action.step) for name in (action.name, ends[action.kind]))
        ]

    def tell_untold(self) -> None:
        """Tell of what the run wrote up to its state without living to say so."""
        self.own.tell_untold(self.folder.output_dir, self.emitter.emit)

    def _carry_out(self, action: Action, position: Position) -> None:
        if isinstance(action, Save):
            self._save(action, position)
        else:
            self._remove(action)

    def _remove(self, action: Remove) -> None:
        """Remove an older result; one that another program holds is no reason to end the run."""
        path = self.folder.output_dir / action.name
        try:
            discard(path)
        except OutputError as error:
            self.emitter.warn(error.message, error.hint)
        else:
            self.own.steps.pop(action.name, None)
            self.emitter.emit(CheckpointRemoved(kind=action.kind, path=str(path)))

    def _save(self, action: Save, position: Position) -> None:
        def num_bytes() -> int:
            if action.kind == "weights":
                return bytes_of_weights(self.method, self.precision)
            return bytes_of_state(self.method, self.optimizer)

        with about(setting="output.output_dir"):
            self.with_room(
                lambda: self._write(action, position), phase="saving", num_bytes=num_bytes
            )

    def _write(self, action: Save, position: Position) -> None:
        self.emitter.emit(Phase(phase="saving"))
        if not self.is_elsewhere:
            self.folder.require()
        path = self._free_path(action)
        replace = self.own.may_replace(path.name)
        if action.kind == "weights":
            metadata = build_metadata(
                self.facts, step=action.step, epoch=action.epoch, saved_at=time.time()
            )
            with self.evaluation():
                self.method.write(
                    path, precision=self.precision, metadata=metadata, replace=replace
                )
        else:
            write_state(
                path,
                self.state_facts(position),
                trained=self.method.state(),
                optimizer=self.optimizer,
                progress=self.progress(),
                replace=replace,
            )
        self.own.steps[path.name] = action.step
        self.emitter.emit(saved_event(path, action.step, action.epoch))

    def _free_path(self, action: Save) -> Path:
        """Return where to write: under the name, or beside what has it and must not be replaced.

        A run that goes on past its end keeps the results it ended with under their step's name.
        """
        path = self.folder.output_dir / action.name
        if not is_taken(path) or self.own.may_replace(action.name):
            return path
        if self._renamed_by_step(action, path):
            return path
        other = _beside(path)
        message = T("Events", "{path} is not of this run and stays; its own is {other}.")
        self.emitter.warn(text(message, path=path, other=other))
        return other

    def _renamed_by_step(self, action: Save, path: Path) -> bool:
        """Give this run's earlier result at ``path`` the name of its step; False if none is."""
        earlier = self.own.steps.get(action.name)
        if earlier is None:
            return False
        point, name = SavePoint("step", earlier), self.folder.name
        by_step = point.state_name(name) if action.kind == "state" else point.weights_name(name)
        target = self.folder.output_dir / by_step
        if is_taken(target):
            return False
        with contextlib.suppress(OSError):  # another program may hold it
            path.rename(target)
            self.own.renamed(action.name, target)
            self.tell_untold()
        return not is_taken(path)


def _beside(path: Path) -> Path:
    """Return a name like that of ``path`` that nothing has."""
    names = (path.with_name(f"{path.stem}.{number}{path.suffix}") for number in itertools.count(2))
    return next(name for name in names if not is_taken(name))


def _plan_facts(inputs: RunInputs, processes: int) -> dict[str, object]:
    held_out = 0 if inputs.held_out is None else inputs.held_out.pictures
    facts = plan_facts(inputs.plan, inputs.index, inputs.captions, held_out)
    if inputs.settings.dataset.subsets:
        facts[DATASETS] = datasets_entry(
            inputs.plan,
            inputs.index,
            inputs.captions,
            inputs.subsets,
            batch_size=inputs.settings.dataset.train_batch_size,
            processes=processes,
        )
    return facts


def run_facts(
    inputs: RunInputs,
    start: RunStart,
    family: Family,
    resumable: Resumable,
    *,
    precision: str,
    processes: int,
) -> RunFacts:
    """Return what every weight file says of the run."""
    settings, identity = inputs.settings, family.identity()
    arguments = parse_arguments(settings.optimizer.optimizer_args)
    prediction, vae = family.noise_schedule.prediction_type, family.vae_identity()
    vae_file = settings.model.vae if vae is not None and vae.legacy_hash else None
    names = family.entry.names_for(prediction)
    return RunFacts(
        settings=settings,
        model=ModelFacts(
            names=names,
            implementation=names.implementation,
            is_v2=family.entry.is_v2,
            parts=[part.name for part in family.entry.parts],
            prediction_type=prediction,
            zero_terminal_snr=family.noise_schedule.has_zero_terminal_snr,
            name=identity.name,
            short_hash=identity.legacy_hash,
            sha256=resumable.base if identity.legacy_hash else str,
            vae_name=None if vae is None else vae.name,
            vae_short_hash=None if vae is None else vae.legacy_hash,
            vae_sha256=str if vae_file is None else BaseHash([vae_file]),
        ),
        network=resumable.method.facts(),
        plan=_plan_facts(inputs, processes),
        optimizer=display_name(resumable.optimizer, arguments),
        precision=precision,
        seed=start.seed,
        run_id=start.run_id,
        started_at=time.time(),
        processes=processes,
        subsets=inputs.subsets,
    )
