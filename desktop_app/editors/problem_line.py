"""One problem in words beside its field, with the button that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop_app.theme import tokens
from desktop_app.translation import shown, shown_offer, shown_problem
from desktop_app.words.paths import breakable
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
        words = QLabel(breakable(shown_problem(problem, schema)), self, wordWrap=True)
        words.setProperty("role", str(problem.severity))
        words.setFont(tokens.font(look.font_small))
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(words)
        offers = [way for way in problem.ways_out if way.changes]
        for way in problem.ways_out:
            if way not in offers:
                layout.addWidget(self._advice(way))
        if offers:
            layout.addLayout(self._buttons(offers))

    def _advice(self, way: Suggestion) -> QLabel:
        label = QLabel(breakable(shown(way.message)), self, wordWrap=True)
        label.setProperty("role", "dim")
        label.setFont(tokens.font(tokens.current().font_small))
        return label

    def _buttons(self, ways: Sequence[Suggestion]) -> QHBoxLayout:
        look = tokens.current()
        row = QHBoxLayout()
        row.setSpacing(look.gap_l)
        for way in ways:
            button = QPushButton(shown_offer(way.message), self)
            button.setProperty("role", "link")
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(partial(self.applied.emit, way))
            button.setFont(tokens.font(look.font_small))
            row.addWidget(button)
        row.addStretch()
        return row
