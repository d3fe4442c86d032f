"""The objects that docks share: document, run, models and preferences."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QUndoGroup

from desktop_app.captions import Captions
from desktop_app.document import Document
from desktop_app.document_file.autosave import Autosave
from desktop_app.document_file.watch import FileWatch
from desktop_app.models.file_checks import FILES, FileChecks
from desktop_app.models.pictures.dataset_model import DatasetModel
from desktop_app.models.pictures.left_out import LeftOut
from desktop_app.models.pictures.picture_choice import PictureChoice
from desktop_app.models.place_checks import PlaceChecks
from desktop_app.models.problems_model import Entry, ProblemsModel
from desktop_app.models.prompt_choice import PromptChoice
from desktop_app.models.runs.known_runs import KnownRuns
from desktop_app.models.runs.log_model import LogModel
from desktop_app.models.runs.metrics_model import MetricsModel
from desktop_app.models.runs.run_fault import RunFault
from desktop_app.models.runs.run_record import RunRecord
from desktop_app.models.runs.samples_model import SamplesModel
from desktop_app.models.settings_filter import SettingsFilter
from desktop_app.models.space_check import SpaceCheck
from desktop_app.preferences import Preferences
from desktop_app.process.outcome import Outcome
from desktop_app.process.run_control import RunControl
from desktop_app.tools import Tools
from desktop_app.trainer_python.trainer_python import TrainerPython
from desktop_app.words.endings import is_run_of
from trainer_core.preflight import known_problems
from trainer_core.settings.schema import TRAIN, TrainSettings

_OUTPUT = "output.output_dir"
_PICTURES = (
    "dataset.train_data_dir",
    "dataset.more_pictures",
    "dataset.reg_data_dir",
    "dataset.in_json",
)


class Workspace(QObject):
    """One open document, its dataset, and the run that was started from it.

    Attributes:
        undo: The steps that undo and redo go: the document's, or those of the tool at hand,
            whichever has the focus or was changed since.
        document: The settings being edited.
        filter: Which of the document's settings are shown.
        autosave: Keeps them aside while they are unsaved.
        watch: Notices when another program changes their file.
        dataset: The pictures that the document names.
        places: Whether what it names is there.
        file_checks: What is wrong inside the other files that it names.
        space: Whether there is room for what the run will write.
        captions: Edits of their captions.
        pictures: What changes which pictures it names.
        left_out: What changes which of them are left out.
        prompts: What adds to the prompts that are drawn.
        problems: What is wrong with either.
        run: The trainer's process, and what it says.
        record: What is known of the run: plan, steps, files, what it used.
        fault: Marks the setting that it failed at.
        metrics: What the run measured.
        samples: The pictures that the run drew.
        log: What the run said to people.
        tools: What is said to the tools, and the one at work.
        known_runs: The runs that were started before.
        preferences: The app's own settings.
        python: The Python that trains.
        data_dir: Folder for what the app itself keeps (snapshots of started runs, unsaved changes).
    """

    setting_wanted = Signal(str)  # path of a setting that should be shown and focused
    picture_wanted = Signal(object)  # Path of a picture or folder that should be shown
    conversion_wanted = Signal(object)  # Path of a picture whose caption is to become UTF-8
    dock_wanted = Signal(str)  # name of a dock that should be shown
    drop_wanted = Signal(object)  # list of Paths of which some are no pictures
    command_wanted = Signal(str)  # name of a command of the menus that should be carried out
    run_settings_wanted = Signal()  # that the settings of the run at hand should be opened
    preferences_wanted = Signal(str)  # name of a page of the preferences that should be shown

    def __init__(
        self, preferences: Preferences, data_dir: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.data_dir = data_dir
        self.preferences = preferences
        self.document = Document(TRAIN, known_problems, self)
        self.undo = QUndoGroup(self)
        self.undo.addStack(self.document.undo_stack)
        self.undo.setActiveStack(self.document.undo_stack)
        self.filter = SettingsFilter(self.document, self)
        self.autosave = Autosave(self.document, data_dir / "recovery", self)
        self.watch = FileWatch(self.document, self)
        self.dataset = DatasetModel(self)
        self.places = PlaceChecks(self)
        self.file_checks = FileChecks(self)
        self.space = SpaceCheck(self)
        self.captions = Captions(self.document.undo_stack, self)
        self.pictures = PictureChoice(self.document, self)
        self.left_out = LeftOut(self.document)
        self.prompts = PromptChoice(self.document)
        self.problems = ProblemsModel(TRAIN, self)
        self.metrics = MetricsModel(self)
        self.samples = SamplesModel(self)
        self.log = LogModel(self)
        self.run = RunControl(self)
        self._tell_models()  # before anybody who looks at the models when the run says something
        self.record = RunRecord(self.run, self)
        self.fault = RunFault(self.run, self.record, self.document, self._is_own_run, self)
        self.tools = Tools(self.undo, self)
        self.python = TrainerPython(preferences, data_dir, self)
        self.known_runs = KnownRuns(self.run, self.document, data_dir / "known-runs.json", self)
        self._connect()

    def close(self) -> None:
        """Leave no thread at work, and nothing unsaved aside; a run found at work goes on."""
        self.tools.close()
        self.autosave.close()
        self.captions.batch.close()
        self.document.undo_stack.clear()  # Qt crashes where the collector destroys its steps
        self.watch.close()
        self.pictures.close()
        self.dataset.close()
        self.run.leave()
        self.known_runs.close()
        self.places.close()
        self.file_checks.close()
        self.space.close()
        self.record.close()
        self.python.close()

    @property
    def is_looking(self) -> bool:
        """True until everything that the document names was looked at."""
        return self.places.is_busy or self.dataset.is_busy or self.file_checks.is_busy

    @property
    def settings_in_reach(self) -> TrainSettings:
        """The usable settings, without an output folder that has not answered."""
        return self._without_output(is_cut=self.places.is_unsure(_OUTPUT))

    @property
    def settings_at_hand(self) -> TrainSettings:
        """The same, without one either that is looked at again: it may no longer answer."""
        is_looked_at = self.places.is_looked_at(_OUTPUT)
        return self._without_output(is_cut=is_looked_at or self.places.is_unsure(_OUTPUT))

    def _without_output(self, *, is_cut: bool) -> TrainSettings:
        usable = self.document.usable
        if is_cut:
            output = usable.output.model_copy(update={"output_dir": None})
            return usable.model_copy(update={"output": output})
        return usable

    def mend(self, entry: Entry) -> None:
        """Do what the button of a problem says, as one step of undo."""
        if entry.changes:
            self.document.apply(entry.changes, entry.way_out)
        elif entry.can_be_converted:
            self.conversion_wanted.emit(entry.picture)
        else:
            self._leave_out(entry)

    def _leave_out(self, entry: Entry) -> None:
        """Leave the picture of a problem out of the run, as one step of undo."""
        if entry.picture is not None and entry.can_be_left_out:
            self.left_out.leave_out([entry.picture])

    def look_again(self) -> None:
        """See whether files came, went or changed while the user was in other programs."""
        self.places.look_again()
        self.file_checks.look_again(self.document.usable)
        self.space.look_again()

    def _tell_models(self) -> None:
        run, metrics, samples, log = self.run, self.metrics, self.samples, self.log
        run.forgotten.connect(metrics.clear)
        run.retold.connect(log.clear)
        run.started.connect(samples.clear)
        run.past_event_received.connect(metrics.feed)
        run.past_event_received.connect(samples.feed)
        run.lines_received.connect(log.add_lines)
        run.warned.connect(log.add_warning)
        run.event_received.connect(log.feed)
        run.event_received.connect(metrics.feed)
        run.event_received.connect(samples.feed)
        run.ended.connect(log.add_outcome)
        run.recalled.connect(self._on_recalled)

    def _connect(self) -> None:
        document, dataset = self.document, self.dataset
        # What is dropped on the window changes it while a tool has the focus.
        document.undo_stack.indexChanged.connect(self._on_step)
        document.problems_changed.connect(self._on_problems_changed)
        document.changed.connect(self._on_document_changed)
        document.replaced.connect(self._on_document_changed)
        self.places.changed.connect(self._on_places_changed)
        self.places.looked.connect(self._look_inside)
        self.file_checks.changed.connect(self._on_files_checked)
        self.file_checks.looked.connect(self._weigh)
        dataset.changed.connect(self._weigh)
        self.space.changed.connect(self._on_weighed)
        # Queued: a caption may be written in the middle of selecting another picture.
        self.captions.written.connect(dataset.show_caption, Qt.ConnectionType.QueuedConnection)
        self.captions.batch.rewritten.connect(dataset.show_captions)
        dataset.changed.connect(self._on_findings_changed)
        dataset.findings_changed.connect(self._on_findings_changed)
        self.python.chosen.connect(self._on_python_chosen)
        self._on_python_chosen()
        self._on_problems_changed()

    def _on_recalled(self, outcome: Outcome) -> None:
        self.log.add_outcome(outcome, self.run.heard_at)

    def _is_own_run(self) -> bool:
        return is_run_of(self.run.folder, self.settings_in_reach)

    def _on_python_chosen(self) -> None:
        self.run.command = self.tools.run.command = self.python.command

    def _on_step(self) -> None:
        self.undo.setActiveStack(self.document.undo_stack)

    def _on_document_changed(self) -> None:
        self.places.follow(self.document.usable)
        self._look_inside()
        self.dataset.follow(self.document.raw, self.document.folder)
        self._weigh()

    def _look_inside(self) -> None:
        """Look into what is there; what has not answered would hold up the thread that asks."""
        self.dataset.hold(self.places.is_unsure(*_PICTURES))
        absent = {problem.path for problem in self.places.problems}
        absent |= {path for path in FILES if self.places.is_unsure(path)}
        self.file_checks.follow(self.document.usable, absent)

    def _on_problems_changed(self) -> None:
        self.problems.set_problems(self.document.problems)

    def _on_places_changed(self) -> None:
        self.document.set_found("places", self.places.problems)

    def _on_files_checked(self) -> None:
        self.document.set_facts(self.file_checks.facts)
        self.document.set_found("files", self.file_checks.problems)

    def _weigh(self) -> None:
        """Hold what the run will write against the room that there is."""
        survey = None if self.dataset.scan is None else self.dataset.scan.survey
        facts, prompts = self.file_checks.facts, self.file_checks.prompts
        self.space.follow(self.settings_in_reach, facts, survey, prompts)

    def _on_weighed(self) -> None:
        self.document.set_found("space", self.space.problems)

    def _on_findings_changed(self) -> None:
        self.document.set_found("pictures", self.dataset.place_problems)
        self.problems.set_findings(self.dataset.findings, *self.dataset.bases)
