"""What came of a tool: what it says, the files that it wrote, or why it failed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.outside import copy_text, open_path
from desktop_app.process.outcome import Outcome
from desktop_app.theme import tokens
from desktop_app.translation import shown, shown_problem
from desktop_app.widgets.elided_label import ElidedLabel
from desktop_app.widgets.wrapped_label import WrappedLabel
from desktop_app.workspace import Workspace
from trainer_core.protocol.messages import Failed, ToolDone, Warned
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.schema import AnySchema
from trainer_core.texts import T

_MOST_LINES = 100  # more are scrolled; fewer stand there whole, since the page scrolls already


class ToolResultPanel(QWidget):
    """Empty until a tool has something to say."""

    def __init__(
        self, workspace: Workspace, schema: AnySchema, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        look = tokens.current()
        self._workspace = workspace
        self._schema = schema
        self._failed: Failed | None = None
        self._preferences_page = ""
        self._head = QFrame(self)
        self.headline = WrappedLabel(self)
        self.headline.setFont(tokens.font(bold=True))
        self.hint = WrappedLabel(self)
        self.preferences_button = QPushButton(shown(T("App", "Preferences…")), self)
        self.warnings: list[QWidget] = []
        self._warnings = QVBoxLayout()
        self.words = _Lines(self)
        self.words.setAccessibleName(shown(T("App", "Result")))
        self.copy_button = QPushButton(shown(T("App", "Copy")), self)
        self.files: list[QWidget] = []
        self._files = QVBoxLayout()
        top = QVBoxLayout(self._head)
        top.setContentsMargins(look.gap_l, look.gap_m, look.gap_l, look.gap_m)
        for part in (self.headline, self.hint):
            top.addWidget(part)
        top.addWidget(self.preferences_button, 0, Qt.AlignmentFlag.AlignLeft)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.gap_m)
        column.addWidget(self._head)
        column.addLayout(self._warnings)
        column.addWidget(self.words)
        column.addLayout(self._files)
        column.addWidget(self.copy_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.preferences_button.clicked.connect(self._on_preferences)
        self.copy_button.clicked.connect(self._on_copy)
        self.clear()

    def clear(self) -> None:
        """Forget what the last run of the tool said."""
        self._failed = None
        for widget in (*self.warnings, *self.files):
            widget.hide()
            widget.deleteLater()
        self.warnings, self.files = [], []
        self.words.clear()
        for part in (self._head, self.words, self.copy_button, self.preferences_button):
            part.hide()

    def add_warning(self, warned: Warned) -> None:
        """Show what is not as it should be."""
        label = WrappedLabel(self)
        hint = "" if warned.hint is None else shown(warned.hint.text())
        self._warnings.addWidget(label)
        self.warnings.append(label)
        label.say(f"{shown(warned.message.text())}\n{hint}".strip(), "warning")

    def show_done(self, done: ToolDone) -> None:
        """Show what the tool says, and its files."""
        self.show_lines([shown(line.text()) for line in done.text])
        for path in map(Path, done.files):
            row = self._file_row(path)
            self._files.addWidget(row)
            self.files.append(row)

    def show_lines(self, lines: Sequence[str]) -> None:
        """Show lines that can be copied: the result, or the log where there is none."""
        self.words.setPlainText("\n".join(lines))
        for part in (self.words, self.copy_button):
            part.setVisible(bool(lines))
        self.words.fit()

    def note_failed(self, failed: Failed) -> None:
        """Take note of what the failure is about."""
        self._failed = failed

    def show_outcome(self, outcome: Outcome) -> None:
        """Show how the tool ended."""
        words = shown(outcome.sentence)
        if outcome.ok and self.warnings:
            words = shown(T("App", "Done; read the warnings."))
        if self._failed is not None:
            message, setting = self._failed.message.text(), self._failed.setting
            problem = Problem(setting, Severity.ERROR, message)
            words = shown_problem(problem, self._schema)
        kind = "success" if outcome.ok else "error"
        kind = "warning" if outcome.ok and self.warnings else kind
        self._head.setProperty("banner", "notice" if outcome.stopped else kind)
        self._head.style().polish(self._head)
        self._head.show()
        self.headline.say(words)
        self.hint.say("" if outcome.hint is None else shown(outcome.hint))
        self._preferences_page = outcome.preferences_page
        self.preferences_button.setVisible(bool(outcome.preferences_page))

    def _file_row(self, path: Path) -> QWidget:
        row = QWidget(self)
        name = ElidedLabel(Qt.TextElideMode.ElideMiddle, row)
        name.setText(str(path))
        button = QPushButton(shown(T("App", "Show in folder")), row)
        button.clicked.connect(partial(open_path, path.parent, self))
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(QLabel(shown(T("App", "Written:")), row))
        line.addWidget(name, 1)
        line.addWidget(button)
        return row

    def _on_preferences(self) -> None:
        self._workspace.preferences_wanted.emit(self._preferences_page)

    def _on_copy(self) -> None:
        copy_text(self.words.toPlainText())


class _Lines(QPlainTextEdit):
    """Text as high as its lines are once they are wrapped."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        # Qt wraps anew only after it has told of a new width.
        self._fitting = QTimer(self, singleShot=True, interval=0)
        self._fitting.timeout.connect(self.fit)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Take the height of the lines at the new width."""
        super().resizeEvent(event)
        self._fitting.start()

    def fit(self) -> None:
        """Take the height of the lines at this width."""
        needed = round(self.document().size().height())  # Qt counts lines here
        count = min(needed, _MOST_LINES)
        policy = Qt.ScrollBarPolicy
        bar = policy.ScrollBarAsNeeded if needed > count else policy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(bar)
        frame = self.height() - self.viewport().height()  # with the padding of the style
        # With two margins alone, Qt takes the last line for one that is cut.
        around = frame + round(3 * self.document().documentMargin())
        self.setFixedHeight(count * self.fontMetrics().lineSpacing() + around)
