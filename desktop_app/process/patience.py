"""How long a trainer that was asked to stop is waited for before it is ended."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

SAVE_PATIENCE_S = 600.0  # without a sign of life: a large state on a slow disk takes minutes
STOP_PATIENCE_S = 15.0  # the step at hand is finished first


class Patience(QObject):
    """Waits after a request to stop: first for `lost`, which is time to terminate, then to kill.

    While the trainer saves, every event counts as a sign of life.
    """

    lost = Signal()  # it did not stop: terminate it
    lost_again = Signal()  # it did not even then: kill it

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._is_saving = False
        self._is_terminated = False
        self._stop_patience_s = STOP_PATIENCE_S
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._on_timeout)

    def start(self, *, save: bool, save_patience_s: float, stop_patience_s: float) -> None:
        """Begin to wait, from the beginning."""
        self._is_saving, self._is_terminated = save, False
        self._stop_patience_s = stop_patience_s
        self._wait(save_patience_s if save else stop_patience_s)

    def take_sign_of_life(self) -> None:
        """Wait from the beginning if it is saving."""
        if self._is_saving and self._timer.isActive():
            self._timer.start()

    def end(self) -> None:
        """Wait no longer."""
        self._timer.stop()

    def _wait(self, seconds: float) -> None:
        self._timer.start(round(seconds * 1000))

    def _on_timeout(self) -> None:
        if self._is_terminated:
            self.lost_again.emit()
            return
        self._is_terminated = True
        self._wait(self._stop_patience_s)
        self.lost.emit()
