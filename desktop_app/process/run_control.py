"""The run in the app's hands: start, stop, what it says, and how it ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop_app.models.event_words import words_of
from desktop_app.models.log_model import Level, LogModel
from desktop_app.models.metrics_model import MetricsModel
from desktop_app.process.environment import TrainerCommand, child_environment, own_python
from desktop_app.process.event_file import EventFollower
from desktop_app.process.outcome import TRAINER_PAGE, Outcome, ProcessEnd, outcome_of
from desktop_app.process.trainer_process import TrainerProcess
from trainer_core.protocol.messages import (
    Command,
    Detach,
    Detached,
    Event,
    Failed,
    Finished,
    Hello,
    Overflowed,
    Phase,
    Plan,
    Resumed,
    Warned,
)
from trainer_core.run_folder import RunFolder
from trainer_core.texts import T, Text, text
from trainer_core.version import __version__

_NO_PYTHON = T("App", "No Python is known that could train.")
_CHOOSE = T("App", "Choose the trainer's Python in the preferences.")


class RunControl(QObject):
    """Starts the trainer, feeds the models with what it says, and reports its end.

    Events come from the trainer's stream. When the stream lost some, or the run goes on from an
    earlier one, they are read from the event file instead, which has all of them.

    Attributes:
        command: How the trainer is started; None when no Python is known (a frozen app).
        hello: The trainer's first event; None before it.
        plan: What the run will do; None until the trainer said so.
        outcome: How the last run ended; None before the first end and while one runs.
    """

    started = Signal()
    event_received = Signal(object)  # a protocol Event of this run
    past_event_received = Signal(object)  # one of the earlier run that this one goes on from
    phase_changed = Signal(str)
    detached = Signal()  # the app may leave (by os._exit) and the trainer goes on
    ended = Signal(object)  # an Outcome

    def __init__(self, metrics: MetricsModel, log: LogModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        python = own_python()
        self.command = None if python is None else TrainerCommand.of_python(python)
        self.hello: Hello | None = None
        self.plan: Plan | None = None
        self.outcome: Outcome | None = None
        self._metrics = metrics
        self._log = log
        self._process: TrainerProcess | None = None
        self._follower: EventFollower | None = None
        self._awaited: list[Event] = []
        self._last_word: Finished | Failed | None = None
        self._end: ProcessEnd | None = None
        self._phase = "idle"
        self._is_stopping = False
        self._stops_with_saving = False

    @property
    def is_running(self) -> bool:
        """True from `start` until `ended`."""
        return self._process is not None

    @property
    def is_stopping(self) -> bool:
        """True once it was asked to stop."""
        return self._is_stopping

    @property
    def stops_with_saving(self) -> bool:
        """True if it was asked to save before it stops, and not yet to stop without."""
        return self._is_stopping and self._stops_with_saving

    @property
    def phase(self) -> str:
        """What the trainer is doing: a phase of the protocol, or ``idle``."""
        return self._phase

    @property
    def folder(self) -> RunFolder | None:
        """Where the run at hand, or the last one, keeps its records; None before it has a place."""
        if self.hello is None or not self.hello.run_folder:
            return None
        path = Path(self.hello.run_folder)
        return RunFolder(path.parent, path.stem)

    def start(self, run_file: Path, *, overwrite: bool = False, continue_: bool = False) -> None:
        """Start a run.

        Args:
            run_file: The settings, with absolute paths.
            overwrite: Replace what an earlier run of this name left.
            continue_: Go on from the newest complete state of this name.
        """
        if self.is_running:
            raise RuntimeError("a run is going on")
        self._forget()
        if self.command is None:
            no_python, hint = text(_NO_PYTHON), text(_CHOOSE)
            self._close(
                ProcessEnd(-1, refusal=no_python, refusal_hint=hint, preferences_page=TRAINER_PAGE)
            )
            return
        flags = ["--overwrite"] * overwrite + ["--continue"] * continue_
        arguments = (*self.command.arguments, "train", str(run_file), *flags)
        self._process = process = TrainerProcess(self)
        process.event_received.connect(self._on_stream_event)
        process.stream_disturbed.connect(self._on_stream_disturbed)
        process.log_received.connect(self._log.add_lines)
        process.ended.connect(self._on_process_ended)
        self._set_phase("starting")
        self.started.emit()
        program = self.command.program
        process.start(TrainerCommand(program, arguments), child_environment(program))

    def stop(self, *, save: bool) -> None:
        """Ask the run to stop, with or without saving; repeat it to change one's mind."""
        if self._process is not None:
            self._is_stopping = True
            self._stops_with_saving = save
            self._process.stop(save=save)
            self.phase_changed.emit(self._phase)

    def kill(self) -> None:
        """End the run at once, without any saving."""
        if self._process is not None:
            self._process.kill()

    def send(self, command: Command) -> None:
        """Send a command to the trainer."""
        if self._process is not None:
            self._process.send(command)

    def detach(self) -> None:
        """Tell the trainer that the app is leaving; wait for `detached` before you do."""
        self.send(Detach())

    def _forget(self) -> None:
        self.hello = self.plan = self.outcome = self._last_word = self._end = None
        self._awaited = []
        self._is_stopping = False
        self._metrics.clear()

    # ---------------------------------------------------------------- events

    def _on_stream_event(self, event: Event) -> None:
        if self._follower is not None:
            self._follower.poke()  # the file has this event too, in its place
        elif isinstance(event, Overflowed):
            self._follow(Path(event.path), event.offset)
        elif isinstance(event, Resumed) and self.hello is not None:
            self._join_earlier_run(self.hello, event)
        else:
            self._deliver(event)

    def _join_earlier_run(self, hello: Hello, resumed: Resumed) -> None:
        folder = self.folder
        if folder is None:
            self._deliver(resumed)
            return
        # What the earlier run said stands before our hello; from hello to here it was heard.
        self._awaited = [hello, resumed]
        self._follow(folder.event_file)

    def _follow(self, path: Path, offset: int = 0) -> None:
        self._follower = EventFollower(path, offset, self)
        self._follower.event_received.connect(self._on_file_event)
        self._follower.caught_up.connect(self._on_caught_up)

    def _on_file_event(self, event: Event) -> None:
        if not self._awaited:
            self._deliver(event)
        elif event == self._awaited[0]:
            del self._awaited[0]
            if not self._awaited:
                self._deliver(event)
        elif isinstance(self._awaited[0], Hello):
            self._metrics.feed(event)
            self.past_event_received.emit(event)

    def _on_caught_up(self) -> None:
        if self._awaited:  # the file was damaged where the runs meet
            self._deliver(self._awaited[-1])
            self._awaited = []
        if self._end is not None:
            self._close(self._end)

    def _deliver(self, event: Event) -> None:
        match event:
            case Hello():
                is_first = self.hello is None
                self.hello = event  # the first one comes before the folder is known
                if is_first:
                    self._check_version(event)
            case Plan():
                self.plan = event
            case Phase():
                self._set_phase(event.phase)
            case Finished() | Failed():
                self._last_word = event
            case Detached():
                self.detached.emit()
        words = words_of(event)
        if words is not None:
            level = Level.WARNING if isinstance(event, Warned) else Level.INFO
            self._log.add(level, words, event.time)
        self._metrics.feed(event)
        self.event_received.emit(event)

    def _check_version(self, hello: Hello) -> None:
        if self._has_other_version:
            template = T(
                "App",
                "The trainer is version {theirs}, the app {ours}. The preferences put the same "
                "version into the trainer's Python.",
            )
            message = text(template, theirs=hello.version, ours=__version__)
            self._log.add(Level.WARNING, message)

    @property
    def _has_other_version(self) -> bool:
        return self.hello is not None and self.hello.version != __version__

    def _on_stream_disturbed(self, message: Text) -> None:
        self._log.add(Level.WARNING, message)

    def _set_phase(self, phase: str) -> None:
        self._phase = phase
        self.phase_changed.emit(phase)

    # ---------------------------------------------------------------- the end

    def _on_process_ended(self, end: ProcessEnd) -> None:
        self._end = end
        if self._follower is None:
            self._close(end)
        else:
            self._follower.poke()  # once it has caught up, the run is over

    def _close(self, end: ProcessEnd) -> None:
        if self._process is not None:
            self._process.deleteLater()
            self._process = None
        if self._follower is not None:
            self._follower.close()
            self._follower.deleteLater()
            self._follower = None
        folder = self.folder
        self.outcome = outcome_of(end, self._last_word, folder.log_file if folder else None)
        if self._has_other_version and not self.outcome.ok:
            self.outcome = replace(self.outcome, preferences_page=TRAINER_PAGE)
        self._is_stopping = False
        level = Level.INFO if self.outcome.ok else Level.ERROR
        self._log.add(level, self.outcome.sentence)
        self._set_phase("idle")
        self.ended.emit(self.outcome)
