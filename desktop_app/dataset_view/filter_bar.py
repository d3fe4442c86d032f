"""What chooses among the thumbnails, and how large they are."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.elided_label import ElidedLabel
from desktop_app.widgets.find_field import FindField
from trainer_core.texts import T

_PAUSE_MS = 200  # of typing


class FilterBar(QWidget):
    """Words to look for, boxes for pictures with problems or left out, a note, and a slider."""

    filter_changed = Signal()
    size_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_beside = False  # the boxes beside the field, where there is room
        self._field = self._words_field()
        self._only_found = QCheckBox(self)
        self._only_found.setToolTip(shown(T("App", "Show only pictures with problems")))
        self._only_left_out = QCheckBox(self)
        self._only_left_out.setToolTip(shown(T("App", "Show only what is left out of this run")))
        self._note = ElidedLabel(Qt.TextElideMode.ElideRight, self)
        self._note.setProperty("role", "dim")
        self._note.hide()
        self.slider = self._size_slider()
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self.filter_changed)
        self._field.textChanged.connect(lambda _: self._pause.start())
        self._only_found.toggled.connect(self.filter_changed)
        self._only_left_out.toggled.connect(self.filter_changed)
        self.slider.valueChanged.connect(self.size_changed)
        self._lay_out()

    @property
    def words(self) -> str:
        """What is looked for in names and captions."""
        return self._field.text()

    @property
    def only_found(self) -> bool:
        """True if only pictures with problems are wanted."""
        return self._only_found.isChecked()

    @property
    def only_left_out(self) -> bool:
        """True if only pictures that are left out are wanted."""
        return self._only_left_out.isChecked()

    def show_left_out(self, count: int) -> None:
        """Offer the pictures that are left out, if there are any."""
        self._only_left_out.setText(shown(T("App", "Left out ({count})"), count=count))
        self._only_left_out.setVisible(count > 0)
        self._place_boxes()
        if not count:
            self._only_left_out.setChecked(False)

    def show_found(self, count: int) -> None:
        """Offer the pictures with problems, if there are any."""
        self._only_found.setText(shown(T("App", "Problems ({count})"), count=count))
        self._only_found.setVisible(count > 0)
        self._place_boxes()
        if not count:
            self._only_found.setChecked(False)

    def show_note(self, words: str) -> None:
        """Say something beside the filters."""
        self._note.setText(words)
        self._note.setVisible(bool(words))

    def clear(self) -> None:
        """Ask for nothing any more."""
        self._only_found.setChecked(False)
        self._only_left_out.setChecked(False)
        self._field.clear()
        self._pause.stop()
        self.filter_changed.emit()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for the width of the field and the slider; the boxes go below them."""
        gaps = 3 * tokens.current().gap_m
        width = self._field.minimumWidth() + self.slider.width() + gaps
        boxes = max(box.sizeHint().width() for box in self._boxes)
        return QSize(max(width, boxes + gaps), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Put the boxes where they have room."""
        super().resizeEvent(event)
        self._place_boxes()

    def _place_boxes(self) -> None:
        gap = tokens.current().gap_m
        shown_boxes = [box for box in self._boxes if not box.isHidden()]
        width = self._field.minimumWidth() + self.slider.width() + 3 * gap
        width += sum(box.sizeHint().width() + gap for box in shown_boxes)
        is_beside = width <= self.width()
        if self._is_beside is is_beside:
            return
        row = self._row if is_beside else self._below
        self._is_beside = is_beside
        for place, box in enumerate(self._boxes, start=int(is_beside)):
            row.insertWidget(place, box)

    def _lay_out(self) -> None:
        look = tokens.current()
        self._boxes = (self._only_found, self._only_left_out)
        self._row, self._below = QHBoxLayout(), QHBoxLayout()
        for row in (self._row, self._below):
            row.setSpacing(look.gap_m)
        self._row.addWidget(self._field, 3)
        self._row.addWidget(self._note, 2)
        self._row.addWidget(self.slider)
        for box in self._boxes:
            self._below.addWidget(box)
        self._below.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(look.gap_m, 0, look.gap_m, 0)
        column.setSpacing(look.gap_xs)
        column.addLayout(self._row)
        column.addLayout(self._below)
        self._place_boxes()

    def _words_field(self) -> FindField:
        words = shown(T("App", "Find in names and captions"))
        field = FindField(shown(T("App", "Find words")), self)
        field.setMinimumWidth(tokens.current().thumbnail * 3 // 4)
        field.setAccessibleName(words)
        template = T("App", "{find}; of several parts between commas all must be there")
        field.setToolTip(shown(template, find=words))
        return field

    def _size_slider(self) -> QSlider:
        side = tokens.current().thumbnail
        slider = QSlider(Qt.Orientation.Horizontal, self)
        slider.setRange(side // 2, 2 * side)
        slider.setValue(side)
        slider.setFixedWidth(side // 2)
        slider.setToolTip(shown(T("App", "Size of the thumbnails")))
        slider.setAccessibleName(slider.toolTip())
        return slider
