"""The message across the window that says in one sentence how a run ended."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QWidget

from desktop_app.process.outcome import Outcome
from desktop_app.translation import shown
from desktop_app.widgets.banner import Banner, Way
from desktop_app.workspace import Workspace
from trainer_core.texts import T


class RunBanner(Banner):
    """Says how the last run ended, until the next run, another document, or its cross."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(shown(T("App", "Close")), parent)
        self._workspace = workspace
        workspace.run.started.connect(self.dismiss)
        workspace.document.replaced.connect(self.dismiss)  # what it says to do is not for this one
        workspace.run.ended.connect(self._on_ended)

    def _on_ended(self, outcome: Outcome) -> None:
        kind = "success" if outcome.ok else "error"
        ways: list[Way] = [(shown(T("App", "Details")), self._show_details)]
        if outcome.preferences_page:
            show = partial(self._workspace.preferences_wanted.emit, outcome.preferences_page)
            ways.insert(0, (shown(T("App", "Preferences…")), show))
        self.tell(kind, shown(outcome.sentence), "", ways)

    def _show_details(self) -> None:
        self.dismiss()  # the dock says the same and more
        self._workspace.dock_wanted.emit("run")
