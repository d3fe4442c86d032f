"""One problem in words beside its field, with the button that mends it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop_app.theme import tokens
from desktop_app.translation import shown, shown_offer, shown_problem
from trainer_core.settings.problems import Problem, Suggestion
from trainer_core.settings.schema import AnySchema


class ProblemLine(QWidget):
    """What is wrong, coloured by how much it matters."""

    applied = Signal(object)  # the Suggestion whose changes are wanted

    def __init__(self, problem: Problem, schema: AnySchema, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = tokens.current()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, look.gap_s)
        layout.setSpacing(look.gap_xs)
        words = QLabel(shown_problem(problem, schema), self, wordWrap=True)
        words.setProperty("role", str(problem.severity))
        words.setFont(tokens.font(look.font_small))
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(words)
        if problem.suggestion is not None:
            layout.addLayout(self._way_out(problem.suggestion))

    def _way_out(self, suggestion: Suggestion) -> QHBoxLayout:
        look = tokens.current()
        row = QHBoxLayout()
        if suggestion.changes:
            button = QPushButton(shown_offer(suggestion.message), self)
            button.setProperty("role", "link")
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(lambda: self.applied.emit(suggestion))
            row.addWidget(button)
            button.setFont(tokens.font(look.font_small))
            row.addStretch()
        else:
            label = QLabel(shown(suggestion.message), self, wordWrap=True)
            label.setProperty("role", "dim")
            label.setFont(tokens.font(look.font_small))
            row.addWidget(label)
        return row
