"""The docks in which settings are edited: forms of one or two sections each."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop_app.docks.base import Dock
from desktop_app.editors.page import SettingsPage
from desktop_app.workspace import Workspace


class ParametersDock(Dock):
    """Forms of some settings sections."""

    default_area = Qt.DockWidgetArea.LeftDockWidgetArea

    def __init__(self, name: str, title: str, icon: str, sections: tuple[str, ...]) -> None:
        self.name = name
        self.title = title
        self.icon = icon
        self._sections = sections

    def build(self, workspace: Workspace) -> QWidget:
        """Return the forms, one below the other."""
        page = SettingsPage(
            self._sections, workspace.document, workspace.preferences, workspace.filter
        )
        workspace.setting_wanted.connect(page.reveal)
        page.setting_wanted.connect(workspace.setting_wanted)
        return page

    def shows(self, path: str) -> bool:
        """Tell whether the setting belongs to one of the sections."""
        return path.partition(".")[0] in self._sections
