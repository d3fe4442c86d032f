"""One tool at work in a process of the trainer's Python, and how it ended."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop_app.process.environment import TrainerCommand, child_environment, own_python
from desktop_app.process.outcome import (
    SIGKILL,
    TRAINER_PAGE,
    Ending,
    Outcome,
    ProcessEnd,
    outcome_of,
)
from desktop_app.process.run_control import CHOOSE_PYTHON, NO_PYTHON
from desktop_app.process.trainer_process import TrainerProcess
from trainer_core.errors import TrainerError
from trainer_core.protocol.messages import Event, Failed, Progress, ToolDone, Warned
from trainer_core.settings import files
from trainer_core.settings.tools.schema import tool_schema
from trainer_core.texts import T, text

_LOG_LINES = 200  # kept of what a tool writes for people
_ENDINGS = {"completed": Ending.COMPLETED, "stopped": Ending.STOPPED}
_SENTENCES = {
    "completed": T("App", "Done."),
    "stopped": T("App", "Stopped; nothing was written."),
}


class ToolRun(QObject):
    """Starts one tool at a time, tells what it says, and reports its end.

    Attributes:
        command: How the trainer is started; None when no Python is known (a frozen app).
        name: The tool at work, or the last one; "" before the first.
        log: The last lines that it wrote for people.
    """

    started = Signal()
    progressed = Signal(object)  # a protocol Progress
    warned = Signal(object)  # a protocol Warned
    done = Signal(object)  # a protocol ToolDone, before `ended`
    failed = Signal(object)  # a protocol Failed, before `ended`
    ended = Signal(object)  # an Outcome, always the last signal

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        python = own_python()
        self.command = None if python is None else TrainerCommand.of_python(python)
        self.name = ""
        self.log: deque[str] = deque(maxlen=_LOG_LINES)
        self._process: TrainerProcess | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._last_word: ToolDone | Failed | None = None

    @property
    def is_running(self) -> bool:
        """True from `start` until `ended`."""
        return self._process is not None

    def start(self, name: str, raw: Mapping[str, Any]) -> None:
        """Start a tool.

        Args:
            name: Of the catalogue.
            raw: Its settings, with absolute paths.
        """
        if self.is_running:
            raise RuntimeError("a tool is at work")
        self.name, self._last_word = name, None
        self.log.clear()
        if self.command is None:
            words = text(NO_PYTHON), text(CHOOSE_PYTHON)
            outcome = Outcome(Ending.NOT_STARTED, *words, preferences_page=TRAINER_PAGE)
            self.ended.emit(outcome)
            return
        try:
            settings = self._write(name, raw)
        except TrainerError as error:
            self._let_go()
            self.ended.emit(Outcome(Ending.NOT_STARTED, error.message, error.hint))
            return
        self._process = process = TrainerProcess(self)
        process.event_received.connect(self._on_event)
        process.log_received.connect(self._on_log)
        process.ended.connect(self._on_ended)
        self.started.emit()
        program = self.command.program
        arguments = (*self.command.arguments, "tool", name, str(settings))
        process.start(TrainerCommand(program, arguments), child_environment(program))

    def stop(self) -> None:
        """Ask the tool to stop; one that does not is ended."""
        if self._process is not None:
            self._process.stop(save=False)

    def close(self) -> None:
        """End the tool without a word, if one is at work."""
        if self._process is not None:
            self._process.close()
            self._let_go()

    def _write(self, name: str, raw: Mapping[str, Any]) -> Path:
        self._folder = tempfile.TemporaryDirectory(prefix="lora-loom-", ignore_cleanup_errors=True)
        path = Path(self._folder.name) / f"{name}.toml"
        files.save(path, files.RunFile(dict(raw)), replace=False, schema=tool_schema(name))
        return path

    def _on_event(self, event: Event) -> None:
        match event:
            case Progress():
                self.progressed.emit(event)
            case Warned():
                self.warned.emit(event)
            case ToolDone() | Failed():
                self._last_word = event

    def _on_log(self, lines: Sequence[str]) -> None:
        self.log.extend(lines)

    def _on_ended(self, end: ProcessEnd) -> None:
        self._let_go()
        word = self._last_word
        if isinstance(word, ToolDone):
            self.done.emit(word)
            outcome = Outcome(_ENDINGS[word.reason], text(_SENTENCES[word.reason]))
        elif word is not None or end.refusal is not None:
            if word is not None:
                self.failed.emit(word)
            outcome = outcome_of(end, word)
        else:
            outcome = _without_last_word(end)
        self.ended.emit(outcome)

    def _let_go(self) -> None:
        if self._process is not None:
            self._process.deleteLater()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _without_last_word(end: ProcessEnd) -> Outcome:
    """Return the outcome of a tool that was ended, or ended without a word."""
    if end.was_killed:
        sentence = text(T("App", "The tool did not stop when asked and was ended."))
        hint = text(T("App", "Look at what it wrote before you use it: it may be incomplete."))
        return Outcome(Ending.STOPPED, sentence, hint)
    if end.has_crashed and end.exit_code == SIGKILL:
        sentence = text(T("App", "The tool was killed from outside."))
        hint = text(
            T("App", "That happens when memory runs out. Close other programs and start it again.")
        )
        return Outcome(Ending.CRASHED, sentence, hint)
    template = T("App", "The tool ended without saying why (exit code {code}).")
    if end.has_crashed:
        template = T("App", "The tool crashed (code {code}).")
    return Outcome(Ending.CRASHED, text(template, code=str(end.exit_code)))
