"""What is wrong inside the files that the settings name, looked at in threads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from desktop_app.drives import DriveLooks
from trainer_core.preflight import FilesLook, look_into_files
from trainer_core.prompts.file import PromptFile
from trainer_core.settings.problems import Problem
from trainer_core.settings.rules.places import not_answering
from trainer_core.settings.schema import TRAIN, Facts, TrainSettings

FILES = (
    "model.pretrained_model_name_or_path",
    "model.vae",
    "adapter.network_weights",
    "sampling.sample_prompts",
    "output.resume",
)


class _File(NamedTuple):
    setting: str  # ``section.name``
    path: Path


class FileChecks(QObject):
    """Looks into the base model, starting weights, prompts and state whenever others are named.

    A file that can be seen but not read in time makes a problem that goes as soon as it can.

    Attributes:
        problems: What the last looks found wrong.
        facts: What "auto" comes to, as the last look found.
    """

    changed = Signal()  # problems or facts are others
    looked = Signal()  # every file was looked into, or did not answer in time

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.problems: Sequence[Problem] = ()
        self.facts: Facts = {}
        self._settings = TrainSettings()
        self._named: tuple[_File, ...] = ()
        self._found: dict[_File, FilesLook] = {}
        self._open: set[_File] = set()  # what is waited for
        self._again: set[_File] = set()  # what may have changed since its look began
        self._looks = DriveLooks(self)
        self._looks.answered.connect(self._on_answered)
        self._looks.silent.connect(self._on_silent)

    @property
    def is_busy(self) -> bool:
        """True until every file was looked into, or did not answer in time."""
        return bool(self._open)

    @property
    def prompts(self) -> PromptFile | None:
        """What the prompt file asks for; None if there is none that can be read."""
        found = (self._found[file].prompts for file in self._named if file in self._found)
        return next((prompts for prompts in found if prompts is not None), None)

    def follow(self, settings: TrainSettings, absent: Collection[str]) -> None:
        """Look into the files of these settings that those before did not name.

        Args:
            settings: Their paths are absolute.
            absent: The settings whose files cannot be looked into, or not yet.
        """
        self._settings = settings
        named = tuple(_named(settings, absent))
        if named == self._named:
            return
        self._named = named
        self._found = {file: found for file, found in self._found.items() if file in named}
        was_busy = self.is_busy
        self._open.intersection_update(named)
        self._show()  # what is gone was about other files
        for file in named:
            if file not in self._found:
                self._look(file)
        if was_busy and not self.is_busy:
            self.looked.emit()

    def look_again(self, settings: TrainSettings) -> None:
        """Look into the files again: another program may have changed them."""
        self._settings = settings
        for file in self._named:
            if self._looks.is_looking(file):
                self._again.add(file)
            else:
                self._look(file)

    def close(self) -> None:
        """Begin nothing more."""
        self._open.clear()
        self._looks.close()

    def _look(self, file: _File) -> None:
        others = frozenset(FILES) - {file.setting}
        self._looks.look(file, file.path, partial(look_into_files, self._settings, others))
        if self._looks.is_looking(file):
            self._open.add(file)

    def _on_answered(self, file: _File, found: FilesLook | None) -> None:
        is_named = file in self._named
        if file in self._again:
            self._again.discard(file)
            if is_named:
                self._look(file)
                return
        if is_named:
            self._found[file] = found or FilesLook()
        self._show()
        self._let_go(file)

    def _on_silent(self, file: _File) -> None:
        if file in self._named:
            problem = not_answering(TRAIN.params()[file.setting], file.path)
            self._found[file] = FilesLook([problem])
        self._show()
        self._let_go(file)

    def _let_go(self, file: _File) -> None:
        """Wait for it no longer, now that everybody knows what is in it."""
        self._open.discard(file)
        if not self._open:
            self.looked.emit()

    def _show(self) -> None:
        found = [self._found[file] for file in self._named if file in self._found]
        problems = [problem for each in found for problem in each.problems]
        facts = {name: fact for each in found for name, fact in each.facts.items()}
        if problems != list(self.problems) or facts != self.facts:
            self.problems, self.facts = problems, facts
            self.changed.emit()


def _named(settings: TrainSettings, absent: Collection[str]) -> Iterator[_File]:
    for setting in FILES:
        path = settings.get(setting)
        if isinstance(path, Path) and setting not in absent:
            yield _File(setting, path)
