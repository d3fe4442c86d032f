"""The window: docks, menus, toolbar and status bar around one workspace."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, QUrl
from PySide6.QtGui import (
    QActionGroup,
    QCloseEvent,
    QDesktopServices,
    QDragEnterEvent,
    QDropEvent,
)
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from desktop_app.actions import draw_icons, make_actions, make_menus
from desktop_app.closing import Closing
from desktop_app.dock_frame import DockFrame
from desktop_app.docks.catalogue import DOCKS
from desktop_app.editors.base import Editor
from desktop_app.file_commands import FileCommands
from desktop_app.models.settings_model import PathRole, SearchRole, SettingsModel
from desktop_app.preferences import THEMES
from desktop_app.process.outcome import Outcome
from desktop_app.questions import Ask, ask
from desktop_app.run_commands import RunCommands
from desktop_app.status import StatusBar
from desktop_app.theme import tokens
from desktop_app.theme.icons import app_icon, icon
from desktop_app.translation import shown
from desktop_app.widgets.banner import Banner
from desktop_app.widgets.search_field import SearchField
from desktop_app.workspace import Workspace
from trainer_core.texts import T

_FIRST_SIZE_PX = QSize(1280, 720)
_SEARCH_WIDTH_PX = 240


class MainWindow(QMainWindow):
    """The one window of the app."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        ask: Ask = ask,
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self.files = FileCommands(workspace, self, ask=ask)
        self.run = RunCommands(workspace, self, ask=ask)
        self._closing = Closing(workspace, self.files, self, ask=ask, leave=leave)
        self._closing.leaving.connect(self._keep_layout)
        self._closing.ready.connect(self.close)
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.resize(_FIRST_SIZE_PX)
        self.docks = DockFrame(self, DOCKS)
        # Before the docks listen themselves: a field can take the focus once its dock is shown.
        workspace.setting_wanted.connect(self.docks.raise_for)
        workspace.dock_wanted.connect(self.docks.raise_dock)
        self.docks.build(workspace)
        self.actions_by_name = make_actions(self._handlers(), self)
        self._menus = make_menus(self.menuBar(), self.actions_by_name)
        self._add_recent_menu()
        self._add_view_entries()
        self._add_toolbar()
        self.banner = self._add_banner()
        self._add_status_bar()
        self._connect()
        self._show_name()
        self._show_run_state()
        self._restore_layout()
