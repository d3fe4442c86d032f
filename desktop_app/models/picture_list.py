"""The pictures of the dataset as a list for views."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop_app.models.picture_row import PictureRow
from desktop_app.translation import shown

_NO_INDEX = QModelIndex()


class PictureRole(IntEnum):
    """What views ask for beside the name."""

    PATH = Qt.ItemDataRole.UserRole
    CAPTION = Qt.ItemDataRole.UserRole + 1
    SEVERITY = Qt.ItemDataRole.UserRole + 2


class PictureList(QAbstractListModel):
    """Rows for a view; rows that stay the same pictures are updated without a reset."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[PictureRow] = []

    def show(self, rows: Sequence[PictureRow]) -> None:
        """Hold these rows instead."""
        rows = list(rows)
        if [row.path for row in rows] != [row.path for row in self._rows]:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
        elif rows:
            self._rows = rows
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))

    def row_of(self, path: Path) -> int | None:
        """Return the row of a picture."""
        return next((n for n, row in enumerate(self._rows) if row.path == path), None)

    def picture(self, row: int) -> PictureRow:
        """Return the picture in a row."""
        return self._rows[row]

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NO_INDEX) -> int:  # noqa: N802
        """Return the number of pictures."""
        return 0 if parent.isValid() else len(self._rows)

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """Return what a view shows of a picture."""
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.path.name
            case PictureRole.PATH:
                return row.path
            case PictureRole.CAPTION:
                return row.caption
            case PictureRole.SEVERITY:
                return None if row.severity is None else str(row.severity)
            case Qt.ItemDataRole.ToolTipRole:
                return "\n".join(shown(finding.message) for finding in row.findings)
        return None
