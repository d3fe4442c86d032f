"""A plot of series over steps, in the colours of the theme."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QHelpEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QToolTip, QVBoxLayout, QWidget

from desktop_app.charts.marks import MarkLayer, Marks
from desktop_app.models.runs.series import Floats, Series
from desktop_app.theme import tokens
from desktop_app.words.numbers import number_text

_WIDEST_LABEL = "-0.000000"
_GRID_ALPHA = 0.25
_MARGIN = 0.06  # of the height, above and below the curves
_SAMPLE = 5000  # values that are enough to know a curve's usual range
_USUAL = (0.005, 0.995)  # quantiles: a rare spike must not flatten everything else
_FRAME_MS = 16
_TOOLTIP_REACH_PX = 6
_KEY_ZOOM = 1.5
_KEY_PAN = 0.2  # of the width
_FEWEST_STEPS = 1.0  # in sight: nearer than that there is nothing more to see
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
        name: What a legend calls it, already translated.
    """

    series: Series
    colour: str
    width: int = 1
    name: str = ""


class StepAxis(pg.AxisItem):  # type: ignore[misc]  # the library has no types
    """An axis of whole steps: near by there are no others to mark."""

    def tickSpacing(  # noqa: N802 - the library's name
        self, low: float, high: float, length: float
    ) -> list[tuple[float, float]]:
        """Return the distances between ticks and where they begin, the widest first."""
        spacings = super().tickSpacing(low, high, length)
        whole = [(spacing, offset) for spacing, offset in spacings if spacing >= _FEWEST_STEPS]
        return whole or [(_FEWEST_STEPS, 0.0)]


class ValueAxis(pg.AxisItem):  # type: ignore[misc]  # the library has no types
    """An axis whose small numbers are written as everywhere else: 2e-5."""

    def tickStrings(  # noqa: N802 - the library's name
        self, values: Sequence[float], scale: float, spacing: float
    ) -> list[str]:
        """Return what is written at the ticks."""
        written: list[str] = super().tickStrings(values, scale, spacing)
        if not any("e" in words for words in written):
            return written
        return [number_text(float(words)) for words in written]


class StepPlot(QWidget):
    """Curves over a range of steps; heights always fit what is in range."""

    moved_by_hand = Signal(float, float)  # the steps that someone zoomed or moved to
    pointed = Signal(object)  # the step under the pointer, not rounded; None without
    reset_wanted = Signal()  # by a double click, or the key Home

    def __init__(self, *, from_zero: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._from_zero = from_zero
        self._curves: list[tuple[Curve, pg.PlotCurveItem]] = []
        self._marks: Sequence[Marks] = ()
        self._words_at: Callable[[float, float], str] = _no_words
        self._pointer: QPoint | None = None
        self._titles = {"left": "", "bottom": ""}
        self._has_steps = True
        self._plot = pg.PlotWidget(
            self, axisItems={"left": ValueAxis("left"), "bottom": StepAxis("bottom")}
        )
        self._item = self._plot.getPlotItem()
        self._cursor = pg.InfiniteLine(angle=90)
        self._cursor.hide()
        self._mark_layer = MarkLayer(self._item)
        self._set_up_plot()
        self._redraw_soon = QTimer(self, singleShot=True, interval=_FRAME_MS)
        self._redraw_soon.timeout.connect(self.redraw)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, tokens.current().gap_l, 0)
        layout.addWidget(self._plot)
        self._apply_theme()

    @property
    def x_range(self) -> tuple[float, float]:
        """The steps that are shown."""
        first, last = self._item.viewRange()[0]
        return float(first), float(last)

    @property
    def curves(self) -> Sequence[Curve]:
        """What is drawn, the last one on top."""
        return [curve for curve, _ in self._curves]

    def set_curves(self, curves: Sequence[Curve]) -> None:
        """Draw these curves instead."""
        for _, item in self._curves:
            self._item.removeItem(item)
        self._curves = []
        for curve in curves:
            item = pg.PlotCurveItem(antialias=True, skipFiniteCheck=True)
            self._item.addItem(item, ignoreBounds=True)
            self._curves.append((curve, item))

    def set_marks(self, marks: Sequence[Marks]) -> None:
        """Mark these steps from the next drawing on."""
        self._marks = marks

    def set_name(self, name: str, steps_name: str) -> None:
        """Title the axes, and tell screen readers what this is.

        Args:
            name: What is drawn.
            steps_name: What it is drawn over.
        """
        self._plot.setAccessibleName(name)
        self._titles = {"left": name, "bottom": steps_name}
        self._show_titles()

    def set_tooltips(self, words_at: Callable[[float, float], str]) -> None:
        """Show as a tooltip what ``words_at`` says of the steps from one to another."""
        self._words_at = words_at

    def set_steps_shown(self, is_shown: bool) -> None:
        """Write the numbers of the steps, or leave them to a plot below."""
        self._has_steps = is_shown
        self._item.getAxis("bottom").setStyle(showValues=is_shown)
        self._show_titles()

    def show_steps(self, first: float, last: float) -> None:
        """Draw the series as they are now, over these steps."""
        self._item.setXRange(first, max(last, first + _FEWEST_STEPS), padding=0.0)
        self.redraw()

    def point_at(self, step: float | None) -> None:
        """Mark a step with a line from top to bottom, or none."""
        self._cursor.setVisible(step is not None)
        if step is not None:
            self._cursor.setPos(step)

    def redraw(self) -> None:
        """Draw the series as they are now."""
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
        view = self._item.getViewBox()
        self._mark_layer.draw(self._marks, view.viewRect(), view.height())
        # Else it happens while painting, and everything that it moves is painted a second time.
        self._plot.scene().prepareForPaint()
        self._tell_pointed()  # another step may have come under the pointer

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Thin the curves for another width."""
        super().resizeEvent(event)
        self._show_titles()
        self._redraw_soon.start()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Take on the colours and fonts of a new theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._apply_theme()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Watch the pointer over the drawing, and the keys."""
        match event.type():
            case QEvent.Type.KeyPress if isinstance(event, QKeyEvent) and watched is self._plot:
                return self._on_key(event)
            case QEvent.Type.MouseMove if isinstance(event, QMouseEvent):
                self._pointer = event.position().toPoint()
                self._tell_pointed()
            case QEvent.Type.Leave if self._pointer is not None:
                self._pointer = None
                self.pointed.emit(None)
            case QEvent.Type.ToolTip if isinstance(event, QHelpEvent):
                self._show_tooltip(event)
                return True
            case QEvent.Type.MouseButtonDblClick:
                self.reset_wanted.emit()
                return True
        return super().eventFilter(watched, event)

    # ---------------------------------------------------------------- drawing

    def _set_up_plot(self) -> None:
        self._item.setMenuEnabled(False)
        self._item.hideButtons()
        self._item.showGrid(x=True, y=True, alpha=_GRID_ALPHA)
        self._item.addItem(self._cursor, ignoreBounds=True)
        view = self._item.getViewBox()
        view.setMouseEnabled(x=True, y=False)
        view.setLimits(minXRange=_FEWEST_STEPS)
        view.disableAutoRange()
        view.sigRangeChangedManually.connect(self._on_moved)
        self._plot.setProperty("role", "plot")
        self._plot.setFrameShape(QFrame.Shape.StyledPanel)  # shows the focus
        self._plot.installEventFilter(self)
        self._plot.viewport().installEventFilter(self)
        for axis in ("left", "bottom"):
            self._item.getAxis(axis).enableAutoSIPrefix(False)
            self._item.getAxis(axis).setStyle(maxTickLevel=1)

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

    def _apply_theme(self) -> None:
        look = tokens.current()
        font = tokens.font(look.font_small)
        self._plot.setBackground(look.chart_background)
        self._plot.setMinimumHeight(look.thumbnail // 2)
        self._cursor.setPen(pg.mkPen(look.chart_axis))
        for name in ("left", "bottom"):
            axis = self._item.getAxis(name)
            axis.setPen(pg.mkPen(look.chart_grid))
            axis.setTextPen(pg.mkPen(look.chart_axis))
            axis.setTickFont(font)
        # Axes of the same width keep the steps of plots under one another.
        metrics = QFontMetrics(font)
        width = metrics.horizontalAdvance(_WIDEST_LABEL) + metrics.height()
        self._item.getAxis("left").setWidth(width)
        self._show_titles()

    def _show_titles(self) -> None:
        """Write the titles of the axes; one that is longer than a low plot is left out."""
        look = tokens.current()
        font = tokens.font(look.font_small)
        length = QFontMetrics(font).horizontalAdvance(self._titles["left"])
        is_shown = {"left": self.height() > 1.5 * length, "bottom": self._has_steps}
        for name, words in self._titles.items():
            axis = self._item.getAxis(name)
            style = {"color": look.chart_axis, "font-size": f"{font.pointSizeF():g}pt"}
            axis.setLabel(words, **style)
            axis.showLabel(bool(words) and is_shown[name])

    # ---------------------------------------------------------------- mouse and keys

    def _on_key(self, event: QKeyEvent) -> bool:
        """Zoom, move or show everything; return whether the key means one of these."""
        first, last = self.x_range
        step = _KEY_PAN * (last - first)
        match event.key():
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self._zoom(1 / _KEY_ZOOM)
            case Qt.Key.Key_Minus:
                self._zoom(_KEY_ZOOM)
            case Qt.Key.Key_Left:
                self._move_to(first - step, last - step)
            case Qt.Key.Key_Right:
                self._move_to(first + step, last + step)
            case Qt.Key.Key_Home:
                self.reset_wanted.emit()
            case _:
                return False
        return True

    def _zoom(self, factor: float) -> None:
        first, last = self.x_range
        middle, reach = (first + last) / 2, max(factor * (last - first), _FEWEST_STEPS) / 2
        self._move_to(middle - reach, middle + reach)

    def _move_to(self, first: float, last: float) -> None:
        self._item.setXRange(first, last, padding=0.0)  # the next key begins from here
        self._on_moved()

    def _on_moved(self) -> None:
        self.moved_by_hand.emit(*self.x_range)

    def _tell_pointed(self) -> None:
        if self._pointer is None:
            return
        self.pointed.emit(self._step_at(self._pointer))

    def _show_tooltip(self, event: QHelpEvent) -> None:
        step = self._step_at(event.pos())
        words = ""
        if step is not None:
            first, last = self.x_range
            reach = _TOOLTIP_REACH_PX * (last - first) / self._item.getViewBox().width()
            words = self._words_at(step - reach, step + reach)
        QToolTip.showText(event.globalPos(), words, self._plot)

    def _step_at(self, pointer: QPoint) -> float | None:
        place = self._plot.mapToScene(pointer)
        view = self._item.getViewBox()
        if not view.sceneBoundingRect().contains(place):
            return None
        return float(view.mapSceneToView(place).x())


def _no_words(first: float, last: float) -> str:
    return ""


def _usual_range(y: Floats) -> tuple[float, float]:
    sample = y[:: max(1, len(y) // _SAMPLE)]
    low, high = np.quantile(sample, _USUAL) if len(sample) > 1 / _USUAL[0] else (y.min(), y.max())
    return float(low), float(high)
