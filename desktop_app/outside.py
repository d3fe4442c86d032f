"""Ways out of the window: folders and files shown by the system, text on the clipboard."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication


def open_path(path: Path) -> None:
    """Show a folder, or a file in the program that the system has for it."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.absolute())))


def copy_text(words: str) -> None:
    """Put words on the clipboard."""
    QGuiApplication.clipboard().setText(words)
