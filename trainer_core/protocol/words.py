"""Events as lines of a log that people read."""

from __future__ import annotations

import time
from collections.abc import Callable

from trainer_core.protocol.messages import (
    EVENT_MARK,
    CheckpointSaved,
    EventBase,
    Finished,
    Phase,
    Plan,
    Resumed,
    SampleReady,
    StepDone,
    Warned,
)

_PHASES = {"starting": "Starting ...", "loading": "Loading the base model ..."}
_STEP_INTERVAL_S = 30.0


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
        if words:
            at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.time))
            level = "WARNING" if isinstance(event, Warned) else "INFO"
            self._write(f"{at} {level} {EVENT_MARK} {words}\n")

    def _step(self, event: StepDone) -> str:
        if event.time - self._last_step < _STEP_INTERVAL_S:
            return ""
        self._last_step = event.time
        loss = "not finite" if event.loss is None else f"{event.loss:.4f}"
        return f"Step {event.step}, epoch {event.epoch}, loss {loss}."


def in_words(event: EventBase) -> str:
    """Return the line for an event that is told in words, "" for the others."""
    match event:
        case Phase():
            return _PHASES.get(event.phase, "")
        case Plan():
            return (
                f"{event.pictures} pictures, {event.total_steps} steps in {event.epochs} epochs, "
                f"on {event.device}, precision {event.precision}."
            )
        case Resumed():
            return f"Going on after step {event.from_step}."
        case SampleReady():
            return f"Sample {event.path}"
        case CheckpointSaved():
            return f"Saved {event.path}"
        case Warned():
            hint = f" {event.hint}" if event.hint else ""
            return f"{event.message}{hint}"
        case Finished():
            return _end(event)
    return ""


def _end(event: Finished) -> str:
    if event.step == 0:
        return "Stopped before the first step; nothing was written."
    words = f"{event.reason.capitalize()} at step {event.step} of {event.total_steps}."
    if event.weights:
        words += f" The LoRA: {event.weights}"
    return words
