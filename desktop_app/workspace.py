"""The objects that docks share: document, run, models and preferences."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal

from desktop_app.captions import Captions
from desktop_app.document import Document
from desktop_app.models.dataset_model import DatasetModel
from desktop_app.models.log_model import LogModel
from desktop_app.models.metrics_model import MetricsModel
from desktop_app.models.picture_choice import PictureChoice
from desktop_app.models.problems_model import ProblemsModel
from desktop_app.models.samples_model import SamplesModel
from desktop_app.preferences import Preferences
from desktop_app.process.run_control import RunControl


class Workspace(QObject):
    """One open document, its dataset, and the run that was started from it.

    Attributes:
        document: The settings being edited.
        dataset: The pictures that the document names.
        captions: Edits of their captions.
        pictures: What changes which pictures it names.
        problems: What is wrong with either.
        run: The trainer's process, and what it says.
        metrics: What the run measured.
        samples: The pictures that the run drew.
        log: What the run said to people.
        preferences: The app's own settings.
        data_dir: Folder for what the app itself keeps (snapshots of started runs).
    """

    setting_wanted = Signal(str)  # path of a setting that should be shown and focused
    picture_wanted = Signal(object)  # Path of a picture or folder that should be shown
    dock_wanted = Signal(str)  # name of a dock that should be shown

    def __init__(
        self, preferences: Preferences, data_dir: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.data_dir = data_dir
        self.preferences = preferences
        self.document = Document(self)
        self.dataset = DatasetModel(self)
        self.captions = Captions(self.document.undo_stack, self)
        self.pictures = PictureChoice(self.document, self)
        self.problems = ProblemsModel(self)
        self.metrics = MetricsModel(self)
        self.samples = SamplesModel(self)
        self.log = LogModel(self)
        self.run = RunControl(self.metrics, self.log, self)
        self._connect()

    def close(self) -> None:
        """Leave no thread at work."""
        self.pictures.close()
        self.dataset.close()

    def _connect(self) -> None:
        document, dataset, run = self.document, self.dataset, self.run
        document.problems_changed.connect(self._on_problems_changed)
        document.changed.connect(self._on_document_changed)
        document.replaced.connect(self._on_document_changed)
        # Queued: a caption may be written in the middle of selecting another picture.
        self.captions.written.connect(dataset.show_caption, Qt.ConnectionType.QueuedConnection)
        dataset.changed.connect(self._on_findings_changed)
        dataset.findings_changed.connect(self._on_findings_changed)
        run.started.connect(self.samples.clear)
        run.past_event_received.connect(self.samples.feed)
        run.event_received.connect(self.samples.feed)
        self._on_problems_changed()

    def _on_document_changed(self) -> None:
        self.dataset.follow(self.document.raw, self.document.folder)

    def _on_problems_changed(self) -> None:
        self.problems.set_problems(self.document.problems)

    def _on_findings_changed(self) -> None:
        self.problems.set_findings(self.dataset.findings, *self.dataset.bases)
