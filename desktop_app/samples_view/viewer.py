"""Sample pictures seen large: one of a prompt, or two of its steps side by side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop_app.models.runs.samples_model import Prompt, SampleRole, SamplesModel
from desktop_app.samples_view.pane import SamplePane
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.elided_label import ElidedLabel
from desktop_app.widgets.pictures.thumbnails import ThumbnailLoader
from trainer_core.protocol.messages import SampleReady
from trainer_core.texts import T

_LARGEST_SIDE_PX = 2048


class SampleViewer(QWidget):
    """Shows samples of one prompt; Left and Right go through the steps, Escape leaves."""

    closed = Signal()

    def __init__(self, model: SamplesModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._prompt: Prompt | None = None
        self.loader = ThumbnailLoader(self)
        self.loader.set_side(_LARGEST_SIDE_PX)
        self._back_button = QPushButton(shown(T("App", "All samples")), self)
        self._words = ElidedLabel(Qt.TextElideMode.ElideRight, self)
        self.compare = QPushButton(shown(T("App", "Compare two steps")), self)
        self.compare.setCheckable(True)
        self.other = SamplePane(self.loader, self)
        self.main = SamplePane(self.loader, self)
        self.other.hide()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._lay_out()
        self._back_button.clicked.connect(self.closed)
        self.compare.toggled.connect(self._on_compare)
        for pane in (self.main, self.other):
            pane.changed.connect(self._load_shown)
        model.dataChanged.connect(self._on_drawn)
        model.modelReset.connect(self._on_reset)

    def show_sample(self, sample: SampleReady) -> None:
        """Show a sample large; beside it, when comparing, the one that stood there."""
        self._prompt = Prompt(sample.prompt_index, sample.prompt)
        self._words.setText(sample.prompt)
        samples = self._model.samples_of(self._prompt)
        self.main.show_sample(samples, sample.step)
        self.compare.setEnabled(len(samples) > 1)
        if len(samples) < 2:
            self.compare.setChecked(False)
        if self.compare.isChecked():
            self._show_other()
        self.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Go through the steps, or leave."""
        match event.key():
            case Qt.Key.Key_Escape:
                self.closed.emit()
            case Qt.Key.Key_Left:
                self.main.go(-1)
            case Qt.Key.Key_Right:
                self.main.go(1)
            case _:
                super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Load again what was let go."""
        super().showEvent(event)
        self._load_shown()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Let go of the large pictures."""
        super().hideEvent(event)
        self.loader.forget()

    def _on_compare(self, is_comparing: bool) -> None:
        self.other.setVisible(is_comparing)
        if is_comparing:
            self._show_other()

    def _show_other(self) -> None:
        """Show, on the left, the step that was chosen there before, at first the earliest."""
        if self._prompt is None:
            return
        samples = self._model.samples_of(self._prompt)
        chosen = self.other.sample or samples[0]
        self.other.show_sample(samples, chosen.step)

    def _on_drawn(self, cell: QModelIndex) -> None:
        """Offer a sample that was just drawn; what is shown stays."""
        drawn: SampleReady = cell.data(SampleRole)
        shown_now = self.main.sample
        if shown_now is None or self._prompt != (drawn.prompt_index, drawn.prompt):
            return
        if self.loader.thumbnail(Path(drawn.path)) is not None:  # again under the same name
            self.loader.forget()
        samples = self._model.samples_of(self._prompt)
        self.main.show_sample(samples, shown_now.step)
        self.compare.setEnabled(len(samples) > 1)
        if self.compare.isChecked():
            self._show_other()

    def _on_reset(self) -> None:
        self.loader.forget()
        self._prompt = None
        self.closed.emit()

    def _load_shown(self) -> None:
        """Load what is shown, then its neighbours for whoever goes on."""
        if self.isVisible():
            self.loader.want(self._wanted_paths())

    def _wanted_paths(self) -> Iterator[Path]:
        panes = [self.main] + [self.other] * self.compare.isChecked()
        for pane in panes:
            if pane.sample is not None:
                yield Path(pane.sample.path)
        for pane in panes:
            yield from (Path(sample.path) for sample in pane.neighbours())

    def _lay_out(self) -> None:
        look = tokens.current()
        bar = QHBoxLayout()
        bar.setSpacing(look.gap_m)
        bar.addWidget(self._back_button)
        bar.addWidget(self._words, 1)
        bar.addWidget(self.compare)
        panes = QHBoxLayout()
        panes.setSpacing(look.gap_m)
        panes.addWidget(self.other, 1)
        panes.addWidget(self.main, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(look.gap_m, look.gap_m, look.gap_m, look.gap_m)
        column.setSpacing(look.gap_m)
        column.addLayout(bar)
        column.addLayout(panes, 1)
