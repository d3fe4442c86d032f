"""An installation under way: runs the steps of a plan and tells how far they are."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop_app.process.tool_process import ToolEnd, ToolEnding, ToolProcess
from desktop_app.trainer_python.plan import Plan, Step, step_count, steps
from trainer_core.environment.pip_output import (
    Bytes,
    Collecting,
    Downloading,
    Installing,
    Retrying,
    failure_cause,
    last_error,
    read_line,
)
from trainer_core.texts import T, Text, text

_OUTPUT_LINES = 5000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an installation is; ``total`` 0 means that nothing can be counted now."""

    title: Text
    step: int
    steps: int
    activity: Text | None = None
    done: int = 0
    total: int = 0
    packages: int = 0  # looked up so far in this step


@dataclass(frozen=True, slots=True)
class InstallEnd:
    """How an installation ended; no sentence means that all went well."""

    plan: Plan
    sentence: Text | None = None
    hint: Text | None = None
    is_cancelled: bool = False

    @property
    def ok(self) -> bool:
        """True if everything is in its place."""
        return self.sentence is None


class Installation(QObject):
    """One installation; what was done stays when it is cancelled, and the next goes on there.

    Attributes:
        plan: What is installed, and where.
        progress: How far it is.
        output: Everything that the commands wrote, line by line.
    """

    progressed = Signal(object)  # Progress
    wrote = Signal(str)
    environment_made = Signal(object)  # Path of its Python
    ended = Signal(object)  # InstallEnd

    def __init__(self, plan: Plan, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.plan = plan
        self.output: list[str] = []
        self._scratch = tempfile.TemporaryDirectory(prefix="lora-loom-", ignore_cleanup_errors=True)
        folder = Path(self._scratch.name)
        self._steps = steps(plan, folder)
        self.progress = Progress(text(T("App", "Starting")), 0, step_count(plan, folder))
        self._process: ToolProcess | None = None
        self._is_cancelled = False

    def start(self) -> None:
        """Begin with the first step."""
        self._go_on(None)

    def cancel(self) -> None:
        """End the step at hand and do no other."""
        self._is_cancelled = True
        if self._process is not None:
            self._process.cancel()

    def close(self) -> None:
        """End without a word."""
        self.blockSignals(True)
        if self._process is not None:
            self._process.close()
        self._scratch.cleanup()

    def _go_on(self, end: ToolEnd | None) -> None:
        try:
            step = self._steps.send(end)
        except StopIteration:
            self._end(InstallEnd(self.plan))
            return
        except OSError as error:  # the disk of the temporary folder
            sentence = text(T("App", "A temporary file cannot be written: {reason}"), reason=error)
            self._end(InstallEnd(self.plan, sentence, text(_MAKE_ROOM)))
            return
        self._start(step)

    def _start(self, step: Step) -> None:
        number, count = self.progress.step + 1, self.progress.steps
        self._tell(Progress(step.title, number, count))
        self._write(" ".join(["$", step.program, *step.arguments]))
        self._process = process = ToolProcess(self)
        process.line_received.connect(self._on_line)
        process.ended.connect(self._on_step_ended)
        process.start(step.program, step.arguments)

    def _on_line(self, line: str) -> None:
        news = read_line(line)
        if not isinstance(news, Bytes):
            self._write(line)
        now = self.progress
        activity, done, total, packages = now.activity, 0, 0, now.packages
        match news:
            case Bytes():
                done, total = news.done, news.total
            case Downloading():
                values = {"package": news.package, "size": news.size}
                activity = text(T("App", "Downloading {package} ({size})"), **values)
            case Collecting():
                packages += 1
                activity = text(T("App", "Looking for {package}"), package=news.package)
            case Installing():
                count = len(news.packages)
                activity = text(T("App", "Putting packages in place: {count}"), count=count)
            case Retrying():
                activity = text(T("App", "The package index does not answer; trying again"))
            case _:
                return
        self._tell(Progress(now.title, now.step, now.steps, activity, done, total, packages))

    def _on_step_ended(self, end: ToolEnd) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        if self._is_cancelled:
            sentence = text(T("App", "The installation was cancelled."))
            hint = text(T("App", "What is done stays; Install goes on from there."))
            self._end(InstallEnd(self.plan, sentence, hint, is_cancelled=True))
        elif not end.ok:
            self._end(InstallEnd(self.plan, *failure(end, self.plan)))
        else:
            if self.plan.environment is not None and self.progress.step == 1:
                self.environment_made.emit(self.plan.target)
            self._go_on(end)

    def _end(self, end: InstallEnd) -> None:
        self._steps.close()
        self._scratch.cleanup()
        self.ended.emit(end)

    def _tell(self, progress: Progress) -> None:
        self.progress = progress
        self.progressed.emit(progress)

    def _write(self, line: str) -> None:
        if len(self.output) < _OUTPUT_LINES:
            self.output.append(line)
            self.wrote.emit(line)


_MAKE_ROOM = T("App", "Make room, then install again: it goes on from here.")
_MAKE_ENVIRONMENT = T("App", "Make an environment for training instead; it needs no permission.")


def failure(end: ToolEnd, plan: Plan) -> tuple[Text, Text]:
    """Return why a step failed and what to do."""
    if end.ending is ToolEnding.NOT_STARTED:
        template = T("App", "{path} cannot be started: {reason}")
        other = text(T("App", "Choose another Python."))
        return text(template, path=plan.target, reason=end.reason), other
    if "ensurepip is not available" in end.output or "No module named ensurepip" in end.output:
        return (
            text(T("App", "This Python comes without pip and cannot make environments.")),
            text(
                T(
                    "App",
                    "Install its missing part (on Debian and Ubuntu the package python3-venv), or "
                    "choose another Python.",
                )
            ),
        )
    cause = failure_cause(end.output)
    if cause in _KNOWN:
        sentence, hint = _KNOWN[cause]
        return text(sentence), text(hint)
    last = (last_error(end.output) or _last_line(end.output)) or str(end.exit_code)
    if cause == "no_match":
        template = T("App", "No package fits this Python and this system: {reason}")
        hint = T("App", "Choose or install another version of Python, 3.11 to 3.13 for example.")
        return text(template, reason=last), text(hint)
    template = T("App", "The installation failed: {reason}")
    hint = T("App", "“Show output” has everything that was said. Install again tries once more.")
    return text(template, reason=last), text(hint)


_KNOWN = {
    "network": (
        T("App", "The package index cannot be reached."),
        T(
            "App",
            "Check the network, then install again: it goes on from here. Behind a proxy, "
            "HTTPS_PROXY must name it before LoRA Loom is started.",
        ),
    ),
    "disk": (T("App", "The disk is full."), _MAKE_ROOM),
    "permission": (T("App", "This Python's folder cannot be written."), _MAKE_ENVIRONMENT),
    "managed": (
        T("App", "This Python belongs to the system, which installs its packages itself."),
        _MAKE_ENVIRONMENT,
    ),
}


def _last_line(output: str) -> str:
    lines = output.strip().splitlines()
    return lines[-1] if lines else ""
