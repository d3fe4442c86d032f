"""What a run said to people: a bounded list of lines, each with its level."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from PySide6.QtCore import QObject, Signal

from desktop_app.process.outcome import Outcome
from trainer_core.protocol.messages import EVENT_MARK, Event, Finished, Phase, Warned
from trainer_core.protocol.words import sentences
from trainer_core.texts import Text

MAX_LINES = 10_000
_SHOWN_ELSEWHERE = (Phase, Finished)  # by the status bar, and as the run's outcome


class Level(IntEnum):
    """How much a line matters."""

    DEBUG = 0
    INFO = 1
    WARNING = 2
    ERROR = 3


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: as the trainer wrote it, or a `Text` of ours that is translated when shown.

    The trainer's own lines say their time themselves; ``time_s`` is that of ours, in Unix seconds.
    """

    level: Level
    message: str | Text
    time_s: float | None = None


# Levels as logging, warnings and interpreters write them, near the beginning of a line.
_LEVEL_WORDS = {
    "DEBUG": Level.DEBUG,
    "INFO": Level.INFO,
    "WARNING": Level.WARNING,
    "WARN": Level.WARNING,
    "ERROR": Level.ERROR,
    "CRITICAL": Level.ERROR,
    "FATAL": Level.ERROR,
}
_LEVEL_WORD = re.compile(r"\b(" + "|".join(_LEVEL_WORDS) + r")\b")
_WARNING_CLASS = re.compile(r"^\S*:\d+: \w*Warning: |^\w*Warning: ")
_RAISED = re.compile(r"^Traceback \(|^(\w+\.)*\w*(Error|Exception)\b(:|$)")
_LEVEL_BEFORE = 48  # characters: time, level and logger come first


class LogModel(QObject):
    """The newest `MAX_LINES` lines of what the trainer and the app said about runs."""

    added = Signal(list)  # of LogLine
    cleared = Signal()

    def __init__(self, parent: QObject | None = None, *, max_lines: int = MAX_LINES) -> None:
        super().__init__(parent)
        self.max_lines = max_lines
        self._lines: deque[LogLine] = deque(maxlen=max_lines)
        self._last_level = Level.INFO

    @property
    def lines(self) -> tuple[LogLine, ...]:
        """Every line that is kept, oldest first."""
        return tuple(self._lines)

    def add(self, level: Level, message: Text, time_s: float | None = None) -> None:
        """Add one line of ours, of now unless it says otherwise."""
        self._extend([LogLine(level, message, time.time() if time_s is None else time_s)])

    def feed(self, event: Event) -> None:
        """Add what an event of the run is worth saying, as of when it happened."""
        if isinstance(event, _SHOWN_ELSEWHERE):
            return
        level = Level.WARNING if isinstance(event, Warned) else Level.INFO
        for sentence in sentences(event):
            self.add(level, sentence, event.time)

    def add_warning(self, message: Text) -> None:
        """Add what the app noticed just now."""
        self.add(Level.WARNING, message)

    def add_outcome(self, outcome: Outcome, time_s: float | None = None) -> None:
        """Add how a run ended."""
        self.add(Level.INFO if outcome.ok else Level.ERROR, outcome.sentence, time_s)

    def add_lines(self, lines: Iterable[str]) -> None:
        """Add lines that the trainer wrote; indented ones belong to the line before.

        Those that tell of an event are left out: the event itself has been shown.
        """
        added: list[LogLine] = []
        for line in (line for line in lines if EVENT_MARK not in line):
            level = self._last_level if line[:1].isspace() else level_of(line)
            added.append(LogLine(level, line))
            self._last_level = level
        self._extend(added)

    def clear(self) -> None:
        """Forget every line."""
        self._lines.clear()
        self.cleared.emit()

    def _extend(self, lines: list[LogLine]) -> None:
        self._lines.extend(lines)
        self.added.emit(lines[-self.max_lines :])


def level_of(line: str) -> Level:
    """Return the level that a log line states; lines that state none are information."""
    stated = _LEVEL_WORD.search(line[:_LEVEL_BEFORE])
    if stated is not None:
        return _LEVEL_WORDS[stated.group(1)]
    if _WARNING_CLASS.search(line):
        return Level.WARNING
    return Level.ERROR if _RAISED.search(line) else Level.INFO
