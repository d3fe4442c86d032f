"""What the app shows first: changes that a crash left unsaved, a file, the demo, or the welcome."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QDateTime, QLocale, QObject
from PySide6.QtWidgets import QWidget

from desktop_app.commands.files import FileCommands
from desktop_app.document import content_stamp
from desktop_app.document_file.recovery import RecoveryFile, Unsaved, left_behind
from desktop_app.questions import Answer, Ask, Question, ask, report
from desktop_app.translation import shown
from desktop_app.workspace import Workspace
from trainer_core.errors import TrainerError
from trainer_core.texts import T

_RECOVER, _DISCARD = "recover", "discard"


class Opening(QObject):
    """Decides what a window that has just come up shows."""

    def __init__(
        self, workspace: Workspace, files: FileCommands, window: QWidget, *, ask: Ask = ask
    ) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._files = files
        self._window = window
        self._ask = ask

    def begin(self, run_file: Path | None, *, demo: bool, welcome: Callable[[], object]) -> None:
        """Offer what is left of a crash, then open what was asked for.

        Args:
            run_file: The run file named on the command line.
            demo: Whether the demo was asked for there.
            welcome: Shows the welcome, where there is nothing to open.
        """
        is_recovered = self._offer_unsaved()
        path = self._workspace.document.path
        if run_file is not None:
            if path is None or not _is_same(run_file, path):
                self._files.open_path(run_file)
        elif demo:
            self._files.open_demo()
        elif not is_recovered:
            welcome()

    def _offer_unsaved(self) -> bool:
        """Ask about everything that is left, until something was recovered."""
        places = left_behind(self._workspace.data_dir / "recovery")
        is_recovered = False
        for place, unsaved in places:
            answer = "" if is_recovered else self._ask(self._window, _question(unsaved))
            if answer == _RECOVER:
                self._recover(unsaved)
                self._workspace.autosave.take_over(place)
                is_recovered = True
            elif answer == _DISCARD:
                self._discard(place)
            if answer != _RECOVER:
                place.release()  # for the next start, or another window
        return is_recovered

    def _discard(self, place: RecoveryFile) -> None:
        try:
            place.discard()
        except TrainerError as error:
            report(self._window, error, ask=self._ask)

    def _recover(self, unsaved: Unsaved) -> None:
        self._workspace.document.recover(unsaved.file, unsaved.path, unsaved.stamp)
        if unsaved.path is not None:
            self._workspace.preferences.remember_file(unsaved.path)


def _is_same(path: Path, other: Path) -> bool:
    return path.absolute() == other.absolute()


def _question(unsaved: Unsaved) -> Question:
    kept = QLocale().toString(
        QDateTime.fromSecsSinceEpoch(int(unsaved.kept.timestamp())), QLocale.FormatType.ShortFormat
    )
    name = shown(T("App", "The new run")) if unsaved.path is None else unsaved.path.name
    details = [shown(T("App", "They were kept on {time}."), time=kept)]
    if unsaved.path is not None:
        details.append(str(unsaved.path))
        details.extend(_changes_since(unsaved.path, unsaved.stamp))
    return Question(
        shown(T("App", "Unsaved changes")),
        shown(T("App", "{name} had unsaved changes when LoRA Loom ended last."), name=name),
        "\n".join(details),
        (
            Answer(_RECOVER, shown(T("App", "Recover"))),
            Answer(_DISCARD, shown(T("App", "Discard changes")), is_destructive=True),
        ),
        shown(T("App", "Later")),
    )


def _changes_since(path: Path, stamp: str | None) -> list[str]:
    found = content_stamp(path)
    if found == stamp:
        return []
    if found is None:
        return [shown(T("App", "The file itself is no longer there."))]
    return [
        shown(
            T(
                "App",
                "The file itself was changed since. Recovering does not touch it; "
                "you decide when you save.",
            )
        )
    ]
