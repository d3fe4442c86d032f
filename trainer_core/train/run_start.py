"""Where a run begins: its folder, its identity, and what it may replace."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainer_core.checkpoints.naming import is_result_name
from trainer_core.errors import OutputError, StateError, about
from trainer_core.files.replaced_run import ReplacedRun, is_replaced_name
from trainer_core.files.run_folder import RunFolder, is_sample_name
from trainer_core.files.writing import discard, output_error, publish_bytes, remove_leftovers
from trainer_core.settings import files
from trainer_core.settings.document import Raw, replaced
from trainer_core.settings.schema import TRAIN
from trainer_core.texts import T
from trainer_core.train.earlier.own_files import OwnFiles

if TYPE_CHECKING:  # it brings torch along
    from trainer_core.checkpoints.state import SavedState


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


def remove_leftovers_of(folder: RunFolder) -> None:
    """Clear away what a killed process left; the run's lock must be held.

    A state that was about to be replaced comes back: look for states after this.

    Raises:
        OutputError: It cannot be removed.
    """
    name = folder.name
    remove_leftovers(
        folder.output_dir,
        lambda final: is_result_name(name, final) or is_replaced_name(name, final),
    )
    records = {folder.run_file.name, folder.effective_file.name, folder.log_file.name}
    remove_leftovers(folder.path, records.__contains__)
    if folder.samples.is_dir():
        remove_leftovers(folder.samples, is_sample_name)


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
            own=OwnFiles.of(folder, state.facts.run_id, position.step),
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
    found = run_id_of(folder)
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


def run_id_of(folder: RunFolder) -> str | None:
    """Return the id of the run whose record is in ``folder``, None if there is none."""
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
