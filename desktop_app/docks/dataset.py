"""The dock that shows the picture folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop_app.dataset_view.view import DatasetView
from desktop_app.dataset_view.view_layout import ViewLayout
from desktop_app.docks.base import Dock
from desktop_app.workspace import Workspace
from trainer_core.texts import T


class DatasetDock(Dock):
    """Thumbnails, concepts, findings and figures; a folder dropped here is trained."""

    name = "dataset"
    title = T("App", "Dataset")
    icon = "dataset"
    default_area = Qt.DockWidgetArea.RightDockWidgetArea

    def build(self, workspace: Workspace) -> QWidget:
        """Return the view of the workspace's dataset."""
        view = DatasetView(workspace.dataset, workspace.captions)
        view.view_layout.restore(workspace.preferences.layout(self.name))
        view.view_layout.changed.connect(partial(_keep_layout, workspace, view.view_layout))
        view.folder_chosen.connect(partial(_use_folder, workspace))
        workspace.picture_wanted.connect(view.reveal)
        workspace.captions.restored.connect(view.reveal)
        return view


def _keep_layout(workspace: Workspace, layout: ViewLayout) -> None:
    workspace.preferences.keep_layout(DatasetDock.name, layout.state())


def _use_folder(workspace: Workspace, folder: Path) -> None:
    workspace.document.set_value("dataset.train_data_dir", folder.as_posix())
