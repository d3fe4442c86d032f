"""The commands of the Run menu: what must be clear before a start, and what a run is asked."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from desktop_app.commands.earlier_runs import offer_to_watch
from desktop_app.models.runs.log_model import Level
from desktop_app.process.outcome import TRAINER_PAGE
from desktop_app.questions import CANCEL, Answer, Ask, Question, ask, report
from desktop_app.run_view.start_sheet import StartSheet, confirm
from desktop_app.translation import shown
from desktop_app.words.name_ways import NameWay
from desktop_app.workspace import Workspace
from trainer_core.errors import OutputError, TrainerError
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.writing import output_error
from trainer_core.protocol.messages import (
    CheckpointSaved,
    Command,
    Continue,
    Event,
    Pause,
    Phase,
    SampleNow,
    SampleReady,
    SaveNow,
)
from trainer_core.settings import files
from trainer_core.settings.schema import TRAIN
from trainer_core.texts import T

_PREFERENCES = "preferences"
_PHASES_OF_TRAINING = ("training", "sampling", "validating", "saving", "paused")


class RunCommands(QObject):
    """Start, stop and what lies between for the workspace's run."""

    announced = Signal(str)  # what will be done once the step at hand is
    news = Signal(str)  # that it was done

    def __init__(
        self,
        workspace: Workspace,
        window: QWidget,
        *,
        ask: Ask = ask,
        confirm: Callable[[StartSheet], bool] = confirm,
    ) -> None:
        super().__init__(window)
        self._confirm = confirm
        self._workspace = workspace
        self._window = window
        self._ask = ask
        self._has_prompts = True
        self._awaits_save = False
        self._awaits_samples = False
        self._sampled_step: int | None = None
        self._starts_when_ready = False
        # A start asks the disk and waits for it, which must not be done inside of its answers.
        self._ready = QTimer(self, singleShot=True, interval=0)
        self._ready.timeout.connect(self._start_if_ready)
        workspace.document.replaced.connect(self._forget_start)
        workspace.places.looked.connect(self._ready.start)
        workspace.file_checks.looked.connect(self._ready.start)
        workspace.dataset.busy_changed.connect(self._ready.start)
        workspace.run.started.connect(self._on_started)
        workspace.run.event_received.connect(self._on_event)

    @property
    def can_be_asked(self) -> bool:
        """True while the run trains: it can be paused, save and draw samples."""
        run, latest = self._workspace.run, self._workspace.metrics.latest
        if not run.is_running or run.is_stopping or run.phase not in _PHASES_OF_TRAINING:
            return False
        is_last = (
            run.plan is not None and latest is not None and latest.step >= run.plan.total_steps
        )
        return not is_last  # what follows the last step is not interrupted

    def start_when_ready(self) -> None:
        """Start once the files were looked at, without a summary unless something is wrong."""
        self._starts_when_ready = True
        self._ready.start()

    def start(self, *, at_once: bool = False) -> None:
        """Start a run of the document as it stands; the user's file is not saved by it.

        Args:
            at_once: Whether the summary is shown only if something is wrong.
        """
        self._starts_when_ready = False
        if self._workspace.run.is_running or self._is_watched_instead():
            return
        if self._workspace.python.is_being_changed:
            self._tell_of_installation()
            return
        self._workspace.fault.forget()  # what the last run failed at may be there by now
        self._workspace.document.expect_values()
        sheet = StartSheet(self._workspace, self._window)
        try:
            is_skipped = sheet.may_be_skipped or (at_once and sheet.is_ready)
            if is_skipped or self._confirm(sheet):
                if self._workspace.run.is_running:
                    self._tell_of_other_run()
                else:
                    self._start(sheet)
        finally:
            sheet.let_go()
            sheet.deleteLater()

    def _start_if_ready(self) -> None:
        if self._starts_when_ready and not self._workspace.is_looking:
            self.start(at_once=True)

    def _forget_start(self) -> None:
        self._starts_when_ready = False  # another document: nobody asked to train that one

    def _start(self, sheet: StartSheet) -> None:
        way = sheet.way
        if way is NameWay.RENAME:
            self._workspace.document.set_value("output.output_name", sheet.new_name)
        try:
            snapshot = self._snapshot()
        except TrainerError as error:
            report(self._window, error, ask=self._ask)
            return
        settings = self._workspace.document.settings
        self._has_prompts = settings is not None and settings.sampling.has_prompts
        self._workspace.run.start(
            snapshot,
            overwrite=way is NameWay.REPLACE,
            continue_=way is NameWay.GO_ON and sheet.state is None,
            resume=sheet.state,
        )

    def stop_and_save(self) -> None:
        """End the run after the step at hand, with weights and a resumable state."""
        self._workspace.run.stop(save=True)

    def stop_now(self) -> None:
        """End the run without saving, if that is really meant."""
        question = Question(
            shown(T("App", "Stop without saving")),
            shown(T("App", "Stop now and lose what was trained since the last save?")),
            answers=(Answer("stop", shown(T("App", "Stop without saving")), is_destructive=True),),
            cancel_label=shown(T("App", "Go on training")),
        )
        if self._ask(self._window, question) != CANCEL:
            self._workspace.run.stop(save=False)

    def pause(self) -> None:
        """Hold after the step at hand."""
        self._tell(Pause(), T("App", "Pausing after this step…"))

    def go_on(self) -> None:
        """Train on after a pause."""
        self._workspace.run.send(Continue())

    def save_now(self) -> None:
        """Write weights and a state after the step at hand."""
        self._awaits_save = True
        self._tell(SaveNow(), T("App", "Saving after this step…"))

    def sample_now(self) -> None:
        """Draw the samples after the step at hand, or say that the run has none."""
        if self._has_prompts:
            self._awaits_samples = True
            self._tell(SampleNow(), T("App", "Drawing samples after this step…"))
        else:
            self.announced.emit(shown(T("App", "This run was started without prompts.")))
            self._workspace.dock_wanted.emit("samples")

    def _tell(self, command: Command, words: str) -> None:
        self._workspace.run.send(command)
        self.announced.emit(shown(words))

    def _on_event(self, event: Event) -> None:
        """Say that what was asked for is done."""
        match event:
            case CheckpointSaved(kind="weights") if self._awaits_save:
                self._awaits_save = False
                name = Path(event.path).name
                self.news.emit(shown(T("App", "Saved: {name}"), name=name))
            case SampleReady() if self._awaits_samples:
                self._sampled_step = event.step
            case Phase(phase="training" | "paused") if self._sampled_step is not None:
                template = T("App", "Samples of step {step} are drawn.")
                self.news.emit(shown(template, step=self._sampled_step))
                self._awaits_samples, self._sampled_step = False, None

    def _tell_of_installation(self) -> None:
        title = shown(T("App", "Start training"))
        message = shown(T("App", "Packages are being installed for the trainer."))
        details = shown(T("App", "Start when that is done; the preferences show how far it is."))
        ways = (Answer(_PREFERENCES, shown(T("App", "Preferences…"))),)
        close = shown(T("App", "Close"))
        if self._ask(self._window, Question(title, message, details, ways, close)) != CANCEL:
            self._workspace.preferences_wanted.emit(TRAINER_PAGE)

    def _tell_of_other_run(self) -> None:
        """Say why nothing starts: an earlier run was found while the plan was being read."""
        title = shown(T("App", "Start training"))
        message = shown(T("App", "Another run is at work: it was found meanwhile, and is shown."))
        details = shown(T("App", "Start again when it has ended, or stop it first."))
        close = shown(T("App", "Close"))
        self._ask(self._window, Question(title, message, details, cancel_label=close))

    def _is_watched_instead(self) -> bool:
        return offer_to_watch(self._workspace, self._window, ask=self._ask)

    def _on_started(self) -> None:
        self._awaits_save = self._awaits_samples = False
        self._sampled_step = None
        folder = self._workspace.run.folder
        if self._workspace.run.is_attached and folder is not None:
            self._has_prompts = _has_prompts(folder)

    def _snapshot(self) -> Path:
        """Write the file that the run is started with, aside where the app's folder is no use."""
        document = self._workspace.document
        started = datetime.datetime.now().astimezone()
        name = f"{document.value('output.output_name')}-{started:%Y%m%d-%H%M%S-%f}.toml"
        path = self._workspace.data_dir / "runs" / name
        try:
            document.write_snapshot(path)
        except OutputError as error:
            self._workspace.log.add(Level.WARNING, error.message)
            path = _temporary_folder(path) / name
            document.write_snapshot(path)
        return path


def _temporary_folder(instead_of: Path) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="lora-loom-"))
    except OSError as error:
        raise output_error(error, instead_of) from error


def _has_prompts(folder: RunFolder) -> bool:
    """Tell whether a run draws samples, as far as its record says so."""
    try:
        settings, _ = TRAIN.parse(files.load(folder.run_file).raw)
    except TrainerError:
        return True
    return settings is None or settings.sampling.has_prompts
