"""The run in the app's hands: start, stop, what it says, and how it ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop_app.process.attached_trainer import AttachedTrainer
from desktop_app.process.environment import TrainerCommand, child_environment, own_python
from desktop_app.process.outcome import TRAINER_PAGE, Outcome, ProcessEnd, outcome_of
from desktop_app.process.started_trainer import StartedTrainer
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.run_lock import lock_holder
from trainer_core.protocol.messages import (
    Command,
    Detach,
    Detached,
    DiskFilled,
    Event,
    Failed,
    Finished,
    Hello,
    Phase,
    Plan,
    StepDone,
)
from trainer_core.texts import T, text
from trainer_core.version import __version__

NO_PYTHON = T("App", "No Python is known that could train.")
CHOOSE_PYTHON = T("App", "Choose the trainer's Python in the preferences.")


class RunControl(QObject):
    """Starts the trainer or finds one at work, tells what it says, and reports the run's end.

    A run that has ended can be shown as it looked live; while that is read nothing is running.

    Attributes:
        command: How the trainer is started; None when no Python is known (a frozen app).
        hello: The trainer's first event; None before it.
        plan: What the run will do; None until the trainer said so.
        outcome: How the last run ended; None before the first end and while one runs.
    """

    forgotten = Signal()  # the run before: nothing that was told of it holds any more
    retold = Signal()  # a run is read from its beginning, and its log with it
    started = Signal()  # by the app, or found: what is told from now on is of another run
    event_received = Signal(object)  # a protocol Event of this run
    past_event_received = Signal(object)  # one of the earlier run that this one goes on from
    phase_changed = Signal(str)
    lines_received = Signal(list)  # of str, that the trainer wrote for people
    warned = Signal(object)  # a Text: what the app itself noticed about the trainer
    detached = Signal()  # the app may leave (by os._exit) and the trainer goes on
    ended = Signal(object)  # an Outcome
    recalled = Signal(object)  # the Outcome of a run that had ended before: all of it was read

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        python = own_python()
        self.command = None if python is None else TrainerCommand.of_python(python)
        self.hello: Hello | None = None
        self.plan: Plan | None = None
        self.outcome: Outcome | None = None
        self._trainer: StartedTrainer | AttachedTrainer | None = None
        self._folder: RunFolder | None = None
        self._is_over = False  # the run at hand had ended before it was looked at
        self._last_word: Finished | Failed | None = None
        self._last_step: int | None = None  # that was told of, by an earlier part of the run too
        self._heard_at: float | None = None
        self._phase = "idle"
        self._full_disk: DiskFilled | None = None
        self._is_stopping = False
        self._stops_with_saving = False

    @property
    def is_running(self) -> bool:
        """True from `start` or `attach` until `ended`."""
        return self._trainer is not None and not self._is_over

    @property
    def is_attached(self) -> bool:
        """True if the run at hand was found and not started here: it needs no window to go on."""
        return isinstance(self._trainer, AttachedTrainer)

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
    def full_disk(self) -> DiskFilled | None:
        """What the run waits for room for; None while it does not."""
        return self._full_disk

    @property
    def heard_at(self) -> float | None:
        """When the last event happened, in Unix seconds; None before the first."""
        return self._heard_at

    @property
    def folder(self) -> RunFolder | None:
        """Where the run at hand, or the last one, keeps its records; None before it has a place."""
        return self._folder

    def start(
        self,
        run_file: Path,
        *,
        overwrite: bool = False,
        continue_: bool = False,
        resume: Path | None = None,
    ) -> None:
        """Start a run.

        Args:
            run_file: The settings, with absolute paths.
            overwrite: Replace what an earlier run of this name left.
            continue_: Go on from the newest complete state of this name.
            resume: Go on from this state of its.
        """
        if self.is_running:
            raise RuntimeError("a run is going on")
        self._forget()
        if self.command is None:
            no_python, hint = text(NO_PYTHON), text(CHOOSE_PYTHON)
            self._close(
                ProcessEnd(-1, refusal=no_python, refusal_hint=hint, preferences_page=TRAINER_PAGE)
            )
            return
        flags = ["--overwrite"] * overwrite + ["--continue"] * continue_
        flags += [] if resume is None else ["--resume", str(resume)]
        arguments = (*self.command.arguments, "train", str(run_file), *flags)
        self._trainer = trainer = StartedTrainer(self)
        trainer.past_event_received.connect(self._on_past_event)
        self._listen(trainer)
        self._set_phase("starting")
        self.started.emit()
        program = self.command.program
        trainer.start(TrainerCommand(program, arguments), child_environment(program))

    def attach(self, folder: RunFolder) -> None:
        """Follow the run in ``folder`` from its beginning: one at work, or one that has ended.

        A run that was followed before goes on without us.
        """
        if self.is_running and not self.is_attached:
            raise RuntimeError("a run is going on")
        self._forget()
        self.retold.emit()
        self._folder = folder
        self._is_over = lock_holder(folder.lock_file) is None
        self._trainer = trainer = AttachedTrainer(folder, self)
        trainer.began_anew.connect(self._on_began_anew)
        self._listen(trainer)
        self._set_phase("starting")
        self.started.emit()

    def leave(self) -> None:
        """Follow a run that was found no longer; it goes on without us."""
        if self.is_attached:
            self._let_go()
            self._is_stopping = self._is_over = False
            self._set_phase("idle")

    def stop(self, *, save: bool, folder: Path | None = None) -> None:
        """Ask the run to stop, with or without saving; repeat it to change one's mind.

        Args:
            save: Whether to save weights and a state first.
            folder: Where, instead of on a disk that is full.
        """
        if self._trainer is not None and self.is_running:
            self._is_stopping = True
            self._stops_with_saving = save
            self._trainer.stop(save=save, folder="" if folder is None else str(folder))
            self.phase_changed.emit(self._phase)

    def kill(self) -> None:
        """End the run at once, without any saving."""
        if self._trainer is not None:
            self._trainer.kill()

    def send(self, command: Command) -> None:
        """Send a command to the trainer."""
        if self._trainer is not None:
            self._trainer.send(command)

    def detach(self) -> None:
        """Tell the trainer that the app is leaving; wait for `detached` before you do."""
        self.send(Detach())

    def _listen(self, trainer: StartedTrainer | AttachedTrainer) -> None:
        trainer.event_received.connect(self._deliver)
        trainer.stream_disturbed.connect(self.warned)
        trainer.log_received.connect(self.lines_received)
        trainer.ended.connect(self._close)

    def _forget(self) -> None:
        self._let_go()
        self.hello = self.plan = self.outcome = self._last_word = None
        self._folder = self._heard_at = self._last_step = None
        self._is_stopping = self._is_over = False
        self.forgotten.emit()

    def _let_go(self) -> None:
        if isinstance(self._trainer, AttachedTrainer):
            self._trainer.close()
        if self._trainer is not None:
            self._trainer.deleteLater()
            self._trainer = None

    # ---------------------------------------------------------------- events

    def _on_past_event(self, event: Event) -> None:
        self._note_step(event)
        self.past_event_received.emit(event)

    def _on_began_anew(self) -> None:
        self.hello = self.plan = self._last_word = self._last_step = None
        self.forgotten.emit()
        self.retold.emit()
        self.started.emit()

    def _deliver(self, event: Event) -> None:
        self._heard_at = event.time
        match event:
            case Hello():
                self._meet(event)
            case Plan():
                self.plan = event
            case DiskFilled():
                self._full_disk = event
            case Phase():
                self._set_phase(event.phase)
            case Finished() | Failed():
                self._last_word = event
            case Detached():
                self.detached.emit()
        self._note_step(event)
        self.event_received.emit(event)

    def _note_step(self, event: Event) -> None:
        if isinstance(event, StepDone):
            self._last_step = event.step

    def _meet(self, hello: Hello) -> None:
        is_beginning = self.hello is None or not hello.run_folder
        self.hello = hello  # the first one comes before the folder is known
        if is_beginning:
            self._check_version(hello)
            self._last_word = None  # a run that goes on has said it would end before
        if hello.run_folder and not self.is_attached:  # which may have been moved
            self._folder = RunFolder.at(Path(hello.run_folder))

    def _check_version(self, hello: Hello) -> None:
        if self._has_other_version:
            template = T(
                "App",
                "The trainer is version {theirs}, the app {ours}. The preferences put the same "
                "version into the trainer's Python.",
            )
            self.warned.emit(text(template, theirs=hello.version, ours=__version__))

    @property
    def _has_other_version(self) -> bool:
        return self.hello is not None and self.hello.version != __version__

    def _set_phase(self, phase: str) -> None:
        self._phase = "idle" if self._is_over else phase
        if self._phase != "paused":
            self._full_disk = None
        self.phase_changed.emit(self._phase)

    # ---------------------------------------------------------------- the end

    def _close(self, end: ProcessEnd) -> None:
        was_over, self._is_over = self._is_over, False
        self._let_go()
        self.outcome = outcome = self._outcome(end)
        self._is_stopping = False
        self._set_phase("idle")
        (self.recalled if was_over else self.ended).emit(outcome)

    def _outcome(self, end: ProcessEnd) -> Outcome:
        folder = self._folder
        if folder is None:
            outcome = outcome_of(end, self._last_word)
        else:
            outcome = outcome_of(
                end,
                self._last_word,
                folder.log_file,
                state=folder.newest_state(),
                step=self._last_step,
            )
        if self._has_other_version and not outcome.ok:
            return replace(outcome, preferences_page=TRAINER_PAGE)
        return outcome
