"""The window: docks, menus, toolbar and status bar around one workspace."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QToolBar

from desktop_app.actions import draw_icons, make_actions, make_menus
from desktop_app.caption_commands import CaptionCommands
from desktop_app.closing import Closing
from desktop_app.dock_frame import DockFrame
from desktop_app.docks.catalogue import DOCKS
from desktop_app.editors.base import Editor
from desktop_app.file_commands import FileCommands
from desktop_app.models.picture_offer import Offer
from desktop_app.preferences import THEMES
from desktop_app.questions import Ask, ask
from desktop_app.run_banner import RunBanner
from desktop_app.run_commands import RunCommands
from desktop_app.status import StatusBar
from desktop_app.theme.icons import app_icon
from desktop_app.toolbar import MainToolBar
from desktop_app.translation import shown
from desktop_app.widgets.drop_area import accept_copy, dropped_paths
from desktop_app.workspace import Workspace
from trainer_core.texts import T

_FIRST_SIZE_PX = QSize(1280, 720)


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
        self._captions = CaptionCommands(workspace.captions, self, ask=ask)
        self._closing = Closing(workspace, self.files, self, ask=ask, leave=leave)
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.resize(_FIRST_SIZE_PX)
        self.docks = DockFrame(self, DOCKS)
        # Before the docks listen themselves: a field can take the focus once its dock is shown.
        workspace.setting_wanted.connect(self.docks.raise_for)
        workspace.dock_wanted.connect(self.docks.raise_dock)
        self.docks.build(workspace)
        self.commands = make_actions(self._handlers(), self)
        self._fill_menus(make_menus(self.menuBar(), self.commands))
        self.toolbar = MainToolBar(self.commands, self)
        self.addToolBar(self.toolbar)
        self.banner = RunBanner(workspace, self)
        self._banner_row = self._add_banner_row()
        self._status = StatusBar(workspace.run, workspace.problems, self)
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
        self._workspace.close()
        event.accept()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the icons in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "commands"):
            draw_icons(self.commands)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take pictures, folders of them, or a run file."""
        if dropped_paths(event.mimeData()):
            accept_copy(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Open the run file, or offer the rest as pictures."""
        offer = Offer.of(dropped_paths(event.mimeData()))
        accept_copy(event)
        if not self._commit_edit():
            return
        if offer.is_run_file:
            self.files.open_path(offer.others[0])
        else:
            self._workspace.dock_wanted.emit("dataset")
            self._workspace.pictures.offer(offer)

    def _handlers(self) -> Mapping[str, Callable[[], object]]:
        undo_stack = self._workspace.document.undo_stack
        return {
            "new": self._after_edit(self.files.new),
            "open": self._after_edit(self.files.open),
            "open_demo": self._after_edit(self.files.open_demo),
            "save": self._after_edit(self.files.save),
            "save_as": self._after_edit(self.files.save_as),
            "quit": self.close,
            "undo": self._after_edit(undo_stack.undo),
            "redo": self._after_edit(undo_stack.redo),
            "find": self._find,
            "start": self._after_edit(self.run.start),
            "stop_and_save": self.run.stop_and_save,
            "stop_now": self.run.stop_now,
            "pause": self.run.pause,
            "go_on": self.run.go_on,
            "save_now": self.run.save_now,
            "sample_now": self.run.sample_now,
            "reset_layout": self.docks.reset,
        }

    def _after_edit(self, handler: Callable[[], object]) -> Callable[[], None]:
        """Return ``handler`` preceded by taking over what is still being typed."""

        def run() -> None:
            if self._commit_edit():
                handler()

        return run

    def _commit_edit(self) -> bool:
        widget = QApplication.focusWidget()
        while widget is not None and not isinstance(widget, Editor):
            widget = widget.parentWidget()
        if widget is not None:
            widget.commit()
        return self._captions.settle()

    def _find(self) -> None:
        self.toolbar.search.setFocus()

    def _fill_menus(self, menus: Mapping[str, QMenu]) -> None:
        self._recent = QMenu(shown(T("App", "Open &recent")), self)
        menus["file"].insertMenu(self.commands["save"], self._recent)
        view, first = menus["view"], self.commands["reset_layout"]
        dock_actions = self._dock_actions()
        view.insertActions(first, dock_actions)
        view.insertSeparator(first)
        view.insertMenu(first, self._theme_menu())
        view.insertSeparator(first)
        view.aboutToShow.connect(partial(self._tick_docks, dock_actions))

    def _dock_actions(self) -> list[QAction]:
        actions = []
        for number, (name, widget) in enumerate(self.docks.widgets.items(), start=1):
            action = QAction(widget.windowTitle(), self)
            action.setCheckable(True)
            action.setShortcut(f"Ctrl+{number}")
            action.triggered.connect(partial(self.docks.toggle, name))
            actions.append(action)
        return actions

    def _tick_docks(self, actions: list[QAction]) -> None:
        for action, widget in zip(actions, self.docks.widgets.values(), strict=True):
            action.setChecked(not widget.isHidden())

    def _theme_menu(self) -> QMenu:
        menu = QMenu(shown(T("App", "&Theme")), self)
        group = QActionGroup(menu)
        for name, choice in THEMES.items():
            action = menu.addAction(shown(choice.label))
            action.setCheckable(True)
            action.setChecked(name == self._workspace.preferences.settings.theme)
            action.triggered.connect(partial(self._workspace.preferences.change, theme=name))
            group.addAction(action)
        return menu

    def _add_banner_row(self) -> QToolBar:
        row = QToolBar(self)
        row.setObjectName("banner")
        row.setMovable(False)
        row.toggleViewAction().setVisible(False)
        row.addWidget(self.banner)
        self.addToolBarBreak()
        self.addToolBar(row)
        self.banner.wanted.connect(row.setVisible)
        return row

    def _connect(self) -> None:
        workspace, undo_stack = self._workspace, self._workspace.document.undo_stack
        self._closing.leaving.connect(self._keep_layout)
        self._closing.ready.connect(self.close)
        self.run.told.connect(self._status.tell)
        self._status.problems_wanted.connect(partial(self.docks.raise_dock, "problems"))
        self._recent.aboutToShow.connect(self._fill_recent)
        self.toolbar.search.chosen.connect(workspace.setting_wanted.emit)
        workspace.document.name_changed.connect(self._show_name)
        workspace.run.started.connect(self._on_run_started)
        workspace.run.phase_changed.connect(self._show_run_state)
        workspace.run.ended.connect(self._show_run_state)
        undo_stack.canUndoChanged.connect(self.commands["undo"].setEnabled)
        undo_stack.canRedoChanged.connect(self.commands["redo"].setEnabled)
        undo_stack.undoTextChanged.connect(self._on_undo_text_changed)
        undo_stack.redoTextChanged.connect(self._on_redo_text_changed)
        self.commands["undo"].setEnabled(undo_stack.canUndo())
        self.commands["redo"].setEnabled(undo_stack.canRedo())

    def _fill_recent(self) -> None:
        self._recent.clear()
        for path in self._workspace.preferences.recent_files:
            action = QAction(str(path), self._recent)
            action.triggered.connect(self._after_edit(partial(self.files.open_path, path)))
            self._recent.addAction(action)
        if self._recent.isEmpty():
            self._recent.addAction(shown(T("App", "none yet"))).setEnabled(False)

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

    def _on_run_started(self) -> None:
        self.docks.raise_dock("charts")

    def _show_run_state(self) -> None:
        run = self._workspace.run
        self.commands["start"].setEnabled(not run.is_running)
        self.commands["stop_and_save"].setEnabled(run.is_running and not run.is_stopping)
        self.commands["stop_now"].setEnabled(run.is_running)
        self.commands["pause"].setVisible(run.phase != "paused")
        self.commands["go_on"].setVisible(run.phase == "paused")
        for name in ("pause", "go_on", "save_now", "sample_now"):
            self.commands[name].setEnabled(self.run.can_be_asked)

    def _restore_layout(self) -> None:
        preferences = self._workspace.preferences
        self.restoreGeometry(preferences.layout("geometry"))
        self.docks.restore(preferences.layout("docks"))
        self._banner_row.hide()  # a layout says which toolbars were shown, messages are not kept

    def _keep_layout(self) -> None:
        preferences = self._workspace.preferences
        preferences.keep_layout("geometry", self.saveGeometry())
        preferences.keep_layout("docks", self.docks.state())
        preferences.write()
