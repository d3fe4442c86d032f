"""Which state a run goes on from, what else there is if it is damaged, and whether all is done."""

from __future__ import annotations

from pathlib import Path

from trainer_core.checkpoints.retention import SaveSchedule
from trainer_core.errors import StateError
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.state_manifest import is_sound, state_run, state_step
from trainer_core.texts import T, Text, text
from trainer_core.train.earlier.own_files import OwnFiles
from trainer_core.train.run_start import run_id_of


def finished_files(folder: RunFolder, schedule: SaveSchedule) -> OwnFiles | None:
    """Return what a run wrote whose every step is done and whose results are all there.

    Args:
        folder: Of the run.
        schedule: Where it ends by now, and what it saves there.

    Returns:
        None if there is anything left to do.
    """
    run_id = run_id_of(folder)
    if run_id is None:
        return None
    own = OwnFiles.of(folder, run_id, schedule.last_step)
    due = schedule.at_end(schedule.last_step, epoch=schedule.last_epoch)
    is_done = all(own.has(action.name, schedule.last_step) for action in due)
    return own if is_done else None


def newest_state(folder: RunFolder, *, may_begin_anew: bool) -> Path | None:
    """Return the state that ``--continue`` means: the newest, even if it is damaged.

    Raises:
        StateError: There is none, and the run may not begin anew.
    """
    path = folder.newest_damaged_state() or folder.newest_state()
    if path is None and not may_begin_anew:
        raise StateError(
            T("Errors", "{folder} holds no complete state of {name} to go on from."),
            T("Errors", "Add --overwrite to begin it anew, or choose another output name."),
            setting="output.output_name",
            folder=folder.output_dir,
            name=folder.name,
        )
    return path


def newest_sound_state(folder: RunFolder, *, damaged: Path) -> Path | None:
    """Return the newest state beside a damaged one whose every byte is as it was written."""
    run_id = run_id_of(folder)
    others = [path for path in folder.states() if path.name != damaged.name]
    of_run = (path for path in reversed(others) if state_run(path) == run_id)
    return next((path for path in of_run if is_sound(path)), None)


def ways_on(sound: Path | None) -> Text:
    """Return what to do about a damaged state, given the newest sound one beside it."""
    if sound is None:
        return text(T("Errors", "There is no sound state beside it: start the run anew."))
    template = T(
        "Errors",
        "The newest sound state is {state} (step {step}). To go on from there, set {param} to it.",
    )
    return text(template, state=sound, step=state_step(sound), param="resume")
