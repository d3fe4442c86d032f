"""One sample picture, as large as there is room, with the step it was drawn after below it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QSize, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from desktop_app.models.runs.samples_model import step_words
from desktop_app.samples_view.painting import draw_picture
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.icon_button import IconButton
from desktop_app.widgets.pictures.thumbnails import ThumbnailLoader
from trainer_core.protocol.messages import SampleReady
from trainer_core.texts import T


class SamplePane(QWidget):
    """Shows one of the samples it was given, and lets people choose among them."""

    changed = Signal()  # another sample is shown

    def __init__(self, loader: ThumbnailLoader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._samples: list[SampleReady] = []
        self._picture = _Picture(loader, self)
        self._earlier = IconButton("previous", shown(T("App", "Earlier step")), self)
        self._later = IconButton("next", shown(T("App", "Later step")), self)
        self.steps = QComboBox(self)
        self.steps.setAccessibleName(shown(T("App", "Step")))
        self._seed = QLabel(self)
        self._seed.setProperty("role", "dim")
        self._lay_out()
        self._earlier.clicked.connect(lambda: self.go(-1))
        self._later.clicked.connect(lambda: self.go(1))
        self.steps.currentIndexChanged.connect(self._on_chosen)

    @property
    def sample(self) -> SampleReady | None:
        """What is shown; None before the first."""
        row = self.steps.currentIndex()
        return self._samples[row] if 0 <= row < len(self._samples) else None

    def shown_samples(self) -> list[SampleReady]:
        """Return the one that is shown, if there is one."""
        return [] if self.sample is None else [self.sample]

    def show_sample(self, samples: list[SampleReady], step: int) -> None:
        """Offer the samples of one prompt, and show the one of ``step``, else the last."""
        self._samples = samples
        steps = [sample.step for sample in samples]
        row = steps.index(step) if step in steps else len(steps) - 1
        with QSignalBlocker(self.steps):
            self.steps.clear()
            self.steps.addItems([step_words(each) for each in steps])
            self.steps.setCurrentIndex(row)
        self._on_chosen()

    def go(self, count: int) -> None:
        """Show a later sample, or an earlier one for a negative ``count``, if there is one."""
        row = self.steps.currentIndex() + count
        if 0 <= row < self.steps.count():
            self.steps.setCurrentIndex(row)

    def neighbours(self) -> list[SampleReady]:
        """Return the samples before and after the one that is shown."""
        row = self.steps.currentIndex()
        return self._samples[max(row - 1, 0) : row] + self._samples[row + 1 : row + 2]

    def _on_chosen(self) -> None:
        row, sample = self.steps.currentIndex(), self.sample
        self._earlier.setEnabled(row > 0)
        self._later.setEnabled(row < self.steps.count() - 1)
        self._picture.path = None if sample is None else Path(sample.path)
        self._picture.update()
        if sample is not None:
            self._seed.setText(shown(T("App", "seed {seed}"), seed=sample.seed))
        self.changed.emit()

    def _lay_out(self) -> None:
        look = tokens.current()
        row = QHBoxLayout()
        row.setSpacing(look.gap_s)
        row.addStretch(1)
        for widget in (self._earlier, self.steps, self._later):
            row.addWidget(widget)
        row.addSpacing(look.gap_m)
        row.addWidget(self._seed)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.gap_m)
        column.addWidget(self._picture, 1)
        column.addLayout(row)


class _Picture(QWidget):
    """Draws a picture as large as fits."""

    def __init__(self, loader: ThumbnailLoader, parent: QWidget) -> None:
        super().__init__(parent)
        self._loader = loader
        self.path: Path | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        loader.loaded.connect(self._on_loaded)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Stay large enough to be recognised."""
        side = tokens.current().thumbnail
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the picture."""
        if self.path is not None:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            draw_picture(painter, self.rect(), self.path, self._loader.thumbnail(self.path))
            painter.end()

    def _on_loaded(self, path: Path) -> None:
        if path == self.path:
            self.update()
