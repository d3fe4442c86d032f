"""The commands of the Run menu: what must be clear before a start, and what a run is asked."""

from __future__ import annotations

import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from desktop_app.earlier_runs import offer_to_watch
from desktop_app.models.problems_model import Entry
from desktop_app.questions import CANCEL, Answer, Ask, Question, ask, report
from desktop_app.translation import shown
from desktop_app.workspace import Workspace
from trainer_core.errors import TrainerError
from trainer_core.protocol.messages import Command, Continue, Pause, SampleNow, SaveNow
from trainer_core.run_folder import RunFolder, free_name, state_step
from trainer_core.settings import document, files
from trainer_core.settings.problems import Severity
from trainer_core.settings.schema import TrainSettings
from trainer_core.texts import T

_SHOW, _GO_ON, _RENAME, _REPLACE = "show", "go_on", "rename", "replace"
_ERRORS_SHOWN = 5
_PHASES_OF_TRAINING = ("training", "sampling", "saving", "paused")


class RunCommands(QObject):
    """Start, stop and what lies between for the workspace's run."""

    told = Signal(str)  # what will be done once the step at hand is

    def __init__(self, workspace: Workspace, window: QWidget, *, ask: Ask = ask) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._window = window
        self._ask = ask
        self._has_prompts = True
        workspace.run.started.connect(self._on_started)

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

    def start(self) -> None:
        """Start a run of the document as it stands; the user's file is not saved by it."""
        if self._workspace.run.is_running or self._is_watched_instead():
            return
        errors = self._errors()
        settings = self._workspace.document.settings
        if errors or settings is None:
            self._refuse(errors)
            return
        choice = self._choose_for_name(settings)
        if choice == CANCEL:
            return
        try:
            snapshot = self._snapshot()
        except TrainerError as error:
            report(self._window, error, ask=self._ask)
            return
        self._has_prompts = settings.sampling.sample_prompts is not None
        self._workspace.run.start(
            snapshot, overwrite=choice == _REPLACE, continue_=choice == _GO_ON
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
        self._tell(SaveNow(), T("App", "Saving after this step…"))

    def sample_now(self) -> None:
        """Draw the samples after the step at hand, or say that the run has none."""
        if self._has_prompts:
            self._tell(SampleNow(), T("App", "Drawing samples after this step…"))
        else:
            self.told.emit(shown(T("App", "This run was started without a prompt file.")))
            self._workspace.dock_wanted.emit("samples")

    def _tell(self, command: Command, words: str) -> None:
        self._workspace.run.send(command)
        self.told.emit(shown(words))

    def _errors(self) -> list[Entry]:
        problems = self._workspace.problems
        entries = (problems.entry(row) for row in range(problems.rowCount()))
        return [entry for entry in entries if entry.severity is Severity.ERROR]

    def _refuse(self, errors: list[Entry]) -> None:
        listed = [f"• {entry.message}" for entry in errors[:_ERRORS_SHOWN]]
        if len(errors) > _ERRORS_SHOWN:
            more = len(errors) - _ERRORS_SHOWN
            listed.append(shown(T("App", "… and {count} more"), count=more))
        question = Question(
            shown(T("App", "The run cannot start")),
            shown(T("App", "Something must be set right before the run can start.")),
            "\n".join(listed),
            (Answer(_SHOW, shown(T("App", "Show"))),),
        )
        if self._ask(self._window, question) == _SHOW:
            self._workspace.dock_wanted.emit("problems")
            if errors[0].path:
                self._workspace.setting_wanted.emit(errors[0].path)

    def _choose_for_name(self, settings: TrainSettings) -> str:
        """Return what to do if a run of this name exists; "" if there is nothing to decide."""
        output = settings.output
        if output.output_dir is None or output.resume is not None:
            return ""
        folder = RunFolder(output.output_dir, output.output_name)
        if not folder.exists():
            return ""
        new_name = free_name(folder.output_dir, folder.name)
        choice = self._ask(self._window, _name_question(folder, new_name))
        if choice == _RENAME:
            self._workspace.document.set_value("output.output_name", new_name)
        return choice

    def _is_watched_instead(self) -> bool:
        return offer_to_watch(self._workspace, self._window, ask=self._ask)

    def _on_started(self) -> None:
        folder = self._workspace.run.folder
        if self._workspace.run.is_attached and folder is not None:
            self._has_prompts = _has_prompts(folder)

    def _snapshot(self) -> Path:
        name = self._workspace.document.value("output.output_name")
        started = datetime.datetime.now().astimezone()
        path = self._workspace.data_dir / "runs" / f"{name}-{started:%Y%m%d-%H%M%S-%f}.toml"
        self._workspace.document.write_snapshot(path)
        return path


def _name_question(folder: RunFolder, new_name: str) -> Question:
    state = folder.newest_state()
    answers = []
    if state is not None:
        label = shown(T("App", "Go on from step {step}"), step=state_step(state))
        answers.append(Answer(_GO_ON, label))
    answers.append(Answer(_RENAME, shown(T("App", "Start as {name}"), name=new_name)))
    replace = shown(T("App", "Replace its files"))
    answers.append(Answer(_REPLACE, replace, is_destructive=True))
    return Question(
        shown(T("App", "The name is taken")),
        shown(T("App", "There is a run called {name} already."), name=folder.name),
        shown(T("App", "Its files are in {folder}."), folder=str(folder.output_dir)),
        answers,
    )


def _has_prompts(folder: RunFolder) -> bool:
    """Tell whether a run draws samples, as far as its record says so."""
    try:
        settings, _ = document.parse(files.load(folder.run_file).raw)
    except TrainerError:
        return True
    return settings is None or settings.sampling.sample_prompts is not None
