"""What is wrong inside the files that the settings name, looked at in a thread."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QObject, Signal

from desktop_app.background import LatestJob
from trainer_core.preflight import FilesLook, look_into_files
from trainer_core.settings.problems import Problem
from trainer_core.settings.schema import Facts, TrainSettings

FILES = ("model.pretrained_model_name_or_path", "sampling.sample_prompts", "output.resume")


class FileChecks(QObject):
    """Looks into the base model, the prompt file and the state whenever others are named.

    Attributes:
        problems: What the last look found wrong.
        facts: What "auto" comes to, as the last look found.
    """

    changed = Signal()  # problems or facts are others
    looked = Signal()  # a look is finished

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.problems: Sequence[Problem] = ()
        self.facts: Facts = {}
        self._named: tuple[object, ...] = ()
        self._absent: frozenset[str] = frozenset()
        self._looking = LatestJob(self, only_reads=True)
        self._looking.finished.connect(self._on_looked)

    @property
    def is_busy(self) -> bool:
        """True until the newest look is finished."""
        return self._looking.is_running

    def follow(self, settings: TrainSettings, absent: Collection[str]) -> None:
        """Look into the files of these settings, if they are others than before.

        Args:
            settings: Their paths are absolute.
            absent: The settings whose files cannot be looked into, or not yet.
        """
        absent = frozenset(absent).intersection(FILES)
        named = (*map(settings.get, FILES), absent)
        if named != self._named:
            self._named, self._absent = named, absent
            self._show(FilesLook())  # it was about other files
            self.look_again(settings)

    def look_again(self, settings: TrainSettings) -> None:
        """Look into the files again: another program may have changed them."""
        absent = self._absent
        self._looking.start(lambda job: look_into_files(settings, absent))

    def close(self) -> None:
        """Drop the work at hand."""
        self._looking.close()

    def _on_looked(self, found: FilesLook | None) -> None:
        self._show(found or FilesLook())
        self.looked.emit()

    def _show(self, found: FilesLook) -> None:
        if found.problems != list(self.problems) or found.facts != self.facts:
            self.problems, self.facts = found.problems, found.facts
            self.changed.emit()
