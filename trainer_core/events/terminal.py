"""The progress of a run in a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tqdm import tqdm

from trainer_core.protocol.messages import (
    DiskFilled,
    EventBase,
    Finished,
    Plan,
    Progress,
    StepDone,
    ToolDone,
    Warned,
)
from trainer_core.protocol.words import HOW_TO_END_THE_WAIT, HOW_TO_GO_ON, in_words


class TerminalProgress:
    """Listens to events and shows a bar, and a line for everything that was written.

    Args:
        write: Writes to the terminal and never blocks.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._file = _Terminal(write)
        self._bar: Any = None
        self._total_steps = 0

    def __call__(self, event: EventBase) -> None:
        """Show what the event tells."""
        match event:
            case Plan():
                self._total_steps = event.total_steps
            case Progress():
                unit = "picture" if event.work is None else "part"
                self._show(event.phase, event.done, event.total, unit)
            case StepDone():
                loss = "-" if event.loss is None else f"{event.loss:.4f}"
                self._show("training", event.step, self._total_steps, "step", f"loss {loss}")
            case Finished() | ToolDone():
                self.close()
        words = in_words(event)
        if words:
            mark = "Warning: " if isinstance(event, Warned) else ""
            more = f" {HOW_TO_END_THE_WAIT}" if isinstance(event, DiskFilled) else ""
            tqdm.write(mark + words + more, file=self._file)
        if isinstance(event, Finished) and event.reason == "stopped" and event.state:
            tqdm.write(HOW_TO_GO_ON, file=self._file)

    def close(self) -> None:
        """Leave the bar as it is and go to a new line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _show(self, name: str, done: int, total: int, unit: str, note: str = "") -> None:
        if self._bar is None or self._bar.desc != name:
            self.close()
            self._bar = tqdm(
                desc=name, total=total, initial=done, unit=unit, file=self._file, ncols=79
            )
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(done - self._bar.n)


class _Terminal:
    """The part of a text file that tqdm needs."""

    encoding = "utf-8"

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def write(self, words: str) -> None:
        self._write(words)

    def flush(self) -> None:
        """Nothing is held back."""
