"""The dock of the sample pictures that the trainer draws."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop_app.docks.base import Dock
from desktop_app.samples_view.view import SamplesView
from desktop_app.workspace import Workspace
from trainer_core.texts import T


class SamplesDock(Dock):
    """Prompts by steps, filled while the run goes; a click enlarges, two steps can be compared."""

    name = "samples"
    title = T("App", "Samples")
    icon = "samples"
    default_area = Qt.DockWidgetArea.RightDockWidgetArea

    def build(self, workspace: Workspace) -> QWidget:
        """Return the view of the workspace's samples."""
        document = workspace.document
        view = SamplesView(workspace.samples, document.typed_value)
        view.setting_wanted.connect(workspace.setting_wanted)
        document.changed.connect(view.show_advice)
        document.replaced.connect(view.show_advice)
        return view
