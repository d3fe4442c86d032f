"""The menu of the run files opened last."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from desktop_app.preferences import Preferences
from desktop_app.translation import shown
from desktop_app.words.paths import places
from trainer_core.texts import T


class RecentMenu(QMenu):
    """Run files with their folders, newest first, each on a key of its own."""

    def __init__(
        self,
        preferences: Preferences,
        open_path: Callable[[Path], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(shown(T("App", "Open &recent")), parent)
        self._preferences = preferences
        self._open_path = open_path
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        self.clear()
        paths = self._preferences.recent_files
        for number, (path, place) in enumerate(zip(paths, places(paths), strict=True), start=1):
            name, folder = path.name.replace("&", "&&"), place.replace("&", "&&")
            key = "1&0" if number == 10 else f"&{number}"
            label = shown(T("App", "{key}  {name}  –  {folder}"), key=key, name=name, folder=folder)
            action = QAction(label, self)
            action.setToolTip(str(path))
            action.triggered.connect(partial(self._open_path, path))
            self.addAction(action)
        if not paths:
            self.addAction(shown(T("App", "none yet"))).setEnabled(False)
            return
        self.addSeparator()
        self.addAction(shown(T("App", "&Clear list"))).triggered.connect(
            self._preferences.forget_all_files
        )
