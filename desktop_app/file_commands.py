"""The commands of the File menu, with what they must ask before."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop_app.questions import CANCEL, Answer, Ask, Question, ask, report
from desktop_app.translation import shown
from desktop_app.workspace import Workspace
from trainer_core.demo_project import copy_demo
from trainer_core.errors import TrainerError
from trainer_core.texts import T

_SAVE, _DISCARD = "save", "discard"


class FileCommands(QObject):
    """New, open and save for the workspace's document."""

    recent_changed = Signal()

    def __init__(self, workspace: Workspace, window: QWidget, *, ask: Ask = ask) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._document = workspace.document
        self._window = window
        self._ask = ask

    def new(self) -> None:
        """Start an empty document."""
        if self.may_leave():
            self._document.new()

    def open(self) -> None:
        """Ask for a run file and open it."""
        path, _ = QFileDialog.getOpenFileName(
            self._window, shown(T("App", "Open run file")), str(self._document.folder), _filter()
        )
        if path:
            self.open_path(Path(path))

    def open_path(self, path: Path) -> None:
        """Open a run file."""
        if not self.may_leave():
            return
        try:
            self._document.load(path)
        except TrainerError as error:
            report(self._window, error, ask=self._ask)
        else:
            self._remember(path)

    def open_copy(self, path: Path) -> None:
        """Open what a run file says as a new document, which is saved elsewhere."""
        if not self.may_leave():
            return
        try:
            self._document.load_copy(path)
        except TrainerError as error:
            report(self._window, error, ask=self._ask)

    def open_demo(self) -> None:
        """Open the demo project, copied once to where it may be written."""
        try:
            run_file = copy_demo(self._workspace.data_dir / "demo")
        except TrainerError as error:
            report(self._window, error, ask=self._ask)
        else:
            self.open_path(run_file)

    def save(self) -> bool:
        """Save the document under its name; ask for one if it has none."""
        if self._document.path is None:
            return self.save_as()
        return self._save_to(self._document.path)

    def save_as(self) -> bool:
        """Ask for a name and save the document under it."""
        proposed = self._document.path or Path.home() / f"{self._name()}.toml"
        path, _ = QFileDialog.getSaveFileName(
            self._window, shown(T("App", "Save run file")), str(proposed), _filter()
        )
        if not path:
            return False
        chosen = Path(path)
        return self._save_to(chosen if chosen.suffix else chosen.with_suffix(".toml"))

    def may_leave(self) -> bool:
        """Tell whether the document may be left; unsaved changes are asked about."""
        if not self._document.is_dirty:
            return True
        question = Question(
            shown(T("App", "Unsaved changes")),
            shown(T("App", "Save the changes to {name}?"), name=self._shown_name()),
            answers=(
                Answer(_SAVE, shown(T("App", "Save"))),
                Answer(_DISCARD, shown(T("App", "Discard changes")), is_destructive=True),
            ),
        )
        answer = self._ask(self._window, question)
        return self.save() if answer == _SAVE else answer != CANCEL

    def _save_to(self, path: Path) -> bool:
        try:
            self._document.save(path)
        except TrainerError as error:
            report(self._window, error, ask=self._ask)
            return False
        self._remember(path)
        return True

    def _remember(self, path: Path) -> None:
        self._workspace.preferences.remember_file(path)
        self.recent_changed.emit()

    def _name(self) -> str:
        return str(self._document.value("output.output_name"))

    def _shown_name(self) -> str:
        path = self._document.path
        return path.name if path is not None else shown(T("App", "the new run"))


def _filter() -> str:
    return shown(T("App", "Run files (*.toml)"))
