"""The dock of the run: its plan, how it goes, and how it ended."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop_app.docks.base import Dock
from desktop_app.run_view.view import RunView
from desktop_app.workspace import Workspace
from trainer_core.texts import T


class RunDock(Dock):
    """Progress, files, asked and used, the end or the failure; comes to the front at the end."""

    name = "run"
    title = T("App", "Run")
    icon = "start"
    default_area = Qt.DockWidgetArea.RightDockWidgetArea

    def build(self, workspace: Workspace) -> QWidget:
        """Return the view of the workspace's run."""
        return RunView(workspace)
