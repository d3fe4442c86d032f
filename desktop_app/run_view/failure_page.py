"""What the run view says when a run failed: what, why, what to do, and what is left of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop_app.outside import copy_text, open_path
from desktop_app.process.outcome import Outcome
from desktop_app.run_view.report import report_text
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.fact_grid import FactGrid
from desktop_app.widgets.stat_row import Stat
from desktop_app.words.endings import can_go_on, has_run_file, is_run_of, state_left
from desktop_app.words.failures import Failure, failure_of
from desktop_app.workspace import Workspace
from trainer_core.texts import T


class FailurePage(QWidget):
    """The end of a run that did not go as planned."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.failure: Failure | None = None
        self._log_file: Path | None = None
        self._preferences_page = ""
        self._headline = QLabel(self, wordWrap=True)
        self._headline.setTextFormat(Qt.TextFormat.PlainText)
        self._headline.setFont(tokens.font(tokens.current().font_large, bold=True))
        self._facts = FactGrid(self)
        self.go_on_button = QPushButton(self)
        self.settings_button = QPushButton(shown(T("App", "Open its settings")), self)
        self.setting_button = QPushButton(shown(T("App", "Show setting")), self)
        self.picture_button = QPushButton(shown(T("App", "Show picture")), self)
        self.preferences_button = QPushButton(shown(T("App", "Preferences…")), self)
        self.log_button = QPushButton(shown(T("App", "Show log")), self)
        self.log_file_button = QPushButton(shown(T("App", "Open log file")), self)
        self.report_button = QPushButton(shown(T("App", "Copy report")), self)
        self._copied = QLabel(shown(T("App", "Copied: paste it where you ask.")), self)
        self._copied.setProperty("role", "dim")
        self._lay_out()
        self.go_on_button.clicked.connect(self._on_go_on)
        self.settings_button.clicked.connect(self._workspace.run_settings_wanted)
        self.setting_button.clicked.connect(self._on_show_setting)
        self.picture_button.clicked.connect(self._on_show_picture)
        self.preferences_button.clicked.connect(self._on_show_preferences)
        self.log_button.clicked.connect(self._on_show_log)
        self.log_file_button.clicked.connect(self._on_open_log_file)
        self.report_button.clicked.connect(self._on_copy_report)

    def show_outcome(self, outcome: Outcome) -> None:
        """Show this end."""
        workspace = self._workspace
        folder = workspace.run.folder
        state, is_own = state_left(outcome, folder), is_run_of(folder, workspace.settings_in_reach)
        self.failure = failure = failure_of(outcome, workspace.record, state, is_own=is_own)
        self._log_file = outcome.log_file
        self._preferences_page = outcome.preferences_page
        self._headline.setText(failure.headline)
        facts = [
            Stat(shown(T("App", "What happened")), failure.reason),
            Stat(shown(T("App", "When")), failure.when),
            Stat(shown(T("App", "What to do")), failure.advice),
            Stat(shown(T("App", "What is left")), failure.saved),
        ]
        self._facts.show_facts([fact for fact in facts if fact.value])
        step = can_go_on(outcome, folder, workspace.settings_in_reach)
        self.go_on_button.setVisible(step is not None)
        if step is not None:
            self.go_on_button.setText(shown(T("App", "Go on from step {step}…"), step=step))
        self.settings_button.setVisible(not is_own and has_run_file(folder))
        self.setting_button.setVisible(bool(failure.setting))
        self.picture_button.setVisible(failure.picture is not None)
        self.preferences_button.setVisible(bool(outcome.preferences_page))
        has_file = self._log_file is not None and self._log_file.exists()
        self.log_file_button.setVisible(has_file)
        self._copied.hide()

    def report(self) -> str:
        """Return the text that is copied."""
        workspace = self._workspace
        if self.failure is None:
            return ""
        return report_text(self.failure, workspace.record, workspace.log, self._log_file)

    def _lay_out(self) -> None:
        look = tokens.current()
        head = QFrame(self)
        head.setProperty("banner", "error")
        top = QVBoxLayout(head)
        top.setContentsMargins(look.gap_l, look.gap_m, look.gap_l, look.gap_m)
        top.addWidget(self._headline)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.gap_l)
        column.addWidget(head)
        column.addWidget(self._facts)
        mending = (self.setting_button, self.picture_button, self.preferences_button)
        column.addLayout(_row(self.go_on_button, self.settings_button, *mending))
        column.addLayout(_row(self.log_button, self.log_file_button, self.report_button))
        column.addWidget(self._copied)

    def _on_go_on(self) -> None:
        self._workspace.command_wanted.emit("start")

    def _on_show_setting(self) -> None:
        if self.failure is not None:
            self._workspace.setting_wanted.emit(self.failure.setting)

    def _on_show_picture(self) -> None:
        if self.failure is not None:
            self._workspace.picture_wanted.emit(self.failure.picture)

    def _on_show_preferences(self) -> None:
        self._workspace.preferences_wanted.emit(self._preferences_page)

    def _on_show_log(self) -> None:
        self._workspace.dock_wanted.emit("log")

    def _on_open_log_file(self) -> None:
        if self._log_file is not None:
            open_path(self._log_file, self)

    def _on_copy_report(self) -> None:
        copy_text(self.report())
        self._copied.show()


def _row(*buttons: QPushButton) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(tokens.current().gap_m)
    for button in buttons:
        row.addWidget(button)
    row.addStretch(1)
    return row
