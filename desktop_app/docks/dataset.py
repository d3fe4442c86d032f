"""The dock that shows the pictures."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop_app.dataset_view.view import DatasetView
from desktop_app.dataset_view.view_layout import ViewLayout
from desktop_app.docks.base import Dock
from desktop_app.workspace import Workspace
from trainer_core.texts import T


class DatasetDock(Dock):
    """Thumbnails, concepts, findings and figures; what is dropped here is trained."""

    name = "dataset"
    title = T("App", "Dataset")
    icon = "dataset"
    default_area = Qt.DockWidgetArea.RightDockWidgetArea

    def build(self, workspace: Workspace) -> QWidget:
        """Return the view of the workspace's dataset."""
        view, pictures = DatasetView(workspace.dataset, workspace.captions), workspace.pictures
        view.view_layout.restore(workspace.preferences.layout(self.name))
        view.view_layout.changed.connect(partial(_keep_layout, workspace, view.view_layout))
        view.offered.connect(pictures.offer)
        view.added.connect(pictures.add)
        view.chosen.connect(pictures.use)
        view.removed.connect(pictures.remove)
        pictures.asked.connect(view.ask)
        pictures.noticed.connect(view.tell)
        workspace.picture_wanted.connect(view.reveal)
        workspace.captions.restored.connect(view.reveal)
        return view


def _keep_layout(workspace: Workspace, layout: ViewLayout) -> None:
    workspace.preferences.keep_layout(DatasetDock.name, layout.state())
