"""The newest sample pictures of a run, side by side."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop_app.models.runs.samples_model import SampleRole, SamplesModel, step_words
from desktop_app.samples_view.painting import draw_picture
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.pictures.thumbnails import ThumbnailLoader
from trainer_core.protocol.messages import SampleReady
from trainer_core.texts import T

_SHOWN = 6


class SampleStrip(QWidget):
    """As many pictures of the last step as fit; a click asks for all samples."""

    wanted = Signal()

    def __init__(self, model: SamplesModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._samples: list[SampleReady] = []
        self._loader = ThumbnailLoader(self)
        self._loader.loaded.connect(self._on_loaded)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(tokens.current().thumbnail)

    def refresh(self) -> None:
        """Show what was drawn last."""
        column = self._model.columnCount() - 1
        rows = range(self._model.rowCount()) if column >= 0 else range(0)
        drawn = (self._model.index(row, column).data(SampleRole) for row in rows)
        samples = [sample for sample in drawn if sample is not None][:_SHOWN]
        if samples != self._samples:
            self._samples = samples
            self._load()
        self.setVisible(bool(samples))
        if samples:
            words = step_words(samples[0].step)
            template = T("App", "Last samples, {step}; a click shows them all")
            self.setToolTip(shown(template, step=words))
            self.setAccessibleName(self.toolTip())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the pictures that fit."""
        look = tokens.current()
        side = look.thumbnail
        painter = QPainter(self)
        for number, sample in enumerate(self._samples):
            place = QRect(number * (side + look.gap_m), 0, side, side)
            if place.right() <= self.width():
                path = Path(sample.path)
                draw_picture(painter, place, path, self._loader.thumbnail(path))
        painter.end()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Take the height of a thumbnail."""
        side = tokens.current().thumbnail
        return QSize(side, side)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Load what was dropped out of sight."""
        super().showEvent(event)
        self._load()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Ask for all samples."""
        super().mouseReleaseEvent(event)
        self.wanted.emit()

    def event(self, event: QEvent) -> bool:
        """Make sharper thumbnails when the window comes to a finer screen."""
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self._load()
        return super().event(event)

    def _load(self) -> None:
        self._loader.set_side(round(tokens.current().thumbnail * self.devicePixelRatioF()))
        self._loader.want(Path(sample.path) for sample in self._samples)
        self.update()

    def _on_loaded(self, _path: Path) -> None:
        self.update()
