"""Opens the window and runs until it is closed."""

from __future__ import annotations

import gc
import signal
import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QMargins, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from desktop_app.commands.opening import Opening
from desktop_app.languages import speak
from desktop_app.preferences import LANGUAGES, Preferences
from desktop_app.theme.icons import app_icon
from desktop_app.theme.style import apply_theme
from desktop_app.window.main_window import MainWindow
from desktop_app.workspace import Workspace
from trainer_core.files.own_folders import data_folder
from trainer_core.version import __version__

_FRAME_PX = QMargins(0, 40, 0, 0)  # about a title bar; nobody knows it before the window is shown


def run(run_file: Path | None, *, demo: bool) -> int:
    """Open the window and run until it is closed; return the exit code.

    Args:
        run_file: The run file to open, if one is named.
        demo: Whether to open the demo.
    """
    app = application()
    data_dir = data_folder()
    preferences = Preferences(data_dir / "preferences.ini")
    speak(app, preferences.settings.language, LANGUAGES)
    _follow_theme(app, preferences)
    workspace = Workspace(preferences, data_dir)
    window = MainWindow(workspace)
    _show(window, is_first_start=preferences.layout("geometry").isEmpty())

    def look_for_more() -> None:
        window.own_folder.check()
        window.earlier_runs.find(opens_settings=run_file is None and not demo)

    opening = Opening(workspace, window.files, window)
    opening.begin(run_file, demo=demo, welcome=window.help.welcome)
    # A run that is found at work is shown by views that are built after the first paint.
    if window.docks.late.is_complete:
        look_for_more()
    else:
        window.docks.late.completed.connect(look_for_more)
    # What is there now stays as long as the window: the collector need not look at it again.
    gc.freeze()
    gc.enable()
    return app.exec()


def application() -> QApplication:
    """Return the application, with its name and icon."""
    # Ctrl-C in the terminal ends the window; a run that is going on goes on without it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(
        Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
    )
    app = QApplication(sys.argv[:1])
    QCoreApplication.setApplicationName("LoRA Loom")
    QCoreApplication.setApplicationVersion(__version__)
    QGuiApplication.setDesktopFileName("lora-loom")
    QGuiApplication.setWindowIcon(app_icon())
    return app


def _show(window: MainWindow, *, is_first_start: bool) -> None:
    """Show the window, over the whole screen where it would stand out of it with its frame."""
    room = window.screen().availableSize()
    needed = window.size().grownBy(_FRAME_PX)
    if is_first_start and needed.boundedTo(room) != needed:
        window.showMaximized()
    else:
        window.show()


def _follow_theme(app: QApplication, preferences: Preferences) -> None:
    def show() -> None:
        apply_theme(app, preferences.settings.theme)

    preferences.changed.connect(show)
    QGuiApplication.styleHints().colorSchemeChanged.connect(show)
    show()
