"""How long a run will still take, from the times at which its steps were done."""

from __future__ import annotations

from collections import deque

from desktop_app.translation import shown
from trainer_core.protocol.messages import Event, Hello, Phase, Resumed, StepDone
from trainer_core.texts import T

_STEPS_AVERAGED = 50
_WORK_BETWEEN = ("saving", "sampling", "validating", "caching", "loading")


class Pace:
    """How fast steps follow one another, and what saves and samples between them add.

    Pauses count for nothing. What lies between steps counts by how often it comes back: a single
    save or sample says nothing about the rest of the run.
    """

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=_STEPS_AVERAGED)  # seconds per step
        self._last: tuple[int, float] | None = None
        self._is_interrupted = False
        self._extras: list[tuple[int, float]] = []  # step, seconds spent before it on other work

    def clear(self) -> None:
        """Forget the steps so far."""
        self._gaps.clear()
        self._extras.clear()
        self._last = None
        self._is_interrupted = False

    def feed(self, event: Event) -> None:
        """Take in one event of the run."""
        match event:
            case Hello() | Resumed():
                self.clear()
            case Phase(phase="paused"):
                self._last = None
            case Phase(phase=phase) if phase in _WORK_BETWEEN:
                self._is_interrupted = True
            case StepDone():
                self.add(event.step, event.time)

    def add(self, step: int, time_s: float) -> None:
        """Take note of a step that was done at ``time_s``."""
        before, self._last = self._last, (step, time_s)
        was_interrupted, self._is_interrupted = self._is_interrupted, False
        if before is None or step <= before[0] or time_s <= before[1]:
            return
        gap = (time_s - before[1]) / (step - before[0])
        if not was_interrupted:
            self._gaps.append(gap)
        elif self._gaps:
            self._extras.append((step, max(gap - self._seconds_per_step, 0.0)))

    def seconds_left(self, total_steps: int) -> float | None:
        """Return how long the rest will take, None while nobody can tell."""
        if self._last is None or not self._gaps:
            return None
        return (total_steps - self._last[0]) * (self._seconds_per_step + self._extra_per_step)

    @property
    def _seconds_per_step(self) -> float:
        return sum(self._gaps) / len(self._gaps)

    @property
    def _extra_per_step(self) -> float:
        if len(self._extras) < 2:
            return 0.0
        (first, _), *others = self._extras
        return sum(seconds for _, seconds in others) / (others[-1][0] - first)


def duration_words(seconds: float) -> str:
    """Return a duration such as ``1 h 05 min``, ``4 min 30 s`` or ``12 s``."""
    whole = round(seconds)
    if whole >= 3600:
        minutes = f"{whole % 3600 // 60:02}"
        return shown(T("App", "{hours} h {minutes} min"), hours=whole // 3600, minutes=minutes)
    if whole >= 60:
        rest = f"{whole % 60:02}"
        return shown(T("App", "{minutes} min {seconds} s"), minutes=whole // 60, seconds=rest)
    return shown(T("App", "{seconds} s"), seconds=whole)
