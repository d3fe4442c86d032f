"""The message across the window that says that a disk is full, and asks what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from desktop_app.questions import CANCEL, Answer, Ask, Question, ask
from desktop_app.translation import shown
from desktop_app.widgets.banner import Banner
from desktop_app.words.settings import size_words
from desktop_app.workspace import Workspace
from trainer_core.protocol.messages import Continue
from trainer_core.texts import T, visible

#: Asks for a folder in a dialog with a title that begins at a folder; "" if none was chosen.
ChooseFolder = Callable[[QWidget, str, str], str]

_STOP_ELSEWHERE = T("App", "Stop and save elsewhere")


def choose_folder(parent: QWidget, title: str, start: str) -> str:
    """Let the user choose a folder; "" if none was."""
    return QFileDialog.getExistingDirectory(parent, title, start)


class DiskBanner(Banner):
    """Says what a run waits for room for, for as long as it does.

    Args:
        workspace: Whose run it is.
        parent: Qt's owner.
        ask: Asks where to save.
        choose: Asks for a folder.
    """

    def __init__(
        self,
        workspace: Workspace,
        parent: QWidget | None = None,
        *,
        ask: Ask = ask,
        choose: ChooseFolder = choose_folder,
    ) -> None:
        super().__init__(shown(T("App", "Close")), parent)
        self._run = workspace.run
        self._ask, self._choose = ask, choose
        self._is_told = False
        self._run.phase_changed.connect(self._refresh)
        self._run.ended.connect(self._refresh)

    def dismiss(self) -> None:
        """Take the message away; the run waits nevertheless."""
        self._is_told = False
        super().dismiss()

    def _refresh(self) -> None:
        disk = self._run.full_disk
        if disk is None or self._run.is_stopping:
            if self._is_told:
                self.dismiss()
            return
        if self._run.phase != "paused":  # it has not come to that yet
            return
        template = T("App", "The disk is full: {folder} needs {needed}, and {free} are free.")
        message = shown(
            template,
            folder=visible(disk.folder),
            needed=size_words(disk.needed_bytes),
            free=size_words(disk.free_bytes),
        )
        details = shown(T("App", "The run is paused, and goes on by itself once there is room."))
        ways = (
            (shown(T("App", "Try again")), self._try_again),
            (shown(T("App", "Stop and save elsewhere…")), self._stop_elsewhere),
        )
        self._is_told = True
        self.tell("warning", message, details, ways)

    def _try_again(self) -> None:
        self._run.send(Continue())

    def _stop_elsewhere(self) -> None:
        question = Question(
            shown(_STOP_ELSEWHERE),
            shown(T("App", "Where shall weights and state be saved?")),
            shown(
                T(
                    "App",
                    "Without a choice of yours they go beside the output folder if there is room, "
                    "else to the program's own folder. The run ends, and can go on from the state.",
                )
            ),
            (
                Answer("choose", shown(T("App", "Choose folder…"))),
                Answer("anywhere", shown(T("App", "Where there is room"))),
            ),
        )
        answer = self._ask(self, question)
        folder = self._chosen() if answer == "choose" else None
        is_meant = answer != CANCEL and (folder is not None or answer != "choose")
        if is_meant and self._run.full_disk is not None:  # it may have gone on meanwhile
            self._run.stop(save=True, folder=folder)

    def _chosen(self) -> Path | None:
        chosen = self._choose(self, shown(_STOP_ELSEWHERE), str(Path.home()))
        return Path(chosen) if chosen else None
