"""A widget whose content is made when it is first seen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget


class LateView(QWidget):
    """An empty widget that fills itself with what ``build`` returns once it is in sight."""

    def __init__(self, build: Callable[[], QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._build: Callable[[], QWidget] | None = build
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Make the content next, the first time."""
        super().paintEvent(event)
        if self._build is not None:
            # Qt calls a dock behind another visible, and tells nobody when it comes to the front.
            QTimer.singleShot(0, self, self._fill)

    def _fill(self) -> None:
        build, self._build = self._build, None
        if build is not None:
            content = build()
            self._layout.addWidget(content)
            content.show()
