"""Words under and beside pictures: how many lines of them fit, and how high a line is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QTextLayout

_LATIN_ENDS = "\u024f"  # beyond it, characters may come from another font than the one asked for
_MEASURED = 64  # different characters: those of one script are equally high


def first_lines(words: str, painter: QPainter, width: int, count: int) -> list[str]:
    """Return what fits into ``count`` lines of ``width`` pixels, the rest as an ellipsis."""
    layout = QTextLayout(words, painter.font())
    layout.beginLayout()
    lines = []
    for number in range(count):
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(width)
        start = line.textStart()
        if number < count - 1:
            lines.append(words[start : start + line.textLength()].rstrip())
        else:
            rest = words[start:]
            lines.append(painter.fontMetrics().elidedText(rest, Qt.TextElideMode.ElideRight, width))
    layout.endLayout()
    return lines


class LineSize(NamedTuple):
    """How high a line of words is, and how far below its top they stand, in pixels."""

    height: int
    baseline: int

    def with_room_for(self, other: LineSize) -> LineSize:
        """Return the size that lines of both kinds fit into."""
        below = max(self.height - self.baseline, other.height - other.baseline)
        baseline = max(self.baseline, other.baseline)
        return LineSize(baseline + below, baseline)


def line_size(font: QFont, words: Iterable[str] = ()) -> LineSize:
    """Return the size of a line that has room for any of these words.

    Characters that the font has not, such as Chinese ones beside a Latin font, are drawn in another
    one, which reaches further up and down.
    """
    metrics = QFontMetrics(font)
    size = LineSize(metrics.lineSpacing(), metrics.ascent())
    foreign: dict[str, None] = {}
    for text in words:
        if not text.isascii():
            foreign |= dict.fromkeys(sign for sign in text if sign > _LATIN_ENDS)
            if len(foreign) >= _MEASURED:
                break
    if not foreign:
        return size
    ink = metrics.tightBoundingRect("".join(foreign))
    return size.with_room_for(LineSize(ink.height(), -ink.top()))


def draw_lines(painter: QPainter, place: QPoint, lines: Iterable[str], size: LineSize) -> None:
    """Draw lines one below the other from ``place``, the upper left corner, on."""
    for number, words in enumerate(lines):
        painter.drawText(place + QPoint(0, number * size.height + size.baseline), words)
