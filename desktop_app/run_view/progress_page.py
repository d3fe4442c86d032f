"""What the run view says while a run goes: how far it is, how long it takes, and what was asked."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from desktop_app.models.runs.pace import duration_words
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.stat_row import Stat, StatRow
from desktop_app.words.runs import phase_words
from desktop_app.words.settings import count_words
from desktop_app.workspace import Workspace
from trainer_core.texts import T


class ProgressPage(QWidget):
    """Headline, progress, and the figures of the newest step."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = tokens.current()
        self._workspace = workspace
        self._headline = QLabel(self, wordWrap=True)
        self._headline.setTextFormat(Qt.TextFormat.PlainText)
        self._headline.setFont(tokens.font(look.font_large, bold=True))
        self._phase = QLabel(self, wordWrap=True)
        self._phase.setProperty("role", "dim")
        self._bar = QProgressBar(self)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(look.gap_m)
        self._bar.setAccessibleName(shown(T("App", "Progress")))
        self._times, self._figures = StatRow(self), StatRow(self)
        self.stop_now_button = QPushButton(shown(T("App", "Stop without saving")), self)
        self.stop_now_button.clicked.connect(self._on_stop_now)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.gap_l)
        for part in (self._headline, self._phase, self._bar, self._times, self._figures):
            column.addWidget(part)
        column.addWidget(self.stop_now_button, 0, Qt.AlignmentFlag.AlignLeft)

    def refresh(self) -> None:
        """Show how far the run is now."""
        run, record = self._workspace.run, self._workspace.record
        name = "" if run.folder is None else run.folder.name
        template = T("App", "Training {name}") if name else T("App", "Starting")
        self._headline.setText(shown(template, name=name))
        self._phase.setText(phase_words(run))
        self._show_bar()
        self._times.show_stats(list(self._time_stats()))
        self._figures.show_stats(list(self._figure_stats()))
        self._figures.setVisible(record.latest is not None)
        self.stop_now_button.setVisible(run.is_stopping and run.stops_with_saving)

    def _show_bar(self) -> None:
        record = self._workspace.record
        step = 0 if record.latest is None else record.latest.step
        if record.progress is not None and record.progress.phase != "training":
            self._bar.setRange(0, record.progress.total)
            self._bar.setValue(record.progress.done)
        elif not step and self._workspace.run.phase in ("starting", "loading"):
            self._bar.setRange(0, 0)
        else:
            self._bar.setRange(0, max(record.total_steps, 1))
            self._bar.setValue(step or record.from_step or 0)

    def _time_stats(self) -> Iterator[Stat]:
        record = self._workspace.record
        yield Stat(shown(T("App", "Running")), duration_words(record.seconds))
        left = None if self._workspace.run.is_stopping else record.seconds_left
        yield Stat(shown(T("App", "Left")), "–" if left is None else duration_words(left))
        if record.latest is not None:
            template = T("App", "{done} of {total}")
            done, total = count_words(record.latest.step), count_words(record.total_steps)
            yield Stat(shown(T("App", "Step")), shown(template, done=done, total=total))
            epochs = 0 if record.plan is None else record.plan.epochs
            words = shown(template, done=record.latest.epoch, total=epochs)
            yield Stat(shown(T("App", "Epoch")), words)

    def _figure_stats(self) -> Iterator[Stat]:
        latest, smoothed = self._workspace.record.latest, self._workspace.metrics.smoothed_loss.y
        if latest is None:
            return
        if len(smoothed):
            yield Stat(shown(T("App", "Loss, smoothed")), f"{smoothed[-1]:.4g}")
        yield Stat(shown(T("App", "Images/s")), f"{latest.images_per_second:.3g}")
        template = T("App", "{size} MiB")
        yield Stat(shown(T("App", "Memory")), shown(template, size=round(latest.memory_mib)))

    def _on_stop_now(self) -> None:
        self._workspace.command_wanted.emit("stop_now")
