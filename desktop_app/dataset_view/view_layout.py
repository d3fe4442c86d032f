"""How the view of a picture folder is divided, as one piece that is kept between starts."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QByteArray, QDataStream, QIODevice, QObject, QTimer, Signal
from PySide6.QtWidgets import QSlider, QSplitter

_VERSION = 3  # raised when a kept layout would no longer fit
_PAUSE_MS = 300  # without a move: what listens may write a file


class ViewLayout(QObject):
    """The places of some splitters and a slider."""

    changed = Signal()  # the user moved something, and holds it no longer

    def __init__(self, splitters: Sequence[QSplitter], slider: QSlider, parent: QObject) -> None:
        super().__init__(parent)
        self._splitters = splitters
        self._slider = slider
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self.changed)
        for splitter in splitters:
            splitter.splitterMoved.connect(self._on_moved)
        slider.valueChanged.connect(self._on_moved)

    def state(self) -> QByteArray:
        """Return where everything is."""
        data = QByteArray()
        stream = QDataStream(data, QIODevice.OpenModeFlag.WriteOnly)
        stream.writeInt32(_VERSION)
        stream.writeInt32(self._slider.value())
        for splitter in self._splitters:
            stream << splitter.saveState()
        return data

    def restore(self, data: QByteArray) -> None:
        """Put everything where it was; a state of another version changes nothing."""
        stream = QDataStream(data)
        if stream.readInt32() != _VERSION:
            return
        self._slider.setValue(stream.readInt32())
        for splitter in self._splitters:
            state = QByteArray()
            stream >> state
            splitter.restoreState(state)

    def _on_moved(self) -> None:
        self._pause.start()
