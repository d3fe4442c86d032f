"""What the run view says before any run: the plan as it stands, and what is missing."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop_app.models.readiness import Readiness, readiness
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.fact_grid import FactGrid
from desktop_app.words.plans import summary
from desktop_app.workspace import Workspace
from trainer_core.settings.problems import Severity
from trainer_core.texts import T


class BeforePage(QWidget):
    """The plan, the number of errors, and Start."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = tokens.current()
        self._workspace = workspace
        self._headline = QLabel(shown(T("App", "Nothing is running")), self, wordWrap=True)
        self._headline.setFont(tokens.font(look.font_large, bold=True))
        self._missing = QLabel(self, wordWrap=True)
        self._facts = FactGrid(self)
        self.start_button = QPushButton(shown(T("App", "Start")), self)
        self.problems_button = QPushButton(shown(T("App", "Show problems")), self)
        buttons = QHBoxLayout()
        buttons.setSpacing(look.gap_m)
        buttons.addWidget(self.start_button)
        buttons.addWidget(self.problems_button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.gap_l)
        for part in (self._headline, self._missing, self._facts):
            column.addWidget(part, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(buttons)
        self.start_button.clicked.connect(self._on_start)
        self.problems_button.clicked.connect(self._on_problems)

    def refresh(self) -> None:
        """Show the plan as it is now."""
        workspace = self._workspace
        ready = readiness(workspace.problems, is_looking=workspace.is_looking)
        errors = workspace.problems.count(Severity.ERROR)
        words = shown(T("App", "Ready to start: this is what would be trained."))
        if ready is Readiness.ERRORS:
            words = shown(T("App", "Errors to fix first: {count}"), count=errors)
        elif ready is Readiness.INCOMPLETE:
            missing = ", ".join(workspace.problems.missing)
            words = shown(T("App", "Still to choose: {labels}"), labels=missing)
        elif ready is Readiness.LOOKING:
            words = shown(ready.words)
        self._missing.setText(words)
        self._missing.setProperty("role", "error" if errors else "dim")
        self._missing.style().polish(self._missing)
        document = workspace.document
        self._facts.show_facts(
            summary(document.usable, workspace.dataset.scan, facts=document.facts)
        )
        self.start_button.setEnabled(not errors)
        self.problems_button.setVisible(workspace.problems.rowCount() > 0)

    def _on_start(self) -> None:
        self._workspace.command_wanted.emit("start")

    def _on_problems(self) -> None:
        self._workspace.dock_wanted.emit("problems")
