"""The page of one tool: its form, Start and Cancel, how far it is, and what came of it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop_app.editors.base import focused_editor
from desktop_app.editors.form import SectionForm
from desktop_app.process.outcome import Outcome
from desktop_app.theme import tokens
from desktop_app.tools_view.result import ToolResultPanel
from desktop_app.translation import shown
from desktop_app.widgets.elided_label import ElidedLabel
from desktop_app.widgets.wrapped_label import WrappedLabel
from desktop_app.workspace import Workspace
from trainer_core.catalogue.tools import TOOLS
from trainer_core.protocol.messages import Failed, Progress, ToolDone, Warned
from trainer_core.texts import T


class ToolPage(QScrollArea):
    """One tool, whichever it is: everything here is read from its entry and its schema."""

    def __init__(self, workspace: Workspace, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._run = workspace.tools.run
        self.name = name
        document = workspace.tools.document(name)
        self.form = SectionForm(name, document, self, has_title=False)
        self.form.set_label_width(self.form.label_width())
        self.start_button = QPushButton(shown(T("App", "Start")), self)
        self.cancel_button = QPushButton(shown(T("App", "Cancel")), self)
        self._note = WrappedLabel(self)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(tokens.current().gap_m)
        self.bar.setAccessibleName(shown(T("App", "Progress")))
        self._work = ElidedLabel(Qt.TextElideMode.ElideMiddle, self)
        self._work.setProperty("role", "dim")
        self.result = ToolResultPanel(workspace, document.schema, self)
        self._lay_out()
        self.start_button.clicked.connect(self._on_start)
        self.cancel_button.clicked.connect(self._on_cancel)
        self._run.started.connect(self._on_started)
        self._run.progressed.connect(self._on_progressed)
        self._run.warned.connect(self._on_warned)
        self._run.done.connect(self._on_done)
        self._run.failed.connect(self._on_failed)
        self._run.ended.connect(self._on_ended)
        self._show_state()

    def _lay_out(self) -> None:
        look = tokens.current()
        title = QLabel(shown(TOOLS[self.name].label), self)
        title.setFont(tokens.font(look.font_large, bold=True))
        purpose = WrappedLabel(self)
        purpose.say(shown(TOOLS[self.name].help), "dim")
        buttons = QHBoxLayout()
        buttons.setSpacing(look.gap_m)
        buttons.addWidget(self.start_button)
        buttons.addWidget(self.cancel_button)
        buttons.addStretch(1)
        body = QWidget(self)
        body.setProperty("scrolled", True)
        column = QVBoxLayout(body)
        mark = look.mark + look.gap_m  # which the rows of the form have before their labels
        column.setContentsMargins(look.gap_xl - mark, look.gap_xl, look.gap_xl, look.gap_xl)
        column.setSpacing(look.gap_l)
        above, below = QVBoxLayout(), QVBoxLayout()
        for part in (above, below):
            part.setContentsMargins(mark, 0, 0, 0)
            part.setSpacing(look.gap_l)
        above.addWidget(title)
        above.addWidget(purpose)
        below.addLayout(buttons)
        for widget in (self._note, self.bar, self._work, self.result):
            below.addWidget(widget)
        self.form.setMinimumWidth(self.form.label_width() + 2 * look.thumbnail)
        column.addLayout(above)
        column.addWidget(self.form)
        column.addLayout(below)
        column.addStretch(1)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab goes on to the first field
        self.setWidget(body)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for the width of the form: there is no scrolling sideways."""
        hint, bar = super().minimumSizeHint(), self.verticalScrollBar().sizeHint().width()
        return QSize(self.form.minimumWidth() + 2 * tokens.current().gap_xl + bar, hint.height())

    @property
    def _is_at_work(self) -> bool:
        return self._run.is_running and self._run.name == self.name

    def _show_state(self) -> None:
        is_here = self._is_at_work
        self.start_button.setEnabled(not self._run.is_running)
        self.cancel_button.setVisible(is_here)
        self.cancel_button.setEnabled(is_here)
        self.bar.setVisible(is_here)
        self._work.setVisible(is_here)
        other = "" if is_here or not self._run.is_running else shown(TOOLS[self._run.name].label)
        self._note.say(shown(T("App", "At work: {tool}"), tool=other) if other else "", "dim")

    # ---------------------------------------------------------------- what is asked

    def _on_start(self) -> None:
        editor = focused_editor()
        if editor is not None:
            editor.commit()
        self.result.clear()
        if self._workspace.python.is_being_changed:
            words = T("App", "Packages are being installed for the trainer. Wait for their end.")
            self._note.say(shown(words), "error")
            return
        problem = self._workspace.tools.start(self.name)
        if problem is not None and problem.path in self.form.rows:
            self.ensureWidgetVisible(self.form.reveal(problem.path))

    def _on_cancel(self) -> None:
        self.cancel_button.setEnabled(False)
        self._work.setText(shown(T("App", "Stopping…")))
        self._run.stop()

    # ---------------------------------------------------------------- what is told

    def _on_started(self) -> None:
        self._work.setText(shown(T("App", "Starting…")))
        self.bar.setRange(0, 0)
        self._show_state()

    def _on_progressed(self, progress: Progress) -> None:
        self.bar.setRange(0, max(progress.total, 1))
        self.bar.setValue(progress.done)
        if progress.work is not None and self.cancel_button.isEnabled():
            self._work.setText(shown(progress.work.text()))

    def _on_warned(self, warned: Warned) -> None:
        if self._run.name == self.name:
            self.result.add_warning(warned)

    def _on_done(self, done: ToolDone) -> None:
        if self._run.name == self.name:
            self.result.show_done(done)

    def _on_failed(self, failed: Failed) -> None:
        if self._run.name == self.name:
            self.result.note_failed(failed)

    def _on_ended(self, outcome: Outcome) -> None:
        if self._run.name == self.name:
            self.result.show_outcome(outcome)
            if outcome.crashed:  # it had no time to say why; what it wrote last may
                self.result.show_lines([*self._run.log])
            # The result has its place only after the layout was done.
            QTimer.singleShot(0, self.result, partial(self.ensureWidgetVisible, self.result))
        self._show_state()
