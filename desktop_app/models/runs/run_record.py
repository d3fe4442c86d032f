"""What is known of the run at hand, or of the last one, from its own events."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Signal

from desktop_app.models.runs.pace import Pace
from desktop_app.models.runs.run_files import RunFiles
from desktop_app.models.runs.used_settings import UsedSettings
from desktop_app.process.outcome import Outcome
from desktop_app.process.run_control import RunControl
from trainer_core.protocol.messages import (
    Event,
    Failed,
    Finished,
    Hello,
    Phase,
    Plan,
    Progress,
    Resumed,
    StepDone,
)

_ONCE_BUILT = ("sampling", "training")  # phases in which what is used was written down


class RunRecord(QObject):
    """Follows a `RunControl`, whoever started its run.

    Attributes:
        files: What was written.
        used: What was asked and what was used.
        pace: How long the rest will take.
        plan: What the run will do; None until it said so.
        latest: The newest step of this session; None before it.
        progress: How far another phase than training is.
        from_step: The step that the run goes on from, None for one from the beginning.
        failed: The trainer's own word about a failure.
        finished: Its word about an end.
    """

    changed = Signal()

    def __init__(self, run: RunControl, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run = run
        self.files = RunFiles(self)
        self.used = UsedSettings(self)
        self.pace = Pace()
        self._forget()
        run.started.connect(self._on_started)
        run.event_received.connect(self._on_event)
        run.past_event_received.connect(self.files.feed)
        run.phase_changed.connect(self._on_phase_changed)
        run.ended.connect(self._on_ended)
        self.used.changed.connect(self.changed)

    @property
    def seconds(self) -> float:
        """How long the run has been going, or went."""
        if self.finished is not None:
            return self.finished.seconds
        if self._began_s is None:
            return 0.0
        until = time.time() if self._run.is_running else self._last_s
        return max(until - self._began_s, 0.0)

    @property
    def total_steps(self) -> int:
        """The steps of the whole run, 0 while nobody knows."""
        return 0 if self.plan is None else self.plan.total_steps

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take, None while nobody can tell."""
        return self.pace.seconds_left(self.total_steps) if self.total_steps else None

    def close(self) -> None:
        """Drop all work and wait until its thread has let go."""
        self.used.close()

    def _forget(self) -> None:
        self.plan: Plan | None = None
        self.latest: StepDone | None = None
        self.progress: Progress | None = None
        self.from_step: int | None = None
        self.failed: Failed | None = None
        self.finished: Finished | None = None
        self._began_s: float | None = None
        self._last_s = 0.0
        self.pace.clear()
        self.used.clear()
        self.files.clear()

    def _on_started(self) -> None:
        self._forget()
        self._began_s = time.time()
        self.changed.emit()

    def _on_event(self, event: Event) -> None:
        if event.time:
            self._last_s = event.time
        match event:
            case Hello() if not event.run_folder and event.time:
                self._begin_session(event)
            case Plan():
                self.plan = event
            case Progress():
                self.progress = event
            case Resumed():
                self.from_step = event.from_step
            case StepDone():
                self.latest = event
            case Failed():
                self.failed = event
            case Finished():
                self.finished = event
            case Phase():
                self.progress = None
                self._read_used(event.phase)
        self.files.feed(event)
        self.pace.feed(event)
        self.changed.emit()

    def _begin_session(self, hello: Hello) -> None:
        self._began_s = hello.time
        self.failed = self.finished = self.latest = None

    def _read_used(self, phase: str) -> None:
        hello, folder = self._run.hello, self._run.folder
        if phase in _ONCE_BUILT and hello is not None and folder is not None:
            self.used.read(folder, hello.run_id, session=hello.pid)

    def _on_phase_changed(self, _phase: str) -> None:
        self.changed.emit()

    def _on_ended(self, _outcome: Outcome) -> None:
        self.changed.emit()
