"""A part of a page that folds away under its heading."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from desktop_app.theme import tokens


class Collapsible(QWidget):
    """A heading with an arrow, and a body below it that is shown or not."""

    toggled = Signal(bool)

    def __init__(self, title: str, body: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._body = body
        self._is_bare = False
        self._heading = QToolButton(self)
        self._heading.setText(title)
        self._heading.setCheckable(True)
        self._heading.setProperty("role", "heading")
        self._heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._heading.toggled.connect(self._on_toggled)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(tokens.current().gap_s)
        layout.addWidget(self._heading)
        layout.addWidget(body)
        self._on_toggled(False)

    @property
    def is_open(self) -> bool:
        """True while the body is shown."""
        return self._heading.isChecked()

    def set_open(self, is_open: bool) -> None:
        """Show or hide the body."""
        self._heading.setChecked(is_open)

    def set_bare(self, is_bare: bool) -> None:
        """Show the body without the heading, whether it is folded or not; False ends that."""
        self._is_bare = is_bare
        self._heading.setHidden(is_bare)
        self._body.setVisible(is_bare or self.is_open)

    def _on_toggled(self, is_open: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow
        self._heading.setArrowType(arrow)
        self._body.setVisible(is_open or self._is_bare)
        self.toggled.emit(is_open)
