"""Events in words, for every log that people read: templates that the app can translate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from trainer_core.catalogue.methods import METHODS, USUAL_METHOD
from trainer_core.catalogue.precisions import MIXED_PRECISIONS, below_32_bit
from trainer_core.catalogue.predictions import PREDICTIONS, USUAL_PREDICTION
from trainer_core.files.state_manifest import state_step
from trainer_core.protocol.messages import (
    EVENT_MARK,
    CheckpointRemoved,
    CheckpointSaved,
    DiskFilled,
    EventBase,
    Finished,
    Hello,
    Phase,
    Plan,
    Resumed,
    SampleReady,
    StepDone,
    ToolDone,
    Validated,
    Warned,
)
from trainer_core.texts import T, Text, size_text, text

_PHASES = {
    "starting": T("Events", "Starting ..."),
    "loading": T("Events", "Loading the base model ..."),
}
HOW_TO_END_THE_WAIT = "It goes on once there is room; Ctrl+C saves elsewhere and ends it."
HOW_TO_GO_ON = "To go on from there: the same command with --continue."
_STEP_INTERVAL_S = 30.0
_WORTH_TELLING_S = 1.0
_MUCH = 0.1  # of the time that a run took
_BYTES_PER_MIB = 2**20


class EventLog:
    """Listens to events and writes those that are told in words, and now and then a step.

    Args:
        write: Takes a whole line and never blocks.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._last_step = 0.0

    def __call__(self, event: EventBase) -> None:
        """Write what the event tells."""
        words = self._step(event) if isinstance(event, StepDone) else in_words(event)
        for line in words.splitlines():
            at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.time))
            level = "WARNING" if isinstance(event, Warned) else "INFO"
            self._write(f"{at} {level} {EVENT_MARK} {line}\n")

    def _step(self, event: StepDone) -> str:
        if event.time - self._last_step < _STEP_INTERVAL_S:
            return ""
        self._last_step = event.time
        loss = "not finite" if event.loss is None else f"{event.loss:.4f}"
        numbers = ((n, v) for n, v in event.measures.items() if v is not None)
        measures = "".join(f", {name} {value:.4g}" for name, value in numbers)
        return f"Step {event.step}, epoch {event.epoch}, loss {loss}{measures}."


def in_words(event: EventBase) -> str:
    """Return what an event says, in English; "" if it is not told in words.

    That is one line, and several for the result of a tool.
    """
    between = "\n" if isinstance(event, ToolDone) else " "
    return between.join(str(sentence) for sentence in sentences(event))


def sentences(event: EventBase) -> tuple[Text, ...]:
    """Return what an event is worth saying, sentence by sentence; none for most."""
    match event:
        case Hello() if event.run_folder:
            return (text(T("Events", "The run's folder is {folder}."), folder=event.run_folder),)
        case Phase() if event.phase in _PHASES:
            return (text(_PHASES[event.phase]),)
        case Plan():
            return _plan(event)
        case Resumed():
            return (text(T("Events", "Going on after step {step}."), step=event.from_step),)
        case CheckpointSaved():
            return (_saved(event),)
        case CheckpointRemoved():
            return (text(T("Events", "Removed {name}."), name=Path(event.path).name),)
        case SampleReady() | DiskFilled() | Validated():
            return (_happening(event),)
        case Warned():
            sentences = (event.message, event.hint)
            return tuple(data.text() for data in sentences if data is not None)
        case Finished() | ToolDone():
            return _finished(event) if isinstance(event, Finished) else tool_result(event)
    return ()


def tool_result(event: ToolDone) -> tuple[Text, ...]:
    """Return what a tool has to say at its end, a line each."""
    if event.reason == "stopped" and not event.text:
        return (text(T("Events", "Stopped; nothing was written.")),)
    written = (text(T("Events", "Written: {path}"), path=path) for path in event.files)
    return (*(data.text() for data in event.text), *written)


def end_sentence(event: Finished) -> Text:
    """Return how a run ended; whether a state of its last step is there decides about the words."""
    if event.reason == "completed":
        template = T("Events", "Done: {step} [step:step|steps] trained.")
    elif event.step == 0:
        template = T("Events", "Stopped before the first step; nothing was written.")
    elif event.state is not None and state_step(Path(event.state)) == event.step:
        template = T("Events", "Stopped and saved after step {step} of {total}.")
    else:
        template = T("Events", "Stopped after step {step} of {total}, not saved.")
    return text(template, step=event.step, total=event.total_steps)


def _plan(event: Plan) -> tuple[Text, ...]:
    amounts = text(
        T(
            "Events",
            "{pictures} [pictures:picture|pictures], {samples} per epoch, {steps} "
            "[steps:step|steps] in all.",
        ),
        pictures=event.pictures,
        samples=event.showings_per_epoch,
        steps=event.total_steps,
    )
    told: tuple[Text, ...] = (amounts,)
    if event.reg_asked:
        template = T(
            "Events",
            "Regularisation: {asked} by their repeats, {samples} per epoch to match the rest.",
        )
        told = (amounts, text(template, asked=event.reg_asked, samples=event.reg_showings))
    if event.held_out:
        template = T("Events", "{count} [count:picture is|pictures are] held out for validation.")
        told = (*told, text(template, count=event.held_out))
    if not event.device:
        return (*told, *_noise(event))
    template = T("Events", "Training on {device}, precision {precision}.")
    if event.precision in MIXED_PRECISIONS and event.precision not in below_32_bit():
        template = T("Events", "Training on {device} in 32 bit.")  # its name is no word for people
    device = text(template, device=event.device, precision=event.precision)
    return (*told, device, *_noise(event))


def _noise(event: Plan) -> Iterator[Text]:
    """Yield how the base model differs from one that predicts the noise."""
    known = PREDICTIONS.get(event.prediction)
    if known is not None and event.prediction != USUAL_PREDICTION:
        yield text(T("Events", "The base model predicts {prediction}."), prediction=known.inline)
    if event.zero_terminal_snr:
        yield text(T("Events", "Its noise ends at zero terminal SNR."))


def _saved(event: CheckpointSaved) -> Text:
    return text(
        T("Events", "Saved {name} ({size} MiB) after step {step}."),
        name=Path(event.path).name,
        size=f"{event.size_bytes / _BYTES_PER_MIB:.1f}",
        step=event.step,
    )


def _happening(event: SampleReady | DiskFilled | Validated) -> Text:
    if isinstance(event, SampleReady):
        return _sample(event)
    return _full_disk(event) if isinstance(event, DiskFilled) else _validated(event)


def _validated(event: Validated) -> Text:
    if event.loss is None:
        template = T("Events", "The validation loss after step {step} is not finite.")
        return text(template, step=event.step)
    template = T("Events", "Validation loss after step {step}: {loss}")
    return text(template, step=event.step, loss=f"{event.loss:.4f}")


def _full_disk(event: DiskFilled) -> Text:
    template = T(
        "Events",
        "The disk is full: {needed} are needed in {folder}, {free} are free. The run waits for "
        "room.",
    )
    needed, free = size_text(event.needed_bytes), size_text(event.free_bytes)
    return text(template, needed=needed, folder=event.folder, free=free)


def _sample(event: SampleReady) -> Text:
    template = T("Events", "Sample after step {step}: {prompt}")
    if event.step == 0:
        template = T("Events", "Sample before training: {prompt}")
    return text(template, step=event.step, prompt=event.prompt)


def _finished(event: Finished) -> tuple[Text, ...]:
    told = (end_sentence(event), *waiting_sentences(event))
    if not event.weights:
        return told
    method = METHODS.get(event.method, METHODS[USUAL_METHOD])
    return *told, text(method.result, path=event.weights)


def waiting_sentences(event: Finished) -> tuple[Text, ...]:
    """Return how long steps waited for data, and a way out where it was long; none for a moment."""
    if event.data_wait_s < _WORTH_TELLING_S:
        return ()
    template = T("Events", "Steps waited {seconds} s of {total} s for data.")
    facts = {"seconds": round(event.data_wait_s), "total": round(event.seconds)}
    waited = text(template, **facts)
    if event.data_wait_s < _MUCH * event.seconds:
        return (waited,)
    return waited, text(T("Events", "Cached latents or more loader threads may help."))
