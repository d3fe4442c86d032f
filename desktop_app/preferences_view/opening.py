"""Opens the preferences once, and brings them forward when they are wanted again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from desktop_app.late_modules import late
from desktop_app.questions import Ask, ask
from desktop_app.workspace import Workspace

if TYPE_CHECKING:
    from desktop_app.preferences_view import dialog
else:
    dialog = late("desktop_app.preferences_view.dialog")


class PreferencesWindow(QObject):
    """At most one dialog of the preferences over a window.

    Attributes:
        dialog: The open dialog; None while there is none.
    """

    def __init__(self, workspace: Workspace, window: QWidget, *, ask: Ask = ask) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._window = window
        self._ask = ask
        self.dialog: dialog.PreferencesDialog | None = None
        workspace.preferences_wanted.connect(self.show)

    def show(self, page: str = "") -> None:
        """Show the preferences, turned to ``page`` if one is named."""
        if self.dialog is None:
            self.dialog = dialog.PreferencesDialog(self._workspace, self._window, ask=self._ask)
            self.dialog.finished.connect(self._on_finished)
        self.dialog.show_page(page)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def _on_finished(self) -> None:
        self.dialog = None
