"""Quiet vertical lines with small glyphs, at steps where something happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor

from desktop_app.models.runs.series import Floats

_GLYPH_PX = 8
_ROW_PX = 12  # glyphs of different kinds at one step stand above one another
_LINE_ALPHA = 0.6
_CLOSEST_PX = 4  # lines nearer to one another are drawn as one
_BEHIND_THE_CURVES = -10
_SYMBOLS = {"◆": "d", "■": "s"}


@dataclass(frozen=True, slots=True)
class Marks:
    """Steps that are marked alike.

    Attributes:
        steps: Where, rising.
        name: What a legend calls them, already translated.
        glyph: ``◆`` or ``■`` at the foot of each line; others stand in legends only.
    """

    steps: Floats
    colour: str
    name: str
    glyph: str


class MarkLayer:
    """Draws marks behind the curves of a plot."""

    def __init__(self, plot: pg.PlotItem) -> None:
        self._plot = plot
        self._items: list[tuple[pg.PlotCurveItem, pg.ScatterPlotItem]] = []

    def draw(self, groups: Sequence[Marks], shown: QRectF, height_px: float) -> None:
        """Draw these marks instead, as far as they are in the range ``shown``."""
        while len(self._items) < len(groups):
            self._items.append(self._new_items())
        row = shown.height() * _ROW_PX / max(height_px, _ROW_PX)
        foot = shown.top() - row / 2
        for (line, glyphs), group in zip(self._items, groups, strict=False):
            steps = _apart(group.steps, shown, self._plot.getViewBox().width())
            ends = np.tile([shown.top(), shown.bottom()], len(steps))
            line.setData(np.repeat(steps, 2), ends, connect="pairs")
            colour = QColor(group.colour)
            colour.setAlphaF(_LINE_ALPHA)
            line.setPen(pg.mkPen(colour, style=Qt.PenStyle.DotLine))
            symbol = _SYMBOLS.get(group.glyph)
            foot += row if symbol else 0.0
            placed = steps if symbol else steps[:0]
            glyphs.setData(
                placed,
                np.full(len(placed), foot),
                symbol=symbol or "o",
                size=_GLYPH_PX,
                pen=None,
                brush=group.colour,
            )

    def _new_items(self) -> tuple[pg.PlotCurveItem, pg.ScatterPlotItem]:
        items = pg.PlotCurveItem(), pg.ScatterPlotItem()
        for item in items:
            item.setZValue(_BEHIND_THE_CURVES)
            self._plot.addItem(item, ignoreBounds=True)
        return items


def _apart(steps: Floats, shown: QRectF, width_px: float) -> Floats:
    """Return the steps in range, one where several would touch on the screen."""
    in_range = steps[(steps >= shown.left()) & (steps <= shown.right())]
    places = (in_range - shown.left()) / shown.width() * width_px // _CLOSEST_PX
    _, firsts = np.unique(places, return_index=True)
    return in_range[firsts]
