"""The dock that draws loss and learning rates, one above the other, redrawn on a timer."""

from __future__ import annotations

import math
from html import escape

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSlider,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from desktop_app.charts.plot import Curve, StepPlot
from desktop_app.charts.series import Series
from desktop_app.docks.base import Dock
from desktop_app.models.metrics_model import MetricsModel
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.icon_button import IconButton
from desktop_app.workspace import Workspace
from trainer_core.texts import T

_REDRAW_MS = 100
_SLIDER_STEPS_PER_DECADE = 20
_LONGEST_SMOOTHING = 1000

_GROUPS = {
    "unet": T("App", "U-Net"),
    "text_encoder": T("App", "Text encoder"),
}


class ChartsDock(Dock):
    """Loss and learning rates over the steps of the run."""

    name = "charts"
    title = T("App", "Charts")
    icon = "charts"
    default_area = Qt.DockWidgetArea.RightDockWidgetArea

    def build(self, workspace: Workspace) -> QWidget:
        """Return the view of the workspace's metrics."""
        return ChartsView(workspace.metrics)


class ChartsView(QWidget):
    """Two plots over the same steps."""

    def __init__(self, metrics: MetricsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._metrics = metrics
        self._groups: tuple[str, ...] = ()
        self.loss = StepPlot(parent=self)
        self.rates = StepPlot(from_zero=True, parent=self)
        self.rates.link_steps(self.loss)
        self.loss.hide_steps()
        self._loss_words = _legend(self)
        self._rate_words = _legend(self)
        self._smoothing_words = QLabel(self)
        self._smoothing_words.setProperty("role", "dim")
        self._smoothing = self._slider()
        self._show_all = IconButton("reset", shown(T("App", "Show the whole run")), self)
        self._lay_out()
        self._timer = QTimer(self, singleShot=True, interval=_REDRAW_MS)
        self._timer.timeout.connect(self.redraw)
        metrics.changed.connect(self._on_changed)
        self._smoothing.valueChanged.connect(self._on_smoothing)
        self._show_all.clicked.connect(self._on_show_all)
        for plot in (self.loss, self.rates):
            plot.moved_by_hand.connect(self._on_moved)
        self._show_smoothing()
        self._on_show_all()

    def redraw(self) -> None:
        """Draw the run as it is now."""
        self._pages.setCurrentIndex(1 if len(self._metrics.loss) else 0)
        groups = tuple(self._metrics.learning_rates)
        if groups != self._groups or not groups:
            self._groups = groups
            self._set_curves()
        self.loss.redraw()
        self.rates.redraw()
        self._show_words()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Catch up with what happened out of sight."""
        super().showEvent(event)
        self.redraw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._set_curves()
            self._show_words()

    # ---------------------------------------------------------------- what is drawn

    def _set_curves(self) -> None:
        look = tokens.current()
        metrics = self._metrics
        self.loss.set_curves(
            [
                Curve(metrics.loss, look.chart_raw),
                Curve(metrics.smoothed_loss, look.chart_lines[0], width=2),
            ]
        )
        self.rates.set_curves(
            [
                Curve(series, colour, width=2)
                for (_, series), colour in zip(self._rates(), look.chart_lines, strict=False)
            ]
        )

    def _rates(self) -> list[tuple[str, Series]]:
        """Return names for people and series, the U-Net first wherever it stands."""
        rates = sorted(self._metrics.learning_rates.items(), key=lambda item: item[0] != "unet")
        return [(shown(_GROUPS.get(name, name)), series) for name, series in rates]

    def _show_words(self) -> None:
        look = tokens.current()
        loss, smoothed = self._metrics.loss, self._metrics.smoothed_loss
        self._loss_words.setText(
            _key(shown(T("App", "Loss")), loss, look.chart_raw)
            + _key(shown(T("App", "smoothed")), smoothed, look.chart_lines[0])
        )
        self._rate_words.setText(
            shown(T("App", "Learning rate"))
            + "&nbsp;&nbsp; "
            + "".join(
                _key(name, series, colour)
                for (name, series), colour in zip(self._rates(), look.chart_lines, strict=False)
            )
        )

    def _on_changed(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    # ---------------------------------------------------------------- controls

    def _on_moved(self) -> None:
        self.loss.stop_following()
        self.rates.stop_following()
        self._show_all.setEnabled(True)

    def _on_show_all(self) -> None:
        self._show_all.setEnabled(False)
        self.rates.show_all()
        self.loss.show_all()

    def _on_smoothing(self, position: int) -> None:
        self._metrics.set_smoothing_steps(round(10 ** (position / _SLIDER_STEPS_PER_DECADE)))
        self._show_smoothing()

    def _show_smoothing(self) -> None:
        template = T("App", "Smoothing: {steps} steps")
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
        nothing = QLabel(shown(T("App", "Loss and learning rates appear here.")), self)
        nothing.setProperty("role", "dim")
        nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        content = QWidget(self)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, look.gap_s, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._bar())
        parts = QSplitter(Qt.Orientation.Vertical, content)
        parts.setChildrenCollapsible(False)
        parts.addWidget(_with_legend(self._loss_words, self.loss))
        parts.addWidget(_with_legend(self._rate_words, self.rates))
        parts.setStretchFactor(0, 2)
        parts.setStretchFactor(1, 1)
        column.addWidget(parts, 1)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(nothing)
        self._pages.addWidget(content)

    def _bar(self) -> QHBoxLayout:
        look = tokens.current()
        bar = QHBoxLayout()
        bar.setContentsMargins(look.gap_m, 0, look.gap_m, 0)
        bar.setSpacing(look.gap_m)
        bar.addStretch(1)
        bar.addWidget(self._smoothing_words)
        bar.addWidget(self._smoothing)
        bar.addWidget(self._show_all)
        return bar


def _legend(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.RichText)
    look = tokens.current()
    label.setContentsMargins(look.gap_m, look.gap_s, look.gap_m, look.gap_s)
    return label


def _with_legend(legend: QLabel, plot: StepPlot) -> QWidget:
    part = QWidget()
    column = QVBoxLayout(part)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(legend)
    column.addWidget(plot, 1)
    return part


def _key(name: str, series: Series, colour: str) -> str:
    """Return a curve's colour, name and newest value as rich text."""
    value = f"{series.y[-1]:.3g}" if len(series) else ""
    return (
        f'<span style="color: {colour}">●</span> {escape(name)} <b>{value}</b>&nbsp;&nbsp;&nbsp; '
    )
