"""Ways out of the window: folders and files shown by the system, things on the clipboard."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QProcess, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QWidget

from desktop_app.questions import Answer, Ask, Question, ask
from desktop_app.translation import shown
from trainer_core.files.presence import is_there
from trainer_core.texts import T

_COPY = "copy"
_GONE = T("App", "It is no longer there: it was moved, renamed or deleted.")
_NO_PROGRAM = T("App", "The system names no program that opens it. Its path can be copied.")


def open_path(path: Path, parent: QWidget, *, ask: Ask = ask) -> None:
    """Show a folder, or a file in the program that the system has for it; say if it cannot be.

    Args:
        path: The folder or file.
        parent: Where it was asked for.
        ask: How the user is told.
    """
    was_found = is_there(path)
    if was_found and QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.absolute()))):
        return
    question = Question(
        shown(T("App", "This did not work")),
        shown(T("App", "{path} could not be opened."), path=str(path)),
        shown(_NO_PROGRAM if was_found else _GONE),
        (Answer(_COPY, shown(T("App", "Copy path"))),) if was_found else (),
        shown(T("App", "Close")),
    )
    if ask(parent, question) == _COPY:
        copy_text(str(path))


def show_in_folder(path: Path, parent: QWidget, *, ask: Ask = ask) -> None:
    """Show a file in the system's view of its folder, marked where the system can."""
    commands = {"win32": ("explorer", "/select,", str(path)), "darwin": ("open", "-R", str(path))}
    command = commands.get(sys.platform)
    if command is None or not is_there(path):
        open_path(path.parent, parent, ask=ask)
    else:
        QProcess.startDetached(command[0], list(command[1:]))


def copy_files(paths: Sequence[Path]) -> None:
    """Put files on the clipboard: for a file manager as files, for a text as their paths."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    data.setText("\n".join(map(str, paths)))
    QGuiApplication.clipboard().setMimeData(data)


def copy_text(words: str) -> None:
    """Put words on the clipboard."""
    QGuiApplication.clipboard().setText(words)
