"""The concepts of a picture folder as a table: their pictures and repeats."""

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
    COUNT = 1  # pictures × repeats


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

    def row_of(self, folder: Path | None) -> int:
        """Return the row of a folder, the one for all of them if it has none."""
        rows = range(1, len(self._concepts) + 1)
        return next((row for row in rows if self.folder(row) == folder), 0)

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NO_INDEX) -> int:  # noqa: N802
        """Return the number of rows."""
        return 0 if parent.isValid() or not self._concepts else 1 + len(self._concepts)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = _NO_INDEX) -> int:  # noqa: N802
        """Return the number of columns."""
        return 0 if parent.isValid() else len(Column)

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """Return what a cell shows."""
        column = Column(index.column())
        concept = self._concepts[index.row() - 1] if index.row() > 0 else None
        match role:
            case Qt.ItemDataRole.DisplayRole if column is Column.NAME:
                return shown(T("App", "All pictures")) if concept is None else concept.name
            case Qt.ItemDataRole.DisplayRole:
                return self._total() if concept is None else _count(concept)
            case Qt.ItemDataRole.TextAlignmentRole if column is Column.COUNT:
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            case Qt.ItemDataRole.ToolTipRole if concept is not None:
                return _tooltip(concept)
        return None

    def _total(self) -> str:
        return str(sum(len(concept.pictures) for concept in self._concepts))


def _count(concept: Concept) -> str:
    template = T("App", "{pictures} × {repeats}")
    return shown(template, pictures=len(concept.pictures), repeats=concept.repeats)


def _tooltip(concept: Concept) -> str:
    return shown(
        T("App", "{folder}\n{pictures} pictures × {repeats} repeats = {samples} per epoch"),
        folder=str(concept.folder),
        pictures=len(concept.pictures),
        repeats=concept.repeats,
        samples=len(concept.pictures) * concept.repeats,
    )
