"""A failed run in words: what happened, why, what to do, and which setting or picture it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from desktop_app.models.runs.pace import duration_words
from desktop_app.models.runs.run_record import RunRecord
from desktop_app.process.outcome import Ending, Outcome
from desktop_app.translation import shown, shown_error
from desktop_app.words.endings import way_on_words
from trainer_core.files.state_manifest import state_step
from trainer_core.protocol.messages import Failed
from trainer_core.settings.document import UNSET
from trainer_core.texts import T

_HEADLINES: Mapping[str, str] = {
    "trainer": T("App", "The run failed"),
    "settings": T("App", "The settings cannot be used"),
    "dataset": T("App", "A picture or caption cannot be used"),
    "model_file": T("App", "A model file cannot be used"),
    "state": T("App", "The saved state cannot be used"),
    "output": T("App", "A file cannot be written"),
    "disk_full": T("App", "The disk is full"),
    "out_of_memory": T("App", "The memory is full"),
    "numeric": T("App", "The loss or the weights became too large"),
    "team": T("App", "Another process of the run has ended"),
    "protocol": T("App", "App and trainer do not understand each other"),
    "internal": T("App", "An unexpected error"),
}
_ENDINGS: Mapping[Ending, str] = {
    Ending.CRASHED: T("App", "The trainer ended unexpectedly"),
    Ending.NOT_STARTED: T("App", "The trainer could not be started"),
    Ending.OUT_OF_SIGHT: T("App", "The run can no longer be followed"),
}
# What to do where the trainer has no advice of its own.
_ADVICE: Mapping[str, str] = {
    "settings": T("App", "Correct the setting and start again."),
    "dataset": T("App", "Replace or remove the file and start again."),
    "model_file": T("App", "Choose another file and start again."),
    "state": T("App", "Start the run anew under another name."),
    "output": T("App", "Make room or choose another output folder, then start again."),
    "disk_full": T("App", "Make room or choose another output folder, then start again."),
    "out_of_memory": T("App", "Lower the batch size or the resolution."),
    "numeric": T("App", "Lower the learning rate."),
    "team": T("App", "Look at what that process said, then go on from the newest state."),
    "protocol": T("App", "Install the same version of the app and of the trainer."),
}
_OTHERWISE = T("App", "The log says more. Copy the report if you want to ask somebody.")
# Where a failure of a kind is set right if it names nothing.
_PLACES: Mapping[str, str] = {
    "dataset": "dataset.train_data_dir",
    "model_file": "model.pretrained_model_name_or_path",
    "state": "output.resume",
    "output": "output.output_dir",
    "disk_full": "output.output_dir",
    "out_of_memory": "dataset.train_batch_size",
    "numeric": "optimizer.learning_rate",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Everything there is to say.

    Attributes:
        headline: What happened, in a few words.
        when: How far the run was.
        reason: Why.
        advice: What to do.
        saved: What is left of the training.
        setting: Path of the setting to look at, "" if there is none.
        picture: The picture to look at, None if there is none.
    """

    headline: str
    when: str
    reason: str
    advice: str
    saved: str
    setting: str = ""
    picture: Path | None = None


def failure_of(
    outcome: Outcome, record: RunRecord, state: Path | None, *, is_own: bool = True
) -> Failure:
    """Put a run that ended badly into words.

    Args:
        outcome: How it ended.
        record: What is known of the run.
        state: What it can go on from.
        is_own: Whether the document holds the settings of the run.
    """
    failed = record.failed if outcome.ending is Ending.FAILED else None
    kind = "" if failed is None else failed.kind
    headline = _HEADLINES.get(kind) or _ENDINGS.get(outcome.ending, _HEADLINES["trainer"])
    hint = "" if outcome.hint is None else shown_error(outcome.hint)
    ways = [words for words in (hint, way_on_words(outcome, is_own=is_own)) if words]
    return Failure(
        headline=shown(headline),
        when=_moment(outcome, record),
        reason=shown_error(outcome.sentence),
        advice=" ".join(ways) or shown(_ADVICE.get(kind, _OTHERWISE)),
        saved=_saved(state, record),
        setting="" if failed is None or not is_own else _acting(setting_of(failed), record),
        picture=Path(failed.picture) if failed is not None and failed.picture else None,
    )


def setting_of(failed: Failed) -> str:
    """Return the path of the setting that a failure is about, "" if none can be told.

    Where the trainer names none, it is the one that failures of the kind are set right at.
    """
    return failed.setting or _PLACES.get(failed.kind, "")


def _acting(path: str, record: RunRecord) -> str:
    """Return the rate that acts in place of the common one, where a part has its own."""
    own_rate = record.used.records.asked.get("optimizer.unet_lr", UNSET)
    is_idle = path == "optimizer.learning_rate" and own_rate != UNSET
    return "optimizer.unet_lr" if is_idle else path


def _moment(outcome: Outcome, record: RunRecord) -> str:
    step = outcome.step if outcome.step is not None else _last_step(record)
    if not step:
        return shown(T("App", "Before the first step; nothing was trained."))
    template = T("App", "After step {step}, {time} after the start.")
    if record.total_steps:
        template = T("App", "After step {step} of {total}, {time} after the start.")
    time = duration_words(record.seconds)
    return shown(template, step=step, total=record.total_steps, time=time)


def _last_step(record: RunRecord) -> int | None:
    return record.from_step if record.latest is None else record.latest.step


def _saved(state: Path | None, record: RunRecord) -> str:
    return " ".join(_saved_sentences(state, record))


def _saved_sentences(state: Path | None, record: RunRecord) -> Iterator[str]:
    weights = record.files.weights
    if state is not None:
        template = T("App", "A state of step {step} is saved: {name}.")
        yield shown(template, step=state_step(state), name=state.name)
    if weights:
        template = T("App", "The newest weights are {name}.")
        yield shown(template, name=weights[0].path.name)
    elif state is None and _last_step(record):
        yield shown(T("App", "Nothing of this run was saved."))
