"""What the run view says at the end of a run: what came of it, where it is, and what next."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop_app.outside import copy_text, open_path
from desktop_app.process.outcome import Outcome
from desktop_app.run_view.sample_strip import SampleStrip
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.elided_label import LinkButton
from desktop_app.words.endings import (
    Advice,
    can_go_on,
    has_run_file,
    is_run_of,
    next_steps,
    story,
)
from desktop_app.words.paths import breakable
from desktop_app.workspace import Workspace
from trainer_core.texts import T, visible


class EndPage(QWidget):
    """The end of a run that went as planned, or as it was told."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = tokens.current()
        self._workspace = workspace
        self._result: Path | None = None
        self.story = QLabel(self, wordWrap=True)
        self.file = QLabel(self, wordWrap=True)
        self.file.setFont(tokens.font(look.font_large, bold=True))
        self.path = QLabel(self, wordWrap=True)
        self.path.setProperty("role", "dim")
        for label in (self.story, self.file, self.path):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.folder_button = QPushButton(shown(T("App", "Open folder")), self)
        self.copy_button = QPushButton(shown(T("App", "Copy path")), self)
        self.go_on_button = QPushButton(self)
        self.settings_button = QPushButton(shown(T("App", "Open its settings")), self)
        self._strip = SampleStrip(workspace.samples, self)
        self._next_heading = QLabel(shown(T("App", "What next")), self)
        self._next_heading.setFont(tokens.font(bold=True))
        self._advice = QVBoxLayout()
        self._advice.setSpacing(look.gap_s)
        self._lines: list[QWidget] = []
        self._lay_out()
        self.folder_button.clicked.connect(self._on_open_folder)
        self.copy_button.clicked.connect(self._on_copy)
        self.go_on_button.clicked.connect(self._on_go_on)
        self.settings_button.clicked.connect(self._workspace.run_settings_wanted)
        self._strip.wanted.connect(self._on_samples)

    def show_outcome(self, outcome: Outcome) -> None:
        """Show this end."""
        workspace = self._workspace
        record, run = workspace.record, workspace.run
        self._result = outcome.weights or outcome.state
        self.story.setText(story(outcome, record, workspace.metrics))
        result = self._result
        self.file.setText("" if result is None else breakable(visible(result.name)))
        self.path.setText("" if result is None else breakable(visible(result)))
        for part in (self.file, self.path, self.folder_button, self.copy_button):
            part.setVisible(result is not None)
        step = can_go_on(outcome, run.folder, workspace.settings_in_reach)
        self.go_on_button.setVisible(step is not None)
        if step is not None:
            self.go_on_button.setText(shown(T("App", "Go on from step {step}…"), step=step))
        is_own = is_run_of(run.folder, workspace.settings_in_reach)
        self.settings_button.setVisible(not is_own and has_run_file(run.folder))
        self._show_advice(next_steps(outcome, record, outcome.weights, is_own=is_own))
        self._strip.refresh()

    def _lay_out(self) -> None:
        look = tokens.current()
        buttons = QHBoxLayout()
        buttons.setSpacing(look.gap_m)
        ways_on = (self.go_on_button, self.settings_button)
        for button in (self.folder_button, self.copy_button, *ways_on):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.gap_m)
        for part in (self.file, self.path):
            column.addWidget(part)
        column.addWidget(self.story)
        column.addLayout(buttons)
        column.addSpacing(look.gap_m)
        column.addWidget(self._strip)
        column.addSpacing(look.gap_m)
        column.addWidget(self._next_heading)
        column.addLayout(self._advice)

    def _show_advice(self, advice: Sequence[Advice]) -> None:
        for line in self._lines:
            line.hide()
            line.deleteLater()
        self._lines = [self._line(each) for each in advice]
        for line in self._lines:
            self._advice.addWidget(line)
        self._next_heading.setVisible(bool(advice))

    def _line(self, advice: Advice) -> QWidget:
        line = QWidget(self)
        column = QVBoxLayout(line)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.current().gap_xs)
        words = QLabel(breakable(advice.words), line, wordWrap=True)
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(words)
        if advice.setting:
            link = LinkButton(shown(T("App", "Show setting")), line)
            link.clicked.connect(partial(self._workspace.setting_wanted.emit, advice.setting))
            column.addWidget(link, 0, Qt.AlignmentFlag.AlignLeft)
        return line

    def _on_open_folder(self) -> None:
        if self._result is not None:
            open_path(self._result.parent, self)

    def _on_copy(self) -> None:
        copy_text(str(self._result))

    def _on_go_on(self) -> None:
        self._workspace.command_wanted.emit("start")

    def _on_samples(self) -> None:
        self._workspace.dock_wanted.emit("samples")
