"""A plot of series over steps, in the colours of the theme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop_app.charts.series import Floats, Series
from desktop_app.theme import tokens

_WIDEST_LABEL = "-0.000000"
_GRID_ALPHA = 0.25
_MARGIN = 0.06  # of the height, above and below the curves
_SAMPLE = 5000  # values that are enough to know a curve's usual range
_USUAL = (0.005, 0.995)  # quantiles: a rare spike must not flatten everything else
_FRAME_MS = 16
# Heights of the plot that a line may travel to be drawn in one piece, and to be drawn thick at
# all: Qt strokes a thick antialiased path that goes up and down at every pixel in up to 2 s.
_PATH_TRAVEL = 4
_THICK_TRAVEL = 30


@dataclass(frozen=True, slots=True)
class Curve:
    """How a series is drawn.

    Attributes:
        colour: Of the pen, ``#rrggbb``.
        width: Of the pen, in pixels; a wild curve is drawn thin all the same.
    """

    series: Series
    colour: str
    width: int = 1


class StepPlot(QWidget):
    """Curves over the steps of a run.

    It shows everything, and follows as the series grow, until someone zooms or drags; then the
    range stays until `show_all`. Heights always fit what is in range.
    """

    moved_by_hand = Signal()

    def __init__(self, *, from_zero: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._from_zero = from_zero
        self._curves: list[tuple[Curve, pg.PlotCurveItem]] = []
        self._is_following = True
        self._plot = pg.PlotWidget(self)
        self._item = self._plot.getPlotItem()
        self._item.setMenuEnabled(False)
        self._item.hideButtons()
        self._item.showGrid(x=True, y=True, alpha=_GRID_ALPHA)
        view = self._item.getViewBox()
        view.setMouseEnabled(x=True, y=False)
        view.disableAutoRange()
        view.sigRangeChangedManually.connect(self._on_moved)
        view.sigXRangeChanged.connect(self._on_range_changed)
        self._redraw_soon = QTimer(self, singleShot=True, interval=_FRAME_MS)
        self._redraw_soon.timeout.connect(self.redraw)
        for axis in ("left", "bottom"):
            self._item.getAxis(axis).enableAutoSIPrefix(False)
            self._item.getAxis(axis).setStyle(maxTickLevel=1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, tokens.current().gap_l, 0)
        layout.addWidget(self._plot)
        self._apply_theme()

    @property
    def is_following(self) -> bool:
        """True while everything is shown."""
        return self._is_following

    @property
    def x_range(self) -> tuple[float, float]:
        """The steps that are shown."""
        first, last = self._item.viewRange()[0]
        return float(first), float(last)

    def set_curves(self, curves: Sequence[Curve]) -> None:
        """Draw these curves instead, the last one on top."""
        for _, item in self._curves:
            self._item.removeItem(item)
        self._curves = []
        for curve in curves:
            item = pg.PlotCurveItem(antialias=True, skipFiniteCheck=True)
            self._item.addItem(item, ignoreBounds=True)
            self._curves.append((curve, item))
        self.redraw()

    def link_steps(self, other: StepPlot) -> None:
        """Show the same steps as another plot, whichever of them is moved."""
        self._item.setXLink(other._item)

    def hide_steps(self) -> None:
        """Leave the numbers of the steps to the plot below."""
        self._item.getAxis("bottom").setStyle(showValues=False)

    def show_all(self) -> None:
        """Show everything, and follow again."""
        self._is_following = True
        self.redraw()

    def stop_following(self) -> None:
        """Keep the range as it is."""
        self._is_following = False
        self._redraw_soon.start()

    def redraw(self) -> None:
        """Draw the series as they are now."""
        series = [curve.series for curve, _ in self._curves if len(curve.series)]
        if self._is_following and series:
            first = min(float(s.x[0]) for s in series)
            last = max(float(s.x[-1]) for s in series)
            self._item.setXRange(first, max(last, first + 1), padding=0.0)
        self._draw_range()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Thin the curves for another width."""
        super().resizeEvent(event)
        self._redraw_soon.start()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Take on the colours and fonts of a new theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._apply_theme()

    def _draw_range(self) -> None:
        first, last = self.x_range
        points = 2 * max(self._plot.width(), 1)
        ranges = []
        for curve, item in self._curves:
            x, y = curve.series.between(first, last, points=points)
            item.setData(x, y)
            if len(y):
                ranges.append(_usual_range(y))
        if ranges:
            self._set_heights(min(r[0] for r in ranges), max(r[1] for r in ranges))
        self._set_pens()

    def _set_heights(self, low: float, high: float) -> None:
        if self._from_zero:
            low = 0.0
        margin = _MARGIN * (high - low) or abs(high) * _MARGIN or 1.0
        self._item.setYRange(low if self._from_zero else low - margin, high + margin, padding=0.0)

    def _set_pens(self) -> None:
        low, high = self._item.viewRange()[1]
        for curve, item in self._curves:
            y = item.yData
            travel = 0.0 if y is None else float(np.abs(np.diff(y)).sum()) / (high - low)
            width = curve.width if travel < _THICK_TRAVEL else 1
            item.setSegmentedLineMode("off" if travel < _PATH_TRAVEL else "on")
            item.setPen(pg.mkPen(curve.colour, width=width))

    def _on_moved(self) -> None:
        self.stop_following()
        self.moved_by_hand.emit()

    def _on_range_changed(self) -> None:
        if not self._is_following:  # else it was `redraw` that changed it
            self._redraw_soon.start()

    def _apply_theme(self) -> None:
        look = tokens.current()
        font = tokens.font(look.font_small)
        self._plot.setBackground(look.chart_background)
        for name in ("left", "bottom"):
            axis = self._item.getAxis(name)
            axis.setPen(pg.mkPen(look.chart_grid))
            axis.setTextPen(pg.mkPen(look.chart_axis))
            axis.setTickFont(font)
        # Axes of the same width keep the steps of linked plots under one another.
        self._item.getAxis("left").setWidth(QFontMetrics(font).horizontalAdvance(_WIDEST_LABEL))


def _usual_range(y: Floats) -> tuple[float, float]:
    sample = y[:: max(1, len(y) // _SAMPLE)]
    low, high = np.quantile(sample, _USUAL) if len(sample) > 1 / _USUAL[0] else (y.min(), y.max())
    return float(low), float(high)
