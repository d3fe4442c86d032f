"""The commands of the File menu, with what they must ask before."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop_app.document import content_stamp
from desktop_app.models.pictures.picture_offer import Offer
from desktop_app.outside import open_path
from desktop_app.questions import CANCEL, Answer, Ask, Question, ask, report
from desktop_app.translation import shown
from desktop_app.workspace import Workspace
from trainer_core.errors import TrainerError
from trainer_core.files.demo_project import DEMO_FOLDER, copy_demo
from trainer_core.files.presence import is_file, is_there
from trainer_core.settings.foreign.dataset_toml import (
    import_dataset_config,
    is_dataset_config_file,
)
from trainer_core.texts import T

_SAVE, _SAVE_AS, _DISCARD, _EDIT, _FORGET = "save", "save_as", "discard", "edit", "forget"


class FileCommands(QObject):
    """New, open and save for the workspace's document."""

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

    def open(self) -> bool:
        """Ask for a run file and open it; False if none was opened."""
        path, _ = QFileDialog.getOpenFileName(
            self._window, shown(T("App", "Open run file")), str(self._document.folder), _filter()
        )
        return bool(path) and self.open_path(Path(path))

    def open_path(self, path: Path) -> bool:
        """Open a run file, or import a dataset configuration; False if it was not."""
        if is_dataset_config_file(path):
            return self.import_path(path)
        if not self.may_leave():
            return False
        try:
            self._document.load(path)
        except TrainerError as error:
            self._report_unread(path, error)
            return False
        self._remember(path)
        return True

    def import_dataset(self) -> bool:
        """Ask for a dataset configuration and take it over; False if none was."""
        title = shown(T("App", "Import dataset"))
        wanted = shown(T("App", "Dataset configurations (*.toml *.json)"))
        folder = str(self._document.folder)
        path, _ = QFileDialog.getOpenFileName(self._window, title, folder, wanted)
        return bool(path) and self.import_path(Path(path))

    def import_path(self, path: Path) -> bool:
        """Take over a dataset configuration as one step of undo; False if it cannot be."""
        try:
            found = import_dataset_config(path)
        except TrainerError as error:
            self._report_unread(path, error)
            return False
        self._workspace.dock_wanted.emit("dataset")
        self._document.apply(found.changes, shown(T("App", "import of {name}"), name=path.name))
        said = T("App", "The pictures are as “{name}” says; what it leaves open is as before.")
        words = [shown(said, name=path.name), *map(shown, found.notes)]
        self._workspace.pictures.noticed.emit("\n".join(words))
        return True

    def open_copy(self, path: Path) -> None:
        """Open what a run file says as a new document, which is saved elsewhere."""
        if not self.may_leave():
            return
        try:
            self._document.load_copy(path)
        except TrainerError as error:
            report(self._window, error, ask=self._ask)

    def open_pictures(self) -> bool:
        """Ask for the folder of pictures to learn from; False if none was chosen."""
        path = QFileDialog.getExistingDirectory(
            self._window, shown(T("App", "Open pictures")), str(self._document.folder)
        )
        if path:
            self._workspace.dock_wanted.emit("dataset")
            self._workspace.pictures.offer(Offer.of([Path(path)]))
        return bool(path)

    def open_recent(self, path: Path) -> bool:
        """Open a run file of the list of recent ones; one that is gone can be taken off it."""
        if is_there(path):
            return self.open_path(path)
        question = Question(
            shown(T("App", "Open recent")),
            shown(T("App", "{name} is no longer there."), name=path.name),
            shown(T("App", "It was in {folder}."), folder=str(path.parent)),
            (Answer(_FORGET, shown(T("App", "Remove from the list"))),),
            shown(T("App", "Close")),
        )
        if self._ask(self._window, question) == _FORGET:
            self._workspace.preferences.forget_file(path)
        return False

    def open_demo(self) -> bool:
        """Open the demo project, copied once to where it may be written; False if it was not."""
        try:
            run_file = copy_demo(self._workspace.data_dir / DEMO_FOLDER)
        except TrainerError as error:
            report(self._window, error, ask=self._ask)
            return False
        return self.open_path(run_file)

    def reload(self) -> None:
        """Take over what another program wrote to the file; it can be undone."""
        try:
            self._document.reload()
        except TrainerError as error:
            report(self._window, error, ask=self._ask)

    def save(self) -> bool:
        """Save the document under its name; ask for one if it has none."""
        path = self._document.path
        if path is None:
            return self.save_as()
        answer = self._ask(self._window, _changed_question(path)) if self._is_foreign() else _SAVE
        if answer == _SAVE:
            return self._save_to(path)
        return answer == _SAVE_AS and self.save_as()

    def save_as(self) -> bool:
        """Ask for a name and save the document under it."""
        proposed = self._document.path or Path.home() / f"{self._name()}.toml"
        words, _ = QFileDialog.getSaveFileName(
            self._window, shown(T("App", "Save run file")), str(proposed), _filter()
        )
        if not words:
            return False
        chosen = Path(words)
        if chosen.suffix.lower() == ".toml":
            return self._save_to(chosen)
        completed = chosen.with_name(f"{chosen.name}.toml")
        # The dialog asked about the name as it was typed.
        return self._may_replace(completed) and self._save_to(completed)

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

    def _report_unread(self, path: Path, error: TrainerError) -> None:
        """Say why a file cannot be opened; what is text can be mended in a text editor."""
        edit = Answer(_EDIT, shown(T("App", "Open in text editor")))
        question = Question(
            shown(T("App", "This did not work")),
            shown(error.message),
            shown(error.hint) if error.hint else "",
            (edit,) if is_file(path) else (),
            shown(T("App", "Close")),
        )
        if self._ask(self._window, question) == _EDIT:
            open_path(path, self._window, ask=self._ask)

    def _is_foreign(self) -> bool:
        """Tell whether another program wrote the file since it was read."""
        path = self._document.path
        found = None if path is None else content_stamp(path)
        return found is not None and found != self._document.stamp

    def _may_replace(self, path: Path) -> bool:
        if not path.exists():
            return True
        question = Question(
            shown(T("App", "Save run file")),
            shown(T("App", "{name} exists already. Replace it?"), name=path.name),
            answers=(Answer(_SAVE, shown(T("App", "Replace")), is_destructive=True),),
        )
        return self._ask(self._window, question) == _SAVE

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

    def _name(self) -> str:
        return str(self._document.value("output.output_name"))

    def _shown_name(self) -> str:
        path = self._document.path
        return path.name if path is not None else shown(T("App", "the new run"))


def _changed_question(path: Path) -> Question:
    return Question(
        shown(T("App", "The file was changed")),
        shown(T("App", "{name} was changed since it was opened."), name=path.name),
        shown(T("App", "Saving would replace what another program wrote into it.")),
        (
            Answer(_SAVE_AS, shown(T("App", "Save as…"))),
            Answer(_SAVE, shown(T("App", "Overwrite")), is_destructive=True),
        ),
    )


def _filter() -> str:
    return shown(T("App", "Run files (*.toml)"))
