"""The sheet before a start: what will be trained, what is wrong with it, and the last decisions."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop_app.background import LatestJob
from desktop_app.dataset_view.leave_out_button import LeaveOutButton
from desktop_app.models.problems_model import Entry
from desktop_app.models.readiness import Readiness, readiness
from desktop_app.run_view.name_choice import NameChoice
from desktop_app.run_view.problem_rows import ProblemRows
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.fact_grid import FactGrid
from desktop_app.words.name_ways import NameWay, taken_name
from desktop_app.words.plans import model_report, summary
from desktop_app.workspace import Workspace
from trainer_core.model_files.recognise import ModelReport
from trainer_core.settings.problems import Severity
from trainer_core.texts import T

_WIDTH_PX = 680
_SHARE_OF_SCREEN = 0.85


class StartSheet(QDialog):
    """Summary, problems and the choice about a taken name; follows the document while it is open.

    Accepted, it says by `way` what to do about the name. Nothing was changed by it but what the
    user mended from here.
    """

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self._report: ModelReport | None = None
        self._model_path: Path | None = None
        self._was_fitted = False
        self._waits_for_look = False  # it is shown only because the files are looked at
        # What labels need is known to the layouts around them a turn of the event loop later.
        self._fitting = QTimer(self, singleShot=True, interval=0)
        self._fitting.timeout.connect(self._fit)
        self._looking = LatestJob(self, only_reads=True)
        self._headline = QLabel(self)
        self._facts = FactGrid(self)
        self.names = NameChoice(self)
        self._problems_heading = QLabel(self)
        self.problems = ProblemRows(workspace.problems, self)
        self.leave_out = LeaveOutButton(workspace.problems, workspace.left_out, self)
        self._reason = QLabel(self, wordWrap=True)
        words = shown(T("App", "Skip this summary when nothing is wrong"))
        self.at_once = QCheckBox(words, self)
        self.at_once.setChecked(workspace.preferences.settings.start_at_once)
        self.start_button = QPushButton(shown(T("App", "Start")), self)
        self.cancel_button = QPushButton(shown(T("App", "Cancel")), self)
        self._lay_out()
        self._connect()
        self.refresh()

    @property
    def way(self) -> NameWay:
        """What to do about the name."""
        return self.names.way

    @property
    def new_name(self) -> str:
        """The free name that is offered instead of a taken one."""
        return "" if self.names.taken is None else self.names.taken.new_name

    @property
    def state(self) -> Path | None:
        """The state to go on from, where it is not just the newest."""
        return None if self.names.taken is None else self.names.taken.state_of(self.way)

    @property
    def is_ready(self) -> bool:
        """True if nothing is in the way of a start."""
        return self.start_button.isEnabled()

    @property
    def may_be_skipped(self) -> bool:
        """True if the user wants no sheet where there is nothing to say, and there is nothing."""
        is_asked_for = self.workspace.preferences.settings.start_at_once
        return is_asked_for and self.is_ready and self._has_nothing_to_say

    def refresh(self) -> None:
        """Show the plan and what stands in its way as they are now."""
        settings, scan = self.workspace.document.usable, self.workspace.dataset.scan
        plan = None if scan is None else scan.plan
        total_steps = None if plan is None else plan.total_steps
        if not self.workspace.places.is_unsure("model.pretrained_model_name_or_path"):
            self._look_at_model(settings.model.pretrained_model_name_or_path)
        self._headline.setText(settings.output.output_name)
        facts, demands = self.workspace.document.facts, self.workspace.space.demands
        self._facts.show_facts(summary(settings, scan, self._report, demands, facts))
        self.names.show_taken(
            taken_name(
                self.workspace.settings_at_hand, total_steps, sound_state=self._sound_state()
            )
        )
        self._show_problems()
        self._show_readiness()
        if self.isVisible():
            self._fitting.start()
            self._start_after_look()

    def _sound_state(self) -> Path | None:
        """Return the state that the last run named when it found a newer one damaged."""
        outcome = self.workspace.run.outcome
        return outcome.state if outcome is not None and outcome.found_damage else None

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Take the height of what there is to say; Enter starts, whatever else there is."""
        super().showEvent(event)
        self._waits_for_look = self.workspace.is_looking and self._has_nothing_to_say
        self.start_button.setFocus()
        self._fit()
        self._fitting.start()

    def accept(self) -> None:
        """Start, and keep what was ticked."""
        preferences = self.workspace.preferences
        if self.at_once.isChecked() is not preferences.settings.start_at_once:
            preferences.change(start_at_once=self.at_once.isChecked())
        super().accept()

    def let_go(self) -> None:
        """Look no more; the sheet is done with."""
        self._looking.close()

    # ---------------------------------------------------------------- layout

    def _lay_out(self) -> None:
        look = tokens.current()
        self.setWindowTitle(shown(T("App", "Start training")))
        self._headline.setFont(tokens.font(look.font_large, bold=True))
        self._headline.setTextFormat(Qt.TextFormat.PlainText)
        self._problems_heading.setFont(tokens.font(bold=True))
        self.start_button.setDefault(True)
        self.cancel_button.setAutoDefault(False)
        self._body = QWidget(self)
        self._body.setProperty("scrolled", True)
        column = QVBoxLayout(self._body)
        column.setContentsMargins(*[look.gap_xl] * 4)
        column.setSpacing(look.gap_l)
        heading = QHBoxLayout()
        heading.addWidget(self._problems_heading, 1)
        heading.addWidget(self.leave_out)
        for part in (self._headline, self._facts, self.names):
            column.addWidget(part)
        column.addLayout(heading)
        column.addWidget(self.problems)
        column.addStretch(1)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._body)
        self._line = QFrame(self)
        self._line.setProperty("role", "line")
        self._line.setFixedHeight(tokens.current().line)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._scroll, 1)
        whole.addWidget(self._line)
        self._footer = self._footer_row()
        whole.addLayout(self._footer)

    def _footer_row(self) -> QVBoxLayout:
        look = tokens.current()
        buttons = QHBoxLayout()
        buttons.setSpacing(look.gap_m)
        buttons.addWidget(self.at_once)
        buttons.addStretch(1)
        buttons.addWidget(self.start_button)
        buttons.addWidget(self.cancel_button)
        footer = QVBoxLayout()
        footer.setContentsMargins(look.gap_xl, look.gap_l, look.gap_xl, look.gap_l)
        footer.setSpacing(look.gap_m)
        footer.addWidget(self._reason)
        footer.addLayout(buttons)
        return footer

    def _fit(self) -> None:
        """Grow to what there is to say, up to most of the screen; never shrink under the mouse."""
        bars = self._footer.sizeHint().height() + self._line.minimumHeight()
        frame = 2 * self._scroll.frameWidth()
        width = max(self.width() if self.isVisible() else 0, _WIDTH_PX)
        layout = self._body.layout()
        assert layout is not None, "it was given one"
        layout.activate()
        height = layout.totalHeightForWidth(width) + bars + frame
        room = round(self.screen().availableSize().height() * _SHARE_OF_SCREEN)
        wanted = QSize(width, min(height, room))
        self.setMinimumWidth(_WIDTH_PX)
        if wanted.height() > self.height() or not self._was_fitted:
            self.resize(wanted)
            self._was_fitted = True
            self._keep_on_screen()

    def _keep_on_screen(self) -> None:
        """Move up what would end below the screen: it was placed when it was lower."""
        room, frame = self.screen().availableGeometry(), self.frameGeometry()
        below = frame.bottom() - room.bottom()
        if self.isVisible() and below > 0:
            self.move(frame.left(), max(room.top(), frame.top() - below))

    # ---------------------------------------------------------------- what is shown

    def _connect(self) -> None:
        workspace = self.workspace
        workspace.problems.modelReset.connect(self.refresh)
        workspace.dataset.changed.connect(self.refresh)
        workspace.dataset.busy_changed.connect(self.refresh)
        workspace.places.looked.connect(self.refresh)
        workspace.file_checks.looked.connect(self.refresh)
        workspace.space.changed.connect(self.refresh)
        workspace.document.changed.connect(self._on_document_changed)
        self._looking.finished.connect(self._on_model_seen)
        self.problems.applied.connect(self._on_applied)
        self.problems.place_wanted.connect(self._on_place_wanted)
        self.problems.all_wanted.connect(self._on_all_wanted)
        self.start_button.clicked.connect(self.accept)
        self.cancel_button.clicked.connect(self.reject)

    def _look_at_model(self, path: Path | None) -> None:
        if path is not None and path != self._model_path:
            self._model_path = path
            self._looking.start(lambda job: model_report(path))

    def _on_model_seen(self, report: ModelReport | None) -> None:
        self._report = report
        self.refresh()

    def _on_document_changed(self, _paths: object) -> None:
        self.refresh()

    @property
    def _has_nothing_to_say(self) -> bool:
        return not self.workspace.problems.count(Severity.WARNING) and self.names.taken is None

    def _start_after_look(self) -> None:
        """Start if nothing but the look was waited for; what is mended here is for Start."""
        if self._waits_for_look and not self.workspace.is_looking:
            self._waits_for_look = False
            if self.may_be_skipped and self.at_once.isChecked():
                self.accept()

    def _show_problems(self) -> None:
        count = self.workspace.problems.rowCount()
        self._problems_heading.setVisible(count > 0)
        self.problems.setVisible(count > 0)
        self._problems_heading.setText(shown(T("App", "Problems: {count}"), count=count))

    def _show_readiness(self) -> None:
        ready = readiness(self.workspace.problems, is_looking=self.workspace.is_looking)
        is_news = (ready is Readiness.READY) is not self.start_button.isEnabled()
        self.start_button.setEnabled(ready is Readiness.READY)
        if is_news and ready is Readiness.READY and not self.names.isAncestorOf(self.focusWidget()):
            self.start_button.setFocus()
        self._reason.setVisible(bool(ready.words))
        self._reason.setText(shown(ready.words) if ready.words else "")
        self._reason.setProperty("role", ready.role)
        self._reason.style().polish(self._reason)

    def _on_applied(self, entry: Entry) -> None:
        self.workspace.mend(entry)

    def _on_place_wanted(self, entry: Entry) -> None:
        self.reject()
        if entry.picture is not None:
            self.workspace.picture_wanted.emit(entry.picture)
        elif entry.path:
            self.workspace.setting_wanted.emit(entry.path)

    def _on_all_wanted(self) -> None:
        self.reject()
        self.workspace.dock_wanted.emit("problems")


def confirm(sheet: StartSheet) -> bool:
    """Show the sheet and wait; True if the run is to start."""
    return sheet.exec() == QDialog.DialogCode.Accepted
