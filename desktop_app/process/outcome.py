"""How a run ended, as plain data with the sentence to show."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from trainer_core.errors import StateError
from trainer_core.files.state_manifest import state_step
from trainer_core.protocol.messages import Failed, Finished
from trainer_core.protocol.words import end_sentence, waiting_sentences
from trainer_core.texts import T, Text, text

TRAINER_PAGE = "trainer"  # the page of the preferences that mends the trainer's Python

SIGKILL = 9  # signal.SIGKILL does not exist on Windows

_LESS_MEMORY = T(
    "App", "That happens when memory runs out. A smaller batch or resolution needs less."
)


class Ending(StrEnum):
    """The ways in which a run can end."""

    COMPLETED = "completed"
    STOPPED = "stopped"  # as it was told
    FAILED = "failed"  # the trainer said why
    CRASHED = "crashed"  # it ended without a word
    NOT_STARTED = "not_started"
    OUT_OF_SIGHT = "out_of_sight"  # nobody can tell: its records are gone


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """What the operating system says about an ended process."""

    exit_code: int | None  # None: nobody was told, as of a process that is no child
    has_crashed: bool = False  # ended by a signal or an exception of the processor
    refusal: Text | None = None  # why the app did not let it go on, or could not start it
    refusal_hint: Text | None = None
    was_killed: bool = False  # by the app, because it did not stop
    preferences_page: str = ""  # where in the preferences a refusal can be mended
    gone_folder: Path | None = None  # where the records of the run were


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run: what happened, the way out, and where the result and the log are.

    Attributes:
        found_damage: The run did not start from the newest state, which is damaged; `state` is
            sound.
        way_on: How to go on from `state`, for whoever has the settings of this run before them.
        remarks: What else there is to say of it.
        preferences_page: The page of the preferences that mends it, "" if none does.
    """

    ending: Ending
    sentence: Text
    hint: Text | None = None
    log_file: Path | None = None
    weights: Path | None = None
    state: Path | None = None
    step: int | None = None
    preferences_page: str = ""
    way_on: Text | None = None
    found_damage: bool = False
    remarks: tuple[Text, ...] = ()

    @property
    def ok(self) -> bool:
        """True if the run ended as planned or as it was told."""
        return self.ending in (Ending.COMPLETED, Ending.STOPPED)

    @property
    def stopped(self) -> bool:
        """True if it ended because it was told to."""
        return self.ending is Ending.STOPPED

    @property
    def crashed(self) -> bool:
        """True if it ended without saying why."""
        return self.ending is Ending.CRASHED


def outcome_of(
    end: ProcessEnd,
    last_word: Finished | Failed | None,
    log_file: Path | None = None,
    *,
    state: Path | None = None,
    step: int | None = None,
) -> Outcome:
    """Return the outcome of a run.

    Args:
        end: What is known of the process.
        last_word: The run's last event, if it says how it ended.
        log_file: Where its log is.
        state: The newest state that it left, for a run without a last word.
        step: The last step that it told of, for the same.
    """
    if end.refusal is not None:
        page = end.preferences_page
        hint = end.refusal_hint
        return Outcome(Ending.NOT_STARTED, end.refusal, hint, log_file, preferences_page=page)
    if isinstance(last_word, Failed):
        return _failed(last_word, log_file)
    if isinstance(last_word, Finished):
        return _finished(last_word, log_file)
    if end.gone_folder is not None:
        return _out_of_sight(end.gone_folder, step)
    return _without_last_word(end, log_file, state, step)


def _finished(event: Finished, log_file: Path | None) -> Outcome:
    weights, state = _path(event.weights), _path(event.state)
    saved_step = -1 if state is None else state_step(state)
    way_on = None
    ending = Ending.COMPLETED if event.reason == "completed" else Ending.STOPPED
    if ending is Ending.STOPPED and saved_step == event.step:
        way_on = text(T("App", "Press Start to go on from there."))
    elif ending is Ending.STOPPED and saved_step > 0:
        way_on = _way_on(state)
    words = end_sentence(event)
    remarks = waiting_sentences(event)
    return Outcome(
        ending, words, None, log_file, weights, state, event.step, way_on=way_on, remarks=remarks
    )


def _failed(event: Failed, log_file: Path | None) -> Outcome:
    return Outcome(
        Ending.FAILED,
        event.message.text(),
        event.hint.text() if event.hint else None,
        _path(event.log_file) or log_file,
        state=_path(event.state),
        step=event.step,
        found_damage=event.kind == StateError.kind and event.state is not None,
    )


def _out_of_sight(folder: Path, step: int | None) -> Outcome:
    sentence = text(T("App", "The run's folder {folder} was moved or deleted."), folder=str(folder))
    hint = T(
        "App",
        "The trainer may still be at work. Put the folder back and open it again "
        "(File > Open run folder), or open it where it is now.",
    )
    return Outcome(Ending.OUT_OF_SIGHT, sentence, text(hint), step=step)


def _without_last_word(
    end: ProcessEnd, log_file: Path | None, state: Path | None, step: int | None
) -> Outcome:
    hint = text(T("App", "No state was saved to go on from.")) if step and state is None else None
    ending = Ending.STOPPED if end.was_killed else Ending.CRASHED
    if end.was_killed:
        sentence = text(T("App", "The trainer did not stop when asked and was ended."))
    elif end.exit_code is None:
        sentence = text(
            T("App", "The trainer ended without saying why: it crashed, or was killed.")
        )
    elif end.has_crashed and end.exit_code == SIGKILL:
        sentence = text(T("App", "The trainer was killed from outside."))
        hint = text(_LESS_MEMORY)
    elif end.has_crashed:
        sentence = text(T("App", "The trainer crashed (code {code})."), code=end.exit_code)
    else:
        sentence = text(
            T("App", "The trainer ended without saying why (exit code {code})."), code=end.exit_code
        )
    return Outcome(ending, sentence, hint, log_file, state=state, step=step, way_on=_way_on(state))


def _way_on(state: Path | None) -> Text | None:
    if state is None:
        return None
    return text(T("App", "Press Start to go on from step {step}."), step=state_step(state))


def _path(value: str | None) -> Path | None:
    return Path(value) if value else None
