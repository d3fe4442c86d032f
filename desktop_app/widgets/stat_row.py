"""A row of figures, each with its name above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop_app.theme import tokens


@dataclass(frozen=True, slots=True)
class Stat:
    """A figure, what it is, and where it comes from."""

    name: str
    value: str
    tooltip: str = ""


class StatRow(QWidget):
    """Figures side by side; as many as were last given."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cells: list[_Cell] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(tokens.current().gap_xl)
        self._row.addStretch(1)

    def show_stats(self, stats: Sequence[Stat]) -> None:
        """Show these figures instead."""
        while len(self._cells) < len(stats):
            self._cells.append(_Cell(self))
            self._row.insertWidget(len(self._cells) - 1, self._cells[-1])
        for number, cell in enumerate(self._cells):
            cell.setVisible(number < len(stats))
            if number < len(stats):
                cell.show_stat(stats[number])


class _Cell(QWidget):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        look = tokens.current()
        self._name = QLabel(self)
        self._name.setProperty("role", "dim")
        self._name.setFont(tokens.font(look.font_small))
        self._value = QLabel(self)
        self._value.setFont(tokens.font(look.font_large, bold=True))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._name)
        column.addWidget(self._value)

    def show_stat(self, stat: Stat) -> None:
        self._name.setText(stat.name)
        self._value.setText(stat.value)
        self.setToolTip(stat.tooltip)
        self.setAccessibleName(f"{stat.name}: {stat.value}")
