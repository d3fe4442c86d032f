"""The message across the window that says what a drop was understood as, with the way back."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from desktop_app.document import Document
from desktop_app.translation import shown
from desktop_app.widgets.banner import Banner, Way
from trainer_core.texts import T

_SHOWN_MS = 20_000  # after that, Undo in the menu does the same


class DropBanner(Banner):
    """Offers to undo the step that a drop made, for a while, or until there is another step."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(shown(T("App", "Close")), parent)
        self._undo = document.undo_stack
        self._shown = QTimer(self, singleShot=True, interval=_SHOWN_MS)
        self._shown.timeout.connect(self.dismiss)
        self._undo.indexChanged.connect(self.dismiss)
        document.replaced.connect(self.dismiss)

    def tell_step(self, words: str) -> None:
        """Say what the last step of undo did."""
        self.tell("notice", words, "", ((shown(T("App", "Undo")), self._undo.undo),))
        self._shown.start()

    def dismiss(self) -> None:
        """Take the message away."""
        self._shown.stop()
        super().dismiss()

    def refuse(self, words: str, hint: str, ways: tuple[Way, ...]) -> None:
        """Say why nothing was done."""
        self._shown.stop()
        self.tell("warning", words, hint, ways)
