"""What a run measures, chart above chart, redrawn on a timer."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QScrollArea,
    QSlider,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.charts.export import ChartExport
from desktop_app.charts.marks import Marks
from desktop_app.charts.panel import ChartPanel
from desktop_app.charts.plot import Curve
from desktop_app.charts.stack import ChartStack
from desktop_app.models.runs.metrics_charts import CHARTS, LOSS, Chart, columns
from desktop_app.models.runs.metrics_model import MetricsModel
from desktop_app.models.runs.run_marks import MarkKind, RunMarks
from desktop_app.questions import Ask, ask
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.icon_button import IconButton
from desktop_app.widgets.invitation import Invitation
from desktop_app.workspace import Workspace
from trainer_core.texts import T

_REDRAW_MS = 100
_SLIDER_STEPS_PER_DECADE = 20
_LONGEST_SMOOTHING = 1000


class ChartsView(QWidget):
    """The charts that the user chose, over the same steps."""

    def __init__(self, workspace: Workspace, *, ask: Ask = ask) -> None:
        super().__init__()
        self._metrics = workspace.metrics
        self._preferences = workspace.preferences
        self._document = workspace.document
        self._run = workspace.run
        self._export = ChartExport(self, ask=ask)
        self._drawn_names: tuple[str, ...] = ()
        self._panels = {chart: _panel(chart) for chart in CHARTS}
        self._stack = ChartStack(list(self._panels.values()), self)
        for place, chart in enumerate(CHARTS):
            self._stack.setStretchFactor(place, chart.weight)
        self._panels[LOSS].setMinimumHeight(tokens.current().thumbnail)  # the one to look at
        self._step_words = _dim_label(self)
        self._smoothing_words = _dim_label(self)
        self._smoothing = self._slider()
        self._show_all = IconButton("reset", shown(T("App", "Show the whole run")), self)
        self._show_all.setEnabled(False)
        self._menu = QMenu(self)
        self._choices = {chart: self._choice(chart) for chart in CHARTS}
        self._menu.addSeparator()
        self._save_picture = self._menu.addAction(shown(T("App", "Save as picture (PNG)…")))
        self._save_values = self._menu.addAction(shown(T("App", "Save values (CSV)…")))
        self._lay_out()
        workspace.run.started.connect(self._stack.show_all)  # a range chosen for another run
        self._timer = QTimer(self, singleShot=True, interval=_REDRAW_MS)
        self._timer.timeout.connect(self.redraw)
        self._connect()
        self._set_curves()
        self._show_chosen()
        self._show_smoothing()
        self.redraw()

    def redraw(self) -> None:
        """Draw the run as it is now."""
        self._pages.setCurrentIndex(1 if len(self._metrics.images_per_second) else 0)
        if _names_of_lines(self._metrics) != self._drawn_names:
            self._set_curves()
        self._panels[LOSS].set_marks(_marks(self._metrics.marks))
        self._stack.redraw()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Catch up with what happened out of sight."""
        super().showEvent(event)
        self.redraw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._set_curves()
            self.redraw()

    # ---------------------------------------------------------------- what is drawn

    def _set_curves(self) -> None:
        self._drawn_names = _names_of_lines(self._metrics)
        for chart, panel in self._panels.items():
            panel.set_curves(_curves(chart, self._metrics))

    def _show_chosen(self) -> None:
        chosen = [chart for chart, choice in self._choices.items() if choice.isChecked()]
        for chart, choice in self._choices.items():
            self._stack.set_shown(self._panels[chart], chart in chosen)
            choice.setEnabled(chosen != [chart])  # one always stays

    def _on_changed(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    # ---------------------------------------------------------------- controls

    def _connect(self) -> None:
        self._metrics.changed.connect(self._on_changed)
        self._panels[LOSS].plot.set_tooltips(partial(_words_at, self._metrics))
        self._smoothing.valueChanged.connect(self._on_smoothing)
        self._show_all.clicked.connect(self._stack.show_all)
        self._stack.following_changed.connect(self._show_all.setDisabled)
        self._stack.pointed.connect(self._on_pointed)

        self._save_picture.triggered.connect(self._on_save_picture)
        self._save_values.triggered.connect(self._on_save_values)
        self._menu.aboutToShow.connect(self._on_menu)

    def _choice(self, chart: Chart) -> QAction:
        choice = self._menu.addAction(shown(chart.title))
        choice.setCheckable(True)
        at_first = chart.is_shown_at_first
        choice.setChecked(self._preferences.is_chart_shown(chart.name, at_first=at_first))
        choice.toggled.connect(partial(self._on_chosen, chart))
        return choice

    def _on_chosen(self, chart: Chart, is_shown: bool) -> None:
        self._preferences.keep_chart_shown(chart.name, is_shown)
        self._show_chosen()

    def _on_menu(self) -> None:
        self._save_values.setDisabled(self._export.is_running)

    def _on_save_picture(self) -> None:
        self._export.save_picture(self._stack, self._proposed_file())

    def _on_save_values(self) -> None:
        self._export.save_values(columns(self._metrics), self._proposed_file())

    def _proposed_file(self) -> Path:
        """Return what an exported file would be called, without a suffix."""
        shown_run = self._run.folder
        name = str(self._document.value("output.output_name"))
        name = name if shown_run is None else shown_run.name
        return self._document.folder / f"{name}-charts"

    def _on_pointed(self, step: float | None) -> None:
        words = "" if step is None else shown(T("App", "Step {step}"), step=round(step))
        self._step_words.setText(words)

    def _on_smoothing(self, position: int) -> None:
        self._metrics.set_smoothing_steps(round(10 ** (position / _SLIDER_STEPS_PER_DECADE)))
        self._show_smoothing()

    def _show_smoothing(self) -> None:
        template = T("App", "Smoothing: {steps} [steps:step|steps]")
        self._smoothing_words.setText(shown(template, steps=self._metrics.smoothing_steps))

    def _slider(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal, self)
        slider.setRange(0, round(_SLIDER_STEPS_PER_DECADE * math.log10(_LONGEST_SMOOTHING)))
        steps = self._metrics.smoothing_steps
        slider.setValue(round(_SLIDER_STEPS_PER_DECADE * math.log10(steps)))
        slider.setFixedWidth(tokens.current().thumbnail)
        slider.setToolTip(shown(T("App", "About how many steps the smoothed loss looks back")))
        slider.setAccessibleName(shown(T("App", "Smoothing")))
        return slider

    # ---------------------------------------------------------------- layout

    def _lay_out(self) -> None:
        look = tokens.current()
        placeholder = Invitation("charts", "", self)
        placeholder.button.hide()  # there is nothing to do but to start
        words = T("App", "Loss and learning rates over the steps, while a run trains and after it.")
        placeholder.say(shown(T("App", "Charts appear here")), shown(words))
        content = QWidget(self)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, look.gap_s, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._bar())
        column.addWidget(self._scrolled_stack(), 1)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(placeholder)
        self._pages.addWidget(content)

    def _scrolled_stack(self) -> QScrollArea:
        # All charts at their least heights are taller than a low window has room for.
        scroll = QScrollArea(self)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidgetResizable(True)
        scroll.setWidget(self._stack)
        for surface in (scroll.viewport(), self._stack):
            surface.setAutoFillBackground(False)  # the dock's own colour shows
        return scroll

    def _bar(self) -> QHBoxLayout:
        look = tokens.current()
        more = IconButton("more", shown(T("App", "Choose or save charts")), self)
        more.setMenu(self._menu)
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        bar = QHBoxLayout()
        bar.setContentsMargins(look.gap_m, 0, look.gap_m, 0)
        bar.setSpacing(look.gap_m)
        bar.addWidget(self._step_words)
        bar.addStretch(1)
        bar.addWidget(self._smoothing_words)
        bar.addWidget(self._smoothing)
        bar.addWidget(self._show_all)
        bar.addWidget(more)
        return bar


def _panel(chart: Chart) -> ChartPanel:
    return ChartPanel(
        shown(chart.title), from_zero=chart.from_zero, number_format=chart.number_format
    )


def _names_of_lines(metrics: MetricsModel) -> tuple[str, ...]:
    """Return what tells whether there are other lines than before."""
    return tuple(line.name for chart in CHARTS for line in chart.lines(metrics))


def _curves(chart: Chart, metrics: MetricsModel) -> list[Curve]:
    look = tokens.current()
    lines = chart.lines(metrics)
    colours = iter(look.chart_lines)
    return [
        Curve(line.series, look.chart_raw, name=line.name)
        if line.is_raw
        else Curve(line.series, next(colours, look.chart_axis), width=2, name=line.name)
        for line in lines
    ]


def _marks(marks: RunMarks) -> list[Marks]:
    look = tokens.current()
    drawn = {
        MarkKind.EPOCH: ("┊", look.border_strong),
        MarkKind.SAVE: ("◆", look.chart_lines[2]),
        MarkKind.SAMPLE: ("■", look.chart_lines[3]),
    }
    return [
        Marks(np.array(marks.steps(kind), dtype=float), colour, shown(kind.value), glyph)
        for kind, (glyph, colour) in drawn.items()
    ]


def _words_at(metrics: MetricsModel, first: float, last: float) -> str:
    return "\n".join(metrics.marks.words(first, last))


def _dim_label(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setProperty("role", "dim")
    return label
