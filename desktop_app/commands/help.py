"""The commands of the Help menu."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QWidget

from desktop_app.commands.files import FileCommands
from desktop_app.commands.run import RunCommands
from desktop_app.late_modules import late
from desktop_app.workspace import Workspace

if TYPE_CHECKING:
    from desktop_app.help import about, shortcuts, welcome
else:
    about = late("desktop_app.help.about")
    shortcuts = late("desktop_app.help.shortcuts")
    welcome = late("desktop_app.help.welcome")


class HelpCommands(QObject):
    """Opens the dialogs of the Help menu; each goes when it is closed."""

    def __init__(
        self, workspace: Workspace, files: FileCommands, run: RunCommands, window: QWidget
    ) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._files = files
        self._run = run
        self._window = window

    def welcome(self) -> None:
        """Show the welcome."""
        recent = self._workspace.preferences.recent_files
        dialog = welcome.Welcome(self._files, self.try_demo, recent, self._window)
        self._workspace.run.started.connect(dialog.accept)  # one was found at work
        _open(dialog)

    def try_demo(self) -> bool:
        """Open the demo and train it at once; False if it was not opened."""
        if not self._files.open_demo():
            return False
        self._run.start_when_ready()
        return True

    def shortcuts(self, commands: Mapping[str, QAction], docks: Iterable[QAction]) -> None:
        """Show the keys of all commands and docks."""
        groups = shortcuts.shortcut_groups(commands, docks)
        _open(shortcuts.Shortcuts(groups, self._window))

    def about(self) -> None:
        """Show what the program is."""
        _open(about.About(self._workspace.data_dir, self._window))


def _open(dialog: QDialog) -> None:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
