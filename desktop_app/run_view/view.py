"""The view of the run: before it, while it goes, and how it ended."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop_app.process.outcome import Outcome
from desktop_app.run_view.before_page import BeforePage
from desktop_app.run_view.end_page import EndPage
from desktop_app.run_view.failure_page import FailurePage
from desktop_app.run_view.progress_page import ProgressPage
from desktop_app.run_view.records import RecordSections
from desktop_app.theme import tokens
from desktop_app.widgets.squeezed import Squeezed
from desktop_app.workspace import Workspace

_PAUSE_MS = 150  # between two looks at a run that tells of itself at every step
_CLOCK_MS = 1000
_WIDEST_PX = 900  # rows of words and figures far apart are hard to follow


class RunView(Squeezed):
    """One of four pages, and below it what the run wrote and used."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        body = QWidget()
        super().__init__(body, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # keys scroll it: it has few fields
        self._workspace = workspace
        self._is_dismissed = False  # another document: the last run is not its
        self.before = BeforePage(workspace, self)
        self.progress = ProgressPage(workspace, self)
        self.end = EndPage(workspace, self)
        self.failure = FailurePage(workspace, self)
        self._pages: tuple[QWidget, ...] = (self.before, self.progress, self.end, self.failure)
        self._records = RecordSections(workspace.record, self)
        self._lay_out(body)
        self._due = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._due.timeout.connect(self.refresh)
        self._clock = QTimer(self, interval=_CLOCK_MS)
        self._clock.timeout.connect(self.refresh)
        self._connect()
        self.refresh()

    @property
    def page(self) -> QWidget:
        """The page that is shown."""
        return next(page for page in self._pages if not page.isHidden())

    def refresh(self) -> None:
        """Show the run as it is now."""
        run = self._workspace.run
        outcome = None if self._is_dismissed else run.outcome
        if run.is_running:
            self.progress.refresh()
            self._show(self.progress)
        elif outcome is None:
            self.before.refresh()
            self._show(self.before)
        elif outcome.ok:
            self.end.show_outcome(outcome)
            self._show(self.end)
        else:
            self.failure.show_outcome(outcome)
            self._show(self.failure)
        if not run.is_running:
            self._clock.stop()
        elif not self._clock.isActive():
            self._clock.start()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Look at the run at once."""
        super().showEvent(event)
        self.refresh()

    def _lay_out(self, body: QWidget) -> None:
        look = tokens.current()
        capped = QWidget(body)
        capped.setMaximumWidth(_WIDEST_PX)
        column = QVBoxLayout(capped)
        column.setContentsMargins(*[look.gap_xl] * 4)
        column.setSpacing(look.gap_xl)
        for page in self._pages:
            column.addWidget(page)
        column.addWidget(self._records)
        column.addStretch(1)
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(capped, 1)
        row.addStretch(0)

    def _connect(self) -> None:
        workspace = self._workspace
        workspace.record.changed.connect(self._on_news)
        workspace.problems.modelReset.connect(self._on_news)
        workspace.dataset.changed.connect(self._on_news)
        workspace.dataset.busy_changed.connect(self._on_news)
        workspace.places.looked.connect(self._on_news)
        workspace.file_checks.looked.connect(self._on_news)
        workspace.document.changed.connect(self._on_news)
        workspace.document.replaced.connect(self._on_replaced)
        workspace.run.started.connect(self._on_started)
        workspace.run.ended.connect(self._on_ended)

    def _show(self, wanted: QWidget) -> None:
        for page in self._pages:
            page.setVisible(page is wanted)
        self._records.setVisible(wanted is not self.before)

    def _on_news(self, _event: object = None) -> None:
        if not self._due.isActive() and self.isVisible():
            self._due.start()

    def _on_replaced(self) -> None:
        self._is_dismissed = True
        self._on_news()

    def _on_started(self) -> None:
        self._is_dismissed = False
        self.refresh()

    def _on_ended(self, _outcome: Outcome) -> None:
        self._is_dismissed = False
        self.refresh()
        self.verticalScrollBar().setValue(0)
        self._workspace.dock_wanted.emit("run")
