"""Where a run begins: its folder, its identity, and what it may replace."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer_core.checkpoints.naming import WEIGHTS_SUFFIX, is_result_name
from trainer_core.errors import OutputError, ProtocolError, StateError, about
from trainer_core.files.reading import open_regular
from trainer_core.files.replaced_run import ReplacedRun, is_replaced_name
from trainer_core.files.run_folder import RunFolder, is_sample_name
from trainer_core.files.writing import discard, output_error, publish_bytes, remove_leftovers
from trainer_core.protocol.codec import decode_event
from trainer_core.protocol.messages import CheckpointRemoved, CheckpointSaved, Event
from trainer_core.settings import files
from trainer_core.settings.document import Raw, replaced
from trainer_core.settings.schema import TRAIN
from trainer_core.texts import T

if TYPE_CHECKING:  # it brings torch along
    from trainer_core.checkpoints.state import SavedState


@dataclass(slots=True)
class OwnFiles:
    """The weights and states that this run wrote, by name, with the step they were written at."""

    steps: dict[str, int] = field(default_factory=dict)
    from_step: int = 0

    def may_replace(self, name: str) -> bool:
        """True for a file that this run wrote after the step that it was resumed from."""
        return self.steps.get(name, -1) > self.from_step

    def newest_weights(self, *, until: int) -> str | None:
        """Return the weights written last up to a step.

        A run that went on from an earlier state may still have files from beyond its end.
        """
        written = {name: step for name, step in self.steps.items() if step <= until}
        weights = [name for name in written if name.endswith(WEIGHTS_SUFFIX)]
        return max(weights, key=written.__getitem__, default=None)

    @classmethod
    def of(cls, event_file: Path, from_step: int) -> OwnFiles:
        """Read from a run's own events what it wrote and has not removed since."""
        own = cls(from_step=from_step)
        for event in _saves(event_file):
            name = Path(event.path).name
            if isinstance(event, CheckpointSaved):
                own.steps[name] = event.step
            else:
                own.steps.pop(name, None)
        return own


def _saves(event_file: Path) -> Iterable[CheckpointSaved | CheckpointRemoved]:
    if not event_file.is_file():
        return
    with open_regular(event_file) as lines:
        for line in lines:
            event = _event_on(line) if b'"checkpoint_' in line else None
            if isinstance(event, CheckpointSaved | CheckpointRemoved):
                yield event


def _event_on(line: bytes) -> Event | None:
    """Return the event on a line; None where a full disk cut it short."""
    try:
        return decode_event(line)
    except ProtocolError:
        return None


@dataclass(slots=True)
class RunStart:
    """The decided start of a run: a new one, one that replaces, or one that goes on."""

    folder: RunFolder
    run_id: str
    seed: int
    state: SavedState | None
    replaces: bool
    own: OwnFiles

    def make_folders(self) -> None:
        """Make the run folder.

        Raises:
            OutputError: The output folder cannot be written to, or something in the run folder is
                a link.
        """
        self.folder.refuse_links()
        try:
            self.folder.samples.mkdir(parents=True, exist_ok=True)
            self.folder.control.mkdir(exist_ok=True)
        except OSError as error:
            with about(setting="output.output_dir"):
                raise output_error(error, self.folder.path) from error

    def remove_leftovers(self) -> None:
        """Clear away what a killed process left; the run's lock must be held.

        Raises:
            OutputError: It cannot be removed.
        """
        name, folder = self.folder.name, self.folder
        remove_leftovers(
            folder.output_dir,
            lambda final: is_result_name(name, final) or is_replaced_name(name, final),
        )
        records = {folder.run_file.name, folder.effective_file.name, folder.log_file.name}
        remove_leftovers(folder.path, records.__contains__)
        remove_leftovers(folder.samples, is_sample_name)

    def record(self, raw: Mapping[str, Any]) -> None:
        """Write what was asked, with the run's id and seed, into the run folder."""
        run = {"id": self.run_id, "seed": self.seed}
        content = files.dumps(files.RunFile(dict(raw), run=run))
        publish_bytes(self.folder.run_file, content.encode(), replace=True)

    def clear(self) -> None:
        """Make room: what an earlier run of the name left is set aside, records alone are removed.

        Raises:
            OutputError: Something cannot be moved or removed; nothing was moved then.
        """
        if self.replaces:
            ReplacedRun(self.folder).set_aside()
            return
        for path in self.folder.records():
            discard(path)


def decide_start(
    folder: RunFolder, *, seed: int | None, state: SavedState | None, overwrite: bool
) -> RunStart:
    """Decide how a run starts in ``folder``.

    Raises:
        OutputError: The name is taken and nobody said that it may be replaced.
        StateError: The state belongs to another run.
    """
    if state is not None:
        refuse_other_run(folder, run_id=state.facts.run_id, name=state.facts.name)
        position = state.facts.position
        return RunStart(
            folder,
            state.facts.run_id,
            state.facts.seed,
            state,
            replaces=False,
            own=OwnFiles.of(folder.event_file, position.step),
        )
    if folder.exists() and not overwrite:
        raise OutputError(
            T("Errors", "{folder} already holds a run or weights named {name}."),
            T(
                "Errors",
                "Choose another output name, go on with it (--continue), or replace it "
                "(--overwrite).",
            ),
            setting="output.output_name",
            folder=folder.output_dir,
            name=folder.name,
        )
    drawn = secrets.randbelow(2**32) if seed is None else seed
    return RunStart(
        folder, secrets.token_hex(8), drawn, None, replaces=folder.exists(), own=OwnFiles()
    )


def refuse_other_run(folder: RunFolder, *, run_id: str, name: str) -> None:
    """Refuse a state of another run than the one in the folder.

    A state has everything that is needed to go on: it may be all that was rescued of its run, and
    it may go on in a new place.

    Args:
        folder: Where it is to go on.
        run_id: Of the state's run.
        name: Likewise.

    Raises:
        StateError: What is there is of another run, or of nobody knows which.
    """
    found = _run_id(folder)
    if found == run_id or not folder.exists() or (found is None and name == folder.name):
        return
    message = (
        T("Errors", "The state belongs to another run than the one in {folder}.")
        if found is not None
        else T("Errors", "The state belongs to the run {name}, and {folder} holds something else.")
    )
    raise StateError(
        message,
        T(
            "Errors",
            "Use the output folder and name of its own run ({name}), or ones that are free; to "
            "start a new run from its weights, set {param} instead.",
        ),
        setting="output.resume",
        param="network_weights",
        folder=folder.path,
        name=name,
    )


def _run_id(folder: RunFolder) -> str | None:
    if not folder.run_file.is_file():
        return None
    found = files.load(folder.run_file).run.get("id")
    return found if isinstance(found, str) else None


def changed_settings(before: Mapping[str, Any], now: Raw) -> list[str]:
    """Return the names of settings that differ between a state and the run that goes on.

    What a state of an earlier version does not know had the value that is the default now.
    """
    given_at_every_start = {"output.resume", "output.output_dir", "output.logging_dir"}
    whole = TRAIN.completed({**{section: {} for section in now}, **before})
    old, new = (replaced(tree, dict.fromkeys(given_at_every_start)) for tree in (whole, now))
    return [
        name
        for section, values in new.items()
        for name, value in values.items()
        if json.dumps(old.get(section, {}).get(name)) != json.dumps(value)
    ]
