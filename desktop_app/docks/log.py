"""The dock that shows what the trainer writes for people."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop_app.docks.base import Dock
from desktop_app.log_view import LogView
from desktop_app.workspace import Workspace
from trainer_core.texts import T


class LogDock(Dock):
    """The lines of the log, coloured by their level."""

    name = "log"
    title = T("App", "Log")
    icon = "log"
    default_area = Qt.DockWidgetArea.BottomDockWidgetArea

    def build(self, workspace: Workspace) -> QWidget:
        """Return the view of the workspace's log."""
        return LogView(workspace.log)
