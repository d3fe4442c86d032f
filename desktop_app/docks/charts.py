"""The dock that draws what a run measures."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop_app.docks.base import Dock
from desktop_app.workspace import Workspace
from trainer_core.texts import T


class ChartsDock(Dock):
    """Loss, learning rates and what else was measured over the steps of the run."""

    name = "charts"
    title = T("App", "Charts")
    icon = "charts"
    default_area = Qt.DockWidgetArea.RightDockWidgetArea
    is_built_late = True

    def build(self, workspace: Workspace) -> QWidget:
        """Return the view of the workspace's metrics."""
        # Here, because the library that draws takes a tenth of the app's start to import.
        from desktop_app.charts.view import ChartsView

        return ChartsView(workspace)
