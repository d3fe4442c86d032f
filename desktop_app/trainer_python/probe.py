"""Asks a Python what it is and has, without importing anything of it into the app."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop_app.process.tool_process import ToolEnd, ToolEnding, ToolProcess
from desktop_app.trainer_python.facts import PythonFacts, judged
from desktop_app.trainer_python.requirements import python_bounds
from trainer_core.errors import TrainerError
from trainer_core.files.presence import is_there
from trainer_core.files.resources import resource_path
from trainer_core.texts import T, Text, text

# A cold disk and a virus scanner may need a minute for torch; one that hangs, never ends.
PATIENCE_S = 120.0

_PLACES = ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe", "python3.exe")


class PythonError(TrainerError):
    """A path that was chosen is not that of a Python."""

    kind = "python"


class Probe(QObject):
    """One look at one Python: first the quick facts, then those of torch."""

    updated = Signal(object)  # PythonFacts so far
    finished = Signal(object)  # PythonFacts, complete

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.facts = PythonFacts(path)
        self._bounds = python_bounds()
        self._process = ToolProcess(self)
        self._process.line_received.connect(self._on_line)
        self._process.ended.connect(self._on_ended)

    def start(self, *, patience_s: float = PATIENCE_S) -> None:
        """Begin to ask."""
        script = str(resource_path("probe", "probe.py"))
        arguments = ["-I", "-X", "utf8", script]
        self._process.start(str(self.facts.path), arguments, timeout_s=patience_s)

    def close(self) -> None:
        """Stop asking; no signal comes any more."""
        self._process.close()

    def _on_line(self, line: str) -> None:
        facts = self.facts.with_line(line)
        if facts is self.facts:
            return
        self.facts = facts if self.facts.version else judged(facts, self._bounds)
        if self.facts.problem is None:
            self.updated.emit(self.facts)

    def _on_ended(self, end: ToolEnd) -> None:
        facts = self.facts
        if not facts.problem and not (end.ok and facts.packages is not None):
            if facts.packages is None:
                problem, hint = _failure(end, facts)
                facts = replace(facts, problem=problem, hint=hint)
            else:  # it is a Python, but torch took it down
                facts = replace(facts, torch_error=_torch_failure(end))
        self.facts = replace(facts, is_complete=True)
        self.finished.emit(self.facts)


def python_at(path: Path) -> Path:
    """Return the Python that is meant by a path: a program, or an environment's folder.

    Raises:
        PythonError: Nothing there can be started.
    """
    path = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - resolve() would follow links
    if not is_there(path):
        raise PythonError(
            T("App", "{path} does not exist."),
            T("App", "Choose another Python, or use the app's own."),
            path=path,
        )
    if not path.is_dir():
        return _startable(path)
    for place in _PLACES:
        if (path / place).is_file():
            return _startable(path / place)
    if (path / "pyvenv.cfg").exists():
        raise PythonError(
            T("App", "The environment {path} has lost its Python."),
            T("App", "Make a new environment, or choose another Python."),
            path=path,
        )
    raise PythonError(
        T("App", "There is no Python in the folder {path}."),
        T("App", "Choose the folder of an environment, or the program python in it."),
        path=path,
    )


def _startable(path: Path) -> Path:
    if not os.access(path, os.X_OK):
        raise PythonError(
            T("App", "{path} is not a program that can be started."),
            T("App", "Choose the program called python, python3 or python.exe."),
            path=path,
        )
    return path


def _torch_failure(end: ToolEnd) -> Text:
    if end.ending is ToolEnding.TIMED_OUT:
        return text(T("App", "PyTorch is installed and does not start: it takes too long."))
    template = T("App", "PyTorch is installed and crashes when it starts (code {code}).")
    return text(template, code=end.exit_code)


def _failure(end: ToolEnd, facts: PythonFacts) -> tuple[Text, Text]:
    """Return why the look failed and what to do."""
    other = text(T("App", "Choose another Python, or use the app's own."))
    if end.ending is ToolEnding.NOT_STARTED:
        template = T("App", "{path} cannot be started: {reason}")
        return text(template, path=facts.path, reason=end.reason), other
    if end.ending is ToolEnding.TIMED_OUT:
        return text(T("App", "{path} does not answer."), path=facts.path), other
    if "Unknown option: -I" in end.output:
        template = T("App", "{path} is Python 2, which is too old.")
        return text(template, path=facts.path), other
    last = end.output.strip().splitlines()[-1:] if end.output.strip() else []
    if end.ok or not facts.version:
        return text(T("App", "{path} does not answer like a Python."), path=facts.path), other
    template = T("App", "{path} fails when it is asked what it has: {reason}")
    reason = last[0] if last else end.exit_code
    repair = text(T("App", "Repair or remake this environment, or choose another Python."))
    return text(template, path=facts.path, reason=reason), repair
