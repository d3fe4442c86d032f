"""The window: docks, menus, toolbar and status bar around one workspace."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QMainWindow, QStyle, QToolBar

from desktop_app.commands.captions import CaptionCommands
from desktop_app.commands.closing import Closing
from desktop_app.commands.drops import DropCommands
from desktop_app.commands.earlier_runs import EarlierRuns
from desktop_app.commands.files import FileCommands
from desktop_app.commands.help import HelpCommands
from desktop_app.commands.recent_menu import RecentMenu
from desktop_app.commands.run import RunCommands
from desktop_app.docks.catalogue import DOCKS
from desktop_app.editors.base import focused_editor
from desktop_app.own_folder import OwnFolder
from desktop_app.preferences_view.opening import PreferencesWindow
from desktop_app.questions import Ask, ask
from desktop_app.run_view.start_sheet import StartSheet, confirm
from desktop_app.theme.icons import app_icon
from desktop_app.translation import shown
from desktop_app.widgets.banner import Banner
from desktop_app.widgets.drop_area import accept_copy, dropped_paths
from desktop_app.window.actions import draw_icons, make_actions
from desktop_app.window.banners.caption import CaptionBanner
from desktop_app.window.banners.disk import DiskBanner
from desktop_app.window.banners.drop import DropBanner
from desktop_app.window.banners.file import FileBanner
from desktop_app.window.banners.run import RunBanner
from desktop_app.window.dock_frame import DockFrame
from desktop_app.window.layouts import LayoutMenu, Layouts
from desktop_app.window.menus import PanelMenu, dock_commands, fill_view_menu, make_menus
from desktop_app.window.status import StatusBar
from desktop_app.window.toolbar import MainToolBar
from desktop_app.workspace import Workspace
from trainer_core.errors import TrainerError
from trainer_core.texts import T

_FIRST_SIZE_PX = QSize(1280, 720)


class MainWindow(QMainWindow):
    """The one window of the app."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        ask: Ask = ask,
        confirm: Callable[[StartSheet], bool] = confirm,
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self.files = FileCommands(workspace, self, ask=ask)
        self.earlier_runs = EarlierRuns(workspace, self.files, self, ask=ask)
        self._drops = DropCommands(workspace, self.files, self.earlier_runs, self)
        self.own_folder = OwnFolder(workspace.data_dir, self)
        self.run = RunCommands(workspace, self, ask=ask, confirm=confirm)
        self.help = HelpCommands(workspace, self.files, self.run, self)
        self._preferences = PreferencesWindow(workspace, self, ask=ask)
        self._captions = CaptionCommands(workspace.captions, self, ask=ask)
        self._captions.picture_wanted.connect(workspace.picture_wanted)
        self._closing = Closing(workspace, self.files, self, ask=ask, leave=leave)
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.resize(_FIRST_SIZE_PX.width(), min(_FIRST_SIZE_PX.height(), self._free_height()))
        self.docks = DockFrame(self, DOCKS)
        # Before the docks listen themselves: a field can take the focus once its dock is shown.
        workspace.setting_wanted.connect(self.docks.raise_for)
        workspace.picture_wanted.connect(lambda _: self.docks.raise_dock("dataset"))
        workspace.dock_wanted.connect(self.docks.raise_dock)
        self.docks.build(workspace)
        self.layouts = Layouts(self.docks, DOCKS, workspace.preferences, self, ask=ask)
        self.commands = make_actions(self._handlers(), self)
        self._dock_commands = dock_commands(self.docks, self)
        self._fill_menus()
        self.toolbar = MainToolBar(self.commands, self)
        self.addToolBar(self.toolbar)
        self.file_banner = FileBanner(workspace, self.files, self)
        self.banner = RunBanner(workspace, self)
        self.caption_banner = CaptionBanner(workspace, self)
        self.disk_banner = DiskBanner(workspace, self, ask=ask)
        self.drop_banner = DropBanner(workspace.document, self)
        banners = (self.file_banner, self.banner, self.disk_banner, self.caption_banner)
        for banner in (*banners, self.drop_banner):
            self._add_banner_row(banner)
        self._status = StatusBar(workspace.run, workspace.record, workspace.problems, self)
        self.setStatusBar(self._status)
        self._connect()
        self._show_name()
        self._show_run_state()
        self._restore_layout()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Close unless something must be saved or waited for first."""
        if not (self._commit_edit() and self._closing.may_close()):
            event.ignore()
            return
        self._keep_layout()
        self._drops.close()
        self.drop_banner.dismiss()
        self._workspace.close()
        self.own_folder.close()
        event.accept()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the icons in the colours of a new theme; look at the files after an absence."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.ActivationChange and self.isActiveWindow():
            self._workspace.look_again()
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "commands"):
            draw_icons(self.commands)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take pictures, folders of them, or a run file."""
        if dropped_paths(event.mimeData()):
            accept_copy(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Take what was dropped, once the other program is let go: a question would hold it up."""
        accept_copy(event)
        paths = dropped_paths(event.mimeData())
        QTimer.singleShot(0, self, partial(self._take_dropped, paths))

    def _take_dropped(self, paths: list[Path]) -> None:
        if self._commit_edit():
            self._drops.take(paths)

    def _handlers(self) -> Mapping[str, Callable[[], object]]:
        undo = self._workspace.undo
        return {
            "new": self._after_edit(self.files.new),
            "open": self._after_edit(self.files.open),
            "open_pictures": self._after_edit(self.files.open_pictures),
            "import_dataset": self._after_edit(self.files.import_dataset),
            "open_demo": self._after_edit(self.files.open_demo),
            "open_run": self._after_edit(self.earlier_runs.choose),
            "save": self._after_edit(self.files.save),
            "save_as": self._after_edit(self.files.save_as),
            "quit": self.close,
            "undo": self._after_edit(undo.undo),
            "redo": self._after_edit(undo.redo),
            "find": self._find,
            "reset_setting": _reset_setting,
            "preferences": self._after_edit(self._preferences.show),
            "start": self._after_edit(self.run.start),
            "stop_and_save": self.run.stop_and_save,
            "stop_now": self.run.stop_now,
            "pause": self.run.pause,
            "go_on": self.run.go_on,
            "save_now": self.run.save_now,
            "sample_now": self.run.sample_now,
            "next_dock": partial(self.docks.focus.go_on, 1),
            "previous_dock": partial(self.docks.focus.go_on, -1),
            "save_layout": self.layouts.save,
            "reset_layout": self.docks.reset,
            "welcome": self._after_edit(self.help.welcome),
            "try_demo": self._after_edit(self.help.try_demo),
            "shortcuts": lambda: self.help.shortcuts(self.commands, self._dock_commands),
            "about": self.help.about,
        }

    def _after_edit(self, handler: Callable[..., object]) -> Callable[..., None]:
        """Return ``handler`` preceded by taking over what is still being typed."""

        def run(*values: object) -> None:
            if self._commit_edit():
                handler(*values)

        return run

    def _commit_edit(self) -> bool:
        editor = focused_editor()
        if editor is not None:
            editor.commit()
        return self._captions.settle()

    def _carry_out(self, name: str) -> None:
        self.commands[name].trigger()

    def _find(self) -> None:
        self.docks.raise_settings()
        self._workspace.filter.field_wanted.emit()

    def _fill_menus(self) -> None:
        preferences = self._workspace.preferences
        menus = make_menus(self.menuBar(), self.commands)
        recent = RecentMenu(preferences, self._after_edit(self.files.open_recent), self)
        menus["file"].insertMenu(self.commands["open_pictures"], recent)
        first = self.commands["next_dock"]
        fill_view_menu(menus["view"], first, self._dock_commands, self.docks, preferences)
        menus["view"].insertMenu(first, PanelMenu(self.docks, menus["view"]))
        saving = self.commands["save_layout"]
        menus["view"].insertMenu(saving, LayoutMenu(self.layouts, menus["view"]))

    def _add_banner_row(self, banner: Banner) -> None:
        row = QToolBar(self)
        row.setObjectName(type(banner).__name__)
        row.setProperty("role", "banner")
        row.setMovable(False)
        row.toggleViewAction().setVisible(False)
        row.hide()
        layout = row.layout()
        assert layout is not None, "a toolbar has one from the beginning"
        layout.setContentsMargins(0, 0, 0, 0)  # those of toolbars, until a style is set anew
        row.addWidget(banner)
        self.addToolBarBreak()
        self.addToolBar(row)
        banner.wanted.connect(partial(self.docks.show_row, row))

    def _connect(self) -> None:
        workspace, undo = self._workspace, self._workspace.undo
        self._closing.leaving.connect(self._keep_layout)
        self._closing.leaving.connect(workspace.autosave.close)
        self._closing.ready.connect(self.close)
        workspace.command_wanted.connect(self._carry_out)
        workspace.drop_wanted.connect(self._take_dropped, Qt.ConnectionType.QueuedConnection)
        self.run.announced.connect(self._status.tell)
        self._drops.understood.connect(self.drop_banner.tell_step)
        self._drops.refused.connect(self.drop_banner.refuse)
        self._drops.noticed.connect(self._status.tell)
        self.earlier_runs.announced.connect(self.banner.tell)
        self.own_folder.announced.connect(self.banner.tell)
        self.earlier_runs.left.connect(self.banner.dismiss)
        workspace.autosave.failed.connect(self._on_autosave_failed)
        self.run.news.connect(self._status.tell_news)
        self._status.problems_wanted.connect(partial(self.docks.raise_dock, "problems"))
        workspace.document.name_changed.connect(self._show_name)
        workspace.run.started.connect(self._on_run_started)
        workspace.run.phase_changed.connect(self._show_run_state)
        workspace.run.ended.connect(self._show_run_state)
        undo.canUndoChanged.connect(self.commands["undo"].setEnabled)
        undo.canRedoChanged.connect(self.commands["redo"].setEnabled)
        undo.undoTextChanged.connect(self._on_undo_text_changed)
        undo.redoTextChanged.connect(self._on_redo_text_changed)
        self.commands["undo"].setEnabled(undo.canUndo())
        self.commands["redo"].setEnabled(undo.canRedo())

    def _show_name(self) -> None:
        document = self._workspace.document
        name = shown(T("App", "New run")) if document.path is None else document.path.name
        # Qt puts its mark of unsaved changes where the title has [*].
        self.setWindowTitle(shown(T("App", "{name}[*] – LoRA Loom"), name=name))
        self.setWindowModified(document.is_dirty)

    def _on_undo_text_changed(self, step: str) -> None:
        self.commands["undo"].setText(shown(T("App", "&Undo {step}"), step=step).strip())

    def _on_redo_text_changed(self, step: str) -> None:
        self.commands["redo"].setText(shown(T("App", "&Redo {step}"), step=step).strip())

    def _on_autosave_failed(self, error: TrainerError) -> None:
        reason = shown(error.message)
        words = T("App", "Unsaved changes cannot be kept in case of a crash: {reason}")
        self._status.tell(shown(words, reason=reason))

    def _on_run_started(self) -> None:
        if not self._workspace.run.is_attached:  # the window comes back as it was
            self.docks.bring_forward("samples")
            self.docks.raise_dock("charts")  # in front of them where both are tabs of one place

    def _show_run_state(self) -> None:
        run = self._workspace.run
        self.commands["start"].setEnabled(not run.is_running)
        self.commands["stop_and_save"].setEnabled(run.is_running and not run.is_stopping)
        self.commands["stop_now"].setEnabled(run.is_running)
        self.commands["pause"].setVisible(run.phase != "paused")
        self.commands["go_on"].setVisible(run.phase == "paused")
        for name in ("pause", "go_on", "save_now", "sample_now"):
            self.commands[name].setEnabled(self.run.can_be_asked)

    def _free_height(self) -> int:
        """Return what the screen leaves for a window below its title bar."""
        title = self.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight)
        return self.screen().availableSize().height() - title

    def _restore_layout(self) -> None:
        preferences = self._workspace.preferences
        self.restoreGeometry(preferences.layout("geometry"))
        self.docks.restore(preferences.layout("docks"))

    def _keep_layout(self) -> None:
        preferences = self._workspace.preferences
        preferences.keep_layout("geometry", self.saveGeometry())
        preferences.keep_layout("docks", self.docks.state())
        preferences.write()


def _reset_setting() -> None:
    """Set what somebody is at to its default, with what is typed there."""
    editor = focused_editor()
    if editor is not None:
        editor.reset_wanted.emit()
