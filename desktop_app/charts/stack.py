"""Charts one above the other over the same steps: one range and one pointer for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QSplitter, QWidget

from desktop_app.charts.panel import ChartPanel
from desktop_app.models.runs.series import Series

_FRAME_MS = 16


class ChartStack(QSplitter):
    """Shows everything, and follows as the series grow, until someone zooms or drags.

    Then the range stays until `show_all`, or a double click.
    """

    following_changed = Signal(bool)
    pointed = Signal(object)  # the measured step that is nearest to the pointer; None without

    def __init__(self, panels: Sequence[ChartPanel], parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self.setChildrenCollapsible(False)
        self._panels = panels
        self._is_following = True
        self._range = (0.0, 1.0)
        self._redraw_soon = QTimer(self, singleShot=True, interval=_FRAME_MS)
        self._redraw_soon.timeout.connect(self.redraw)
        for panel in panels:
            self.addWidget(panel)
            panel.plot.moved_by_hand.connect(self._on_moved)
            panel.plot.pointed.connect(self._on_pointed)
            panel.plot.reset_wanted.connect(self.show_all)

    @property
    def is_following(self) -> bool:
        """True while everything is shown."""
        return self._is_following

    def set_shown(self, panel: ChartPanel, is_shown: bool) -> None:
        """Show or hide one of the panels."""
        panel.setVisible(is_shown)
        shown = self._shown()
        for other in shown:
            other.plot.set_steps_shown(other is shown[-1])
        self.redraw()

    def show_all(self) -> None:
        """Show everything, and follow again."""
        self._set_following(True)
        self.redraw()

    def redraw(self) -> None:
        """Draw the series as they are now."""
        if self._is_following:
            drawn = [series for series in self._series() if len(series)]
            marked = [panel.first_mark for panel in self._shown()]  # step 0 is never measured
            firsts = [*(float(series.x[0]) for series in drawn), *marked]
            first = min((step for step in firsts if step is not None), default=0.0)
            self._range = first, max((float(series.x[-1]) for series in drawn), default=1.0)
        for panel in self._shown():
            panel.show_steps(*self._range)

    def _shown(self) -> list[ChartPanel]:
        return [panel for panel in self._panels if not panel.isHidden()]

    def _series(self) -> Iterator[Series]:
        for panel in self._shown():
            for curve in panel.plot.curves:
                yield curve.series

    def _set_following(self, is_following: bool) -> None:
        self._is_following = is_following
        self.following_changed.emit(is_following)

    def _on_moved(self, first: float, last: float) -> None:
        self._range = first, last
        self._set_following(False)
        if not self._redraw_soon.isActive():
            self._redraw_soon.start()

    def _on_pointed(self, place: float | None) -> None:
        step = None if place is None else self._nearest_step(place)
        for panel in self._shown():
            panel.point_at(step)
        self.pointed.emit(step)

    def _nearest_step(self, place: float) -> float | None:
        steps = [step for series in self._series() if (step := series.nearest(place)) is not None]
        return min(steps, key=lambda step: abs(step - place), default=None)
