"""``python -m desktop_app [RUN.toml] [--demo]``: open the window."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window and run until it is closed."""
    options = _parser().parse_args(arguments)
    app = _application()
    data_dir = data_folder()
    preferences = Preferences(data_dir / "preferences.ini")
    speak(app, preferences.settings.language, LANGUAGES)
    _follow_theme(app, preferences)
    workspace = Workspace(preferences, data_dir)
    window = MainWindow(workspace)
    _show(window, is_first_start=preferences.layout("geometry").isEmpty())
    opening = Opening(workspace, window.files, window)
    opening.begin(options.run_file, demo=options.demo, welcome=window.help.welcome)
    window.own_folder.check()
    window.earlier_runs.find(opens_settings=options.run_file is None and not options.demo)
    return app.exec()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lora-loom", description="Train LoRA adapters.")
    parser.add_argument("run_file", nargs="?", type=Path, help="a run file (.toml) to open")
    parser.add_argument("--demo", action="store_true", help="open the demo project")
    parser.add_argument("--version", action="version", version=__version__)
    return parser


def _application() -> QApplication:
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


if __name__ == "__main__":
    sys.exit(main())
