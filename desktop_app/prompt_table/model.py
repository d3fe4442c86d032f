"""The prompts of sample pictures as a table: a row for each, held as the line that a file has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from PySide6.QtCore import QObject, Qt, Signal

from desktop_app.models.row_table import NO_INDEX, Index, RowTable
from trainer_core.prompts.file import DEFAULT_SCALE, DEFAULT_STEPS
from trainer_core.prompts.line import PromptValues, parse_prompt_line, prompt_line
from trainer_core.texts import T

_SIZE = re.compile(r"\s*(\d+)(?:\s*[x×,* ]\s*(\d+))?\s*", re.IGNORECASE)


class Column(IntEnum):
    """The columns of the table."""

    PROMPT = 0
    NEGATIVE = 1
    SIZE = 2
    SEED = 3
    STEPS = 4
    SCALE = 5


@dataclass(frozen=True, slots=True)
class _Cell:
    """How a column is called, read and written, and what stands in it where nothing is said."""

    heading: str
    names: tuple[str, ...]
    pattern: str
    read: Callable[[str], Sequence[object]]
    default: str = ""


_CELLS: Mapping[Column, _Cell] = {
    Column.PROMPT: _Cell(T("App", "Prompt"), ("prompt",), r".*", lambda words: [words]),
    Column.NEGATIVE: _Cell(
        T("App", "Negative"), ("negative_prompt",), r".*", lambda words: [words]
    ),
    Column.SIZE: _Cell(
        T("App", "Size"), ("width", "height"), _SIZE.pattern, lambda words: _sides(words), "–"
    ),
    Column.SEED: _Cell(T("App", "Seed"), ("seed",), r"\d{1,20}", lambda words: [int(words)], "–"),
    Column.STEPS: _Cell(
        T("App", "Steps"),
        ("sample_steps",),
        r"\d{1,4}",
        lambda words: [int(words)],
        str(DEFAULT_STEPS),
    ),
    Column.SCALE: _Cell(
        T("App", "Scale"),
        ("scale",),
        r"\d+(\.\d*)?",
        lambda words: [float(words)],
        f"{DEFAULT_SCALE:g}",
    ),
}


def pattern_of(column: Column) -> str:
    """Return the regular expression that every entry of a column but an empty one matches."""
    return _CELLS[column].pattern


class PromptTableModel(RowTable):
    """Lines of prompts; what a line says beside the columns is kept."""

    edited = Signal()  # by setData, append or remove; not by `show_lines`

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__({column: cell.heading for column, cell in _CELLS.items()}, parent)
        self._rows: list[str] = []

    @property
    def lines(self) -> list[str]:
        """The lines that say something; a row that was just added may not yet."""
        return [line for line in self._rows if line]

    def show_lines(self, lines: Iterable[str]) -> None:
        """Show these lines instead."""
        self.beginResetModel()
        self._rows = list(lines)
        self.endResetModel()

    def append(self, lines: Sequence[str]) -> None:
        """Add rows at the end; an empty line is an empty row, which counts once it is filled."""
        first = len(self._rows)
        self.beginInsertRows(NO_INDEX, first, first + len(lines) - 1)
        self._rows += lines
        self.endInsertRows()
        if any(lines):
            self.edited.emit()

    def remove(self, rows: Iterable[int]) -> None:
        """Remove rows."""
        gone = set(rows)
        before = self.lines
        self.show_lines(line for row, line in enumerate(self._rows) if row not in gone)
        if self.lines != before:
            self.edited.emit()

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let every cell be edited."""
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell shows: dim, where nothing is said, what holds then."""
        column = Column(index.column())
        words = _words(parse_prompt_line(self._rows[index.row()])[0], column)
        if role == Qt.ItemDataRole.EditRole:
            return words
        if role == Qt.ItemDataRole.DisplayRole:
            return words or _CELLS[column].default
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._rows[index.row()]
        return None

    def is_said(self, index: Index) -> bool:
        """Tell whether a cell shows what the prompt says, not what holds without."""
        return bool(self.data(index, Qt.ItemDataRole.EditRole))

    def setData(  # noqa: N802 - Qt's name
        self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        """Take what was typed; options typed behind a prompt go to their columns."""
        column, words = Column(index.column()), " ".join(str(value).split())
        if role != Qt.ItemDataRole.EditRole or words == index.data(Qt.ItemDataRole.EditRole):
            return False
        before = self._rows[index.row()]
        after = _changed(before, column, words)
        if after is None:
            return False
        self._rows[index.row()] = after
        row = index.row()
        self.dataChanged.emit(self.index(row, 0), self.index(row, len(Column) - 1))
        if after != before:
            self.edited.emit()
        return True


def _words(values: PromptValues, column: Column) -> str:
    said = [values.get(name) for name in _CELLS[column].names]
    if column is Column.SIZE and said != [None, None]:
        return " × ".join("–" if side is None else str(side) for side in said)
    [value] = said if column is not Column.SIZE else [None]
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _changed(line: str, column: Column, words: str) -> str | None:
    """Return a line with another entry in one column; None if the entry does not fit there."""
    cell, values = _CELLS[column], dict(parse_prompt_line(line)[0])
    if words and not re.fullmatch(cell.pattern, words):
        return None
    if column is Column.PROMPT:
        return prompt_line(values | parse_prompt_line(words)[0])
    for name in cell.names:
        values.pop(name, None)
    if words:
        values |= dict(zip(cell.names, cell.read(words), strict=True))
    return prompt_line(values)


def _sides(words: str) -> Sequence[object]:
    match = _SIZE.fullmatch(words)
    assert match is not None, "the pattern was looked at before"
    width = int(match[1])
    return [width, int(match[2] or width)]
