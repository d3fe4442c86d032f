"""The concepts of a picture folder as a table: pictures, repeats, and what an epoch shows."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop_app.translation import shown
from trainer_core.dataset.index import Concept
from trainer_core.texts import T

_NO_INDEX = QModelIndex()


class Column(IntEnum):
    """The columns of the table."""

    NAME = 0
    PICTURES = 1
    REPEATS = 2


_HEADINGS = {
    Column.NAME: T("App", "Folder"),
    Column.PICTURES: T("App", "Pictures"),
    Column.REPEATS: T("App", "Repeats"),
}


class ConceptTable(QAbstractTableModel):
    """A first row for all pictures, then one for each concept."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._concepts: tuple[Concept, ...] = ()

    def show(self, concepts: Sequence[Concept]) -> None:
        """Hold these concepts instead."""
        if tuple(concepts) != self._concepts:
            self.beginResetModel()
            self._concepts = tuple(concepts)
            self.endResetModel()

    def folder(self, row: int) -> Path | None:
        """Return the folder of a row, None for all of them."""
        return self._concepts[row - 1].folder if 0 < row <= len(self._concepts) else None

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NO_INDEX) -> int:  # noqa: N802
        """Return the number of rows."""
        return 0 if parent.isValid() or not self._concepts else 1 + len(self._concepts)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = _NO_INDEX) -> int:  # noqa: N802
        """Return the number of columns."""
        return 0 if parent.isValid() else len(Column)

    def headerData(  # noqa: N802 - Qt's name
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """Return a heading; those of numbers stand over them."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return shown(_HEADINGS[Column(section)])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(Column(section))
        return None

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """Return what a cell shows."""
        column = Column(index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.DisplayRole:
            row = index.row()
            return self._of_all(column) if row == 0 else _of_one(self._concepts[row - 1], column)
        if role == Qt.ItemDataRole.ToolTipRole and index.row() > 0:
            return _tooltip(self._concepts[index.row() - 1])
        return None

    def _of_all(self, column: Column) -> str:
        match column:
            case Column.NAME:
                return shown(T("App", "All pictures"))
            case Column.PICTURES:
                return str(sum(len(concept.pictures) for concept in self._concepts))
            case Column.REPEATS:
                return ""


def _of_one(concept: Concept, column: Column) -> str:
    match column:
        case Column.NAME:
            return concept.name
        case Column.PICTURES:
            return str(len(concept.pictures))
        case Column.REPEATS:
            return shown(T("App", "×{repeats}"), repeats=concept.repeats)


def _tooltip(concept: Concept) -> str:
    return shown(
        T("App", "{folder}\n{pictures} pictures × {repeats} repeats = {shown} shown per epoch"),
        folder=str(concept.folder),
        pictures=len(concept.pictures),
        repeats=concept.repeats,
        shown=len(concept.pictures) * concept.repeats,
    )


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column is Column.NAME else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter
