"""The message across the window that says how a run ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
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
        details = [shown(outcome.hint)] if outcome.hint else []
        if outcome.weights is not None:
            details.insert(0, str(outcome.weights))
        kind = "success" if outcome.ok else "error"
        self.tell(kind, shown(outcome.sentence), "\n".join(details), self._ways_on(outcome))

    def _ways_on(self, outcome: Outcome) -> Sequence[Way]:
        result = outcome.weights or outcome.state
        if outcome.ok and result is not None:
            return ((shown(T("App", "Open folder")), lambda: _open(result.parent)),)
        if outcome.ok:
            return ()
        ways: list[Way] = [(shown(T("App", "Show log")), self._show_log)]
        if outcome.log_file is not None and outcome.log_file.exists():
            log_file = outcome.log_file
            ways.append((shown(T("App", "Open log file")), lambda: _open(log_file)))
        return ways

    def _show_log(self) -> None:
        self._workspace.dock_wanted.emit("log")


def _open(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
