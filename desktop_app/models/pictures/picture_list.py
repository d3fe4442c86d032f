"""The pictures of the dataset as a list for views."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

from PySide6.QtCore import QAbstractListModel, QObject, Qt

from desktop_app.models.pictures.picture_row import PictureRow
from desktop_app.models.row_table import NO_INDEX, Index
from desktop_app.translation import shown
from trainer_core.texts import T, visible


class PictureRole(IntEnum):
    """What views ask for beside the name."""

    PATH = Qt.ItemDataRole.UserRole
    CAPTION = Qt.ItemDataRole.UserRole + 1
    SEVERITY = Qt.ItemDataRole.UserRole + 2
    IS_LEFT_OUT = Qt.ItemDataRole.UserRole + 3


class PictureList(QAbstractListModel):
    """Rows for a view; rows that stay the same pictures are updated without a reset."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[PictureRow] = []
        self._names: list[str] = []  # of the files: ten thousand paths compare slowly
        self._numbers: dict[str, int] = {}

    def show(self, rows: Sequence[PictureRow]) -> None:
        """Hold these rows instead; views are told of those that look different."""
        rows = list(rows)
        names = [str(row.path) for row in rows]
        if names != self._names:
            self.beginResetModel()
            self._rows, self._names = rows, names
            self._numbers = {name: number for number, name in enumerate(names)}
            self.endResetModel()
            return
        # A view lays out every row that it is told of.
        pairs = zip(self._rows, rows, strict=True)
        news = [number for number, pair in enumerate(pairs) if _look_different(*pair)]
        self._rows = rows
        if news:
            self.dataChanged.emit(self.index(news[0]), self.index(news[-1]))

    @property
    def rows(self) -> list[PictureRow]:
        """The pictures, in their order."""
        return list(self._rows)

    def row_of(self, path: Path) -> int | None:
        """Return the row of a picture."""
        return self._numbers.get(str(path))

    def picture(self, row: int) -> PictureRow:
        """Return the picture in a row."""
        return self._rows[row]

    def rowCount(self, parent: Index = NO_INDEX) -> int:  # noqa: N802 - Qt's name
        """Return the number of pictures."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a view shows of a picture."""
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return visible(row.path.name)
            case PictureRole.PATH:
                return row.path
            case PictureRole.CAPTION:
                return shown(T("App", "Left out")) if row.is_left_out else row.caption
            case PictureRole.SEVERITY:
                return None if row.severity is None else str(row.severity)
            case PictureRole.IS_LEFT_OUT:
                return row.is_left_out
            case Qt.ItemDataRole.ToolTipRole:
                return "\n".join(shown(finding.message) for finding in row.findings)
        return None


def _look_different(before: PictureRow, after: PictureRow) -> bool:
    if (before.is_left_out, before.is_held_out) != (after.is_left_out, after.is_held_out):
        return True
    return before.caption != after.caption or before.findings != after.findings
