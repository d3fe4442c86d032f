"""The status bar: what the run is doing, how far it is, how fast, and how long it will take."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QStatusBar, QWidget

from desktop_app.models.problems_model import ProblemsModel
from desktop_app.models.runs.pace import duration_words
from desktop_app.models.runs.run_record import RunRecord
from desktop_app.process.run_control import RunControl
from desktop_app.theme import tokens
from desktop_app.translation import choice_label, shown
from desktop_app.widgets.elided_label import ElidedLabel
from desktop_app.words.runs import phase_words
from trainer_core.protocol.messages import Event, Phase, Plan, Progress, Resumed, StepDone
from trainer_core.settings.problems import Severity
from trainer_core.settings.schema import TRAIN
from trainer_core.texts import T
from trainer_core.version import __version__

_PROGRESS_WIDTH_PX = 180
_MESSAGE_MS = 5000


class StatusBar(QStatusBar):
    """Phase, step, speed, time left, what calculates and how, problems and version."""

    problems_wanted = Signal()

    def __init__(
        self,
        run: RunControl,
        record: RunRecord,
        problems: ProblemsModel,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._run = run
        self._problems = problems
        self._record = record  # it is older, so it hears of every event first
        self._latest: StepDone | None = None
        self._is_news = False  # the message tells what was done: it may outlast a phase
        self._phase = QLabel(self)
        self._bar = QProgressBar(self)
        self._steps = QLabel(self)
        self._speed = QLabel(self)
        self._time_left = QLabel(self)
        self._machine = ElidedLabel(Qt.TextElideMode.ElideMiddle, self)
        self._problem_count = QPushButton(self)
        self._version = QLabel(__version__, self)
        # An earlier run is read by the hundred thousand steps: the newest is shown, not each.
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._show_step)
        self._lay_out()
        run.started.connect(self._on_started)
        run.phase_changed.connect(self._show_phase)
        run.event_received.connect(self._on_event)
        problems.modelReset.connect(self._show_problems)
        self._problem_count.clicked.connect(self.problems_wanted)
        self.messageChanged.connect(self._show_bar)
        self._show_phase()
        self._show_problems()

    def tell(self, words: str) -> None:
        """Show what will be done, for a while or until the run turns to something else."""
        self._is_news = False
        self.showMessage(words, _MESSAGE_MS)

    def tell_news(self, words: str) -> None:
        """Show what was done, for a while."""
        self.showMessage(words, _MESSAGE_MS)
        self._is_news = True

    def _lay_out(self) -> None:
        look = tokens.current()
        self.setSizeGripEnabled(False)
        self.setContentsMargins(look.gap_m, 0, look.gap_m, 0)
        self._bar.setFixedWidth(_PROGRESS_WIDTH_PX)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(look.gap_m)
        self._problem_count.setProperty("role", "link")
        self._problem_count.setFlat(True)
        for label in (*self._run_labels(), self._version):
            label.setProperty("role", "dim")
            label.setContentsMargins(look.gap_m, 0, 0, 0)
        for widget in (self._phase, self._bar, self._steps, self._speed, self._time_left):
            self.addWidget(widget)
        self.addWidget(self._machine, 1)
        self.addPermanentWidget(self._problem_count)
        self.addPermanentWidget(self._version)

    def _on_started(self) -> None:
        self._latest = None
        self._clear()

    def _show_phase(self) -> None:
        if not self._is_news:
            self.clearMessage()
        self._phase.setText(phase_words(self._run))
        self._phase.setProperty("role", "warning" if self._run.phase == "paused" else "")
        self._phase.style().polish(self._phase)
        self._show_bar()
        if self._run.is_running and self._run.phase in ("starting", "loading"):
            self._bar.setRange(0, 0)
        if self._run.is_stopping:
            self._time_left.clear()
        if not self._run.is_running:
            self._clear()

    def _show_bar(self) -> None:
        # A message takes the place of what is below it.
        self._bar.setVisible(self._run.is_running and not self.currentMessage())

    def _run_labels(self) -> tuple[QLabel, ...]:
        return self._steps, self._speed, self._time_left, self._machine

    def _clear(self) -> None:
        self._soon.stop()
        for label in self._run_labels():
            label.clear()

    def _on_event(self, event: Event) -> None:
        if self._soon.isActive() and not isinstance(event, StepDone):
            self._show_step()  # before it changes what is shown
        match event:
            case Plan():
                self._machine.setText(_machine_words(event))
            case Progress() if event.phase != "training":
                self._bar.setRange(0, event.total)
                self._bar.setValue(event.done)
            case Resumed():
                self._on_resumed(event)
            case Phase(phase="paused"):
                self._speed.clear()
                self._time_left.clear()
            case StepDone():
                self._latest = event
                if not self._soon.isActive():
                    self._soon.start()

    def _on_resumed(self, event: Resumed) -> None:
        self._bar.setRange(0, max(self._record.total_steps, 1))
        self._bar.setValue(event.from_step)

    def _show_step(self) -> None:
        event, total = self._latest, self._record.total_steps
        self._soon.stop()
        if event is None:
            return
        self._bar.setRange(0, total)
        self._bar.setValue(event.step)
        words = shown(T("App", "step {step} of {total}"), step=event.step, total=total)
        self._steps.setText(words)
        speed = f"{event.images_per_second:.3g}"
        self._speed.setText(shown(T("App", "{speed} images/s"), speed=speed))
        left = self._record.seconds_left
        if self._run.is_stopping:
            self._time_left.clear()
        elif left is not None:
            self._time_left.setText(shown(T("App", "{time} left"), time=duration_words(left)))

    def _show_problems(self) -> None:
        errors = self._problems.count(Severity.ERROR)
        warnings = self._problems.count(Severity.WARNING)
        if errors:
            words = shown(T("App", "Errors: {count}"), count=errors)
        elif warnings:
            words = shown(T("App", "Warnings: {count}"), count=warnings)
        else:
            words = ""
        self._problem_count.setText(words)
        self._problem_count.setVisible(bool(words))


def _machine_words(plan: Plan) -> str:
    precision = choice_label(TRAIN.params()["hardware.mixed_precision"], plan.precision)
    return ", ".join(word for word in (plan.device, precision) if word)
