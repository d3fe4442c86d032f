"""The bar above the samples: how large they are shown."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSlider, QWidget

from desktop_app.preferences import Preferences
from desktop_app.samples_view.grid import SampleGrid
from desktop_app.theme import tokens
from desktop_app.translation import shown
from trainer_core.texts import T


class SizeBar(QWidget):
    """A slider for the size, and a button that lets all steps fit into the width again."""

    def __init__(
        self, grid: SampleGrid, preferences: Preferences, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        look = tokens.current()
        self._grid = grid
        self._preferences = preferences
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(look.thumbnail // 2, 4 * look.thumbnail)
        self.slider.setFixedWidth(look.thumbnail)
        self.slider.setToolTip(shown(T("App", "Size of the samples")))
        self.slider.setAccessibleName(self.slider.toolTip())
        self.fit = QPushButton(shown(T("App", "Fit the width")), self)
        self.fit.setCheckable(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(look.gap_m, look.gap_s, look.gap_m, look.gap_s)
        row.setSpacing(look.gap_m)
        row.addStretch(1)
        row.addWidget(QLabel(shown(T("App", "Size")), self))
        row.addWidget(self.slider)
        row.addWidget(self.fit)
        self._choose(preferences.sample_side)
        self.slider.valueChanged.connect(self._choose)
        self.fit.clicked.connect(self._on_fit)
        grid.arranged.connect(self._show_side)

    def _on_fit(self) -> None:
        """Fit, or stay as large as that is now."""
        self._choose(0 if self.fit.isChecked() else self._grid.side)

    def _choose(self, side: int) -> None:
        self._grid.set_side(side)
        self._preferences.keep_sample_side(side)
        self.fit.setChecked(side == 0)
        self._show_side()

    def _show_side(self) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(self._grid.side)
