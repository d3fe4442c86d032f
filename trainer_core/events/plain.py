"""The progress of a run in plain lines, for a file or a pipe that people read."""

from __future__ import annotations

import time
from collections.abc import Callable

from trainer_core.protocol.messages import (
    EventBase,
    Finished,
    Plan,
    Progress,
    Resumed,
    StepDone,
    Warned,
)
from trainer_core.protocol.words import HOW_TO_GO_ON, in_words
from trainer_core.runtime.streams import PatientWriter

_INTERVAL_S = 10.0
_WORTH_TELLING_S = 0.5


class PlainProgress:
    """Listens to events and writes a line for everything worth it, and now and then a step.

    Args:
        descriptor: Of the file or pipe. Writing to it never holds up a step.
        now: The clock, in seconds.
    """

    def __init__(self, descriptor: int, now: Callable[[], float] = time.monotonic) -> None:
        self._writer = PatientWriter(descriptor)
        self._now = now
        self._told_at = -_INTERVAL_S
        self._total_steps = 0
        self._begun: tuple[int, float] | None = None  # the first step told of, and when
        self._waited_s = 0.0  # for data, since it was told last

    def __call__(self, event: EventBase) -> None:
        """Write what the event tells."""
        match event:
            case Plan():
                self._total_steps = event.total_steps
            case Resumed():
                self._begun = None
            case Progress():
                self._progress(event)
            case StepDone():
                self._step(event)
        words = in_words(event)
        if words:
            self._write(f"Warning: {words}" if isinstance(event, Warned) else words)
        if isinstance(event, Finished) and event.reason == "stopped" and event.state:
            self._write(HOW_TO_GO_ON)

    def close(self) -> None:
        """Write what is left, without waiting for long."""
        self._writer.close()

    def _progress(self, event: Progress) -> None:
        """Tell how far a phase is, now and then and at its end."""
        if event.done and (self._is_due() or event.done == event.total):
            work = "" if event.work is None else f", {event.work.text()}"
            self._write(f"{event.phase}: {event.done} of {event.total}{work}")
            self._told_at = self._now()

    def _step(self, event: StepDone) -> None:
        now = self._now()
        self._waited_s += event.data_wait_s
        is_first_or_last = self._begun is None or event.step == self._total_steps
        self._begun = self._begun or (event.step, now)
        if not self._is_due() and not is_first_or_last:
            return
        self._told_at = now
        loss = "not finite" if event.loss is None else f"{event.loss:.4f}"
        line = f"Step {event.step} of {self._total_steps}, epoch {event.epoch}, loss {loss}"
        self._write(line + self._waited() + self._time_left(event.step, now))

    def _waited(self) -> str:
        """Return how long the steps since the last line waited for data; "" for a moment."""
        waited_s, self._waited_s = self._waited_s, 0.0
        return f", {waited_s:.1f} s of waiting for data" if waited_s >= _WORTH_TELLING_S else ""

    def _time_left(self, step: int, now: float) -> str:
        """Return how long the steps to come take at the pace so far; "" while it is not known."""
        first, at = self._begun or (step, now)
        if step == first or step >= self._total_steps:
            return ""
        left_s = round((now - at) / (step - first) * (self._total_steps - step))
        minutes, seconds = divmod(left_s, 60)
        return f", {minutes // 60}:{minutes % 60:02}:{seconds:02} left"

    def _is_due(self) -> bool:
        return self._now() - self._told_at >= _INTERVAL_S

    def _write(self, words: str) -> None:
        self._writer.offer(f"{words}\n".encode(errors="replace"))
