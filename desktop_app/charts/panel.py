"""A plot under a line that names its curves and tells their values."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from desktop_app.charts.marks import Marks
from desktop_app.charts.plot import Curve, StepPlot
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.words.numbers import number_text
from trainer_core.texts import T

_NO_VALUE = "–"
_SMALL = 1e-3  # numbers below are written as in the fields: 1e-4


class ChartPanel(QWidget):
    """A titled plot; its legend tells the newest values, or those of the step pointed at.

    Attributes:
        plot: The plot itself.
    """

    def __init__(self, title: str, *, from_zero: bool = False, number_format: str = ".3g") -> None:
        super().__init__()
        self._title = title
        self._number_format = number_format
        self._marks: Sequence[Marks] = ()
        self._step: float | None = None
        self.plot = StepPlot(from_zero=from_zero, parent=self)
        self.plot.set_name(title, shown(T("App", "Step")))
        self._legend = QLabel(self)
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        # A dock may be narrower than the legend is long: it takes more lines then.
        self._legend.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self._legend.setSizePolicy(policy)
        look = tokens.current()
        self._legend.setContentsMargins(look.gap_m, look.gap_s, look.gap_m, look.gap_s)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._legend)
        column.addWidget(self.plot, 1)

    def set_curves(self, curves: Sequence[Curve]) -> None:
        """Draw and name these curves instead."""
        self.plot.set_curves(curves)
        self._show_values()

    @property
    def first_mark(self) -> float | None:
        """The first step that is marked."""
        return min((float(group.steps[0]) for group in self._marks), default=None)

    def set_marks(self, marks: Sequence[Marks]) -> None:
        """Draw and name these marks from the next drawing on."""
        self._marks = [group for group in marks if len(group.steps)]
        self.plot.set_marks(marks)

    def show_steps(self, first: float, last: float) -> None:
        """Draw the series as they are now, over these steps."""
        self.plot.show_steps(first, last)
        self._show_values()

    def point_at(self, step: float | None) -> None:
        """Show the values of a step, or the newest ones."""
        self._step = step
        self.plot.point_at(step)
        self._show_values()

    def _show_values(self) -> None:
        look = tokens.current()
        gap = "&nbsp;&nbsp;&nbsp; "
        keys = [self._key(curve) for curve in self.plot.curves]
        marks = [
            f'{_coloured(group.glyph, group.colour)}&nbsp;<span style="color: {look.text_dim}">'
            f"{_unbroken(group.name)}</span>"
            for group in self._marks
        ]
        self._legend.setText(gap.join([escape(self._title), *keys, *marks]))

    def _key(self, curve: Curve) -> str:
        """Return a curve's colour, name and value as rich text."""
        dot = _coloured("●", curve.colour)
        return "&nbsp;".join(
            filter(None, [dot, _unbroken(curve.name), f"<b>{self._value(curve)}</b>"])
        )

    def _value(self, curve: Curve) -> str:
        series = curve.series
        if self._step is not None:
            value = series.value_at(self._step)
        else:
            value = float(series.y[-1]) if len(series) else None
        if value is None:
            return _NO_VALUE
        words = format(value, self._number_format)
        return number_text(float(words)) if 0 < abs(value) < _SMALL else words


def _unbroken(words: str) -> str:
    """Return words as rich text that stays on one line."""
    return escape(words).replace(" ", "&nbsp;")


def _coloured(glyph: str, colour: str) -> str:
    return f'<span style="color: {colour}">{glyph}</span>'
