"""Facts below one another: a dim name, and what there is to say beside it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from desktop_app.theme import tokens
from desktop_app.widgets.stat_row import Stat
from desktop_app.words.paths import breakable


class FactGrid(QWidget):
    """Names on the left, wrapped words on the right; as many rows as were last given."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = tokens.current()
        self._rows: list[tuple[QLabel, QLabel]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(look.gap_l)
        self._grid.setVerticalSpacing(look.gap_s)
        self._grid.setColumnStretch(1, 1)

    def show_facts(self, facts: Sequence[Stat]) -> None:
        """Show these facts instead."""
        while len(self._rows) < len(facts):
            self._add_row()
        for number, (name, value) in enumerate(self._rows):
            is_used = number < len(facts)
            name.setVisible(is_used)
            value.setVisible(is_used)
            if is_used:
                fact = facts[number]
                name.setText(fact.name)
                value.setText(breakable(fact.value))
                value.setToolTip(fact.tooltip if fact.tooltip != fact.value else "")
                value.setAccessibleName(f"{fact.name}: {fact.value}")

    def _add_row(self) -> None:
        row = len(self._rows)
        name, value = QLabel(self), QLabel(self, wordWrap=True)
        name.setProperty("role", "dim")
        top = Qt.AlignmentFlag.AlignTop
        for column, label in enumerate((name, value)):
            label.setTextFormat(Qt.TextFormat.PlainText)
            self._grid.addWidget(label, row, column, top)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._rows.append((name, value))
