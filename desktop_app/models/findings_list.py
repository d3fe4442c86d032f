"""The findings of the audit as a list, the worst first."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop_app.models.finding_words import way_out, what
from desktop_app.models.picture_row import WORST_FIRST
from desktop_app.theme import tokens
from desktop_app.theme.icons import icon
from trainer_core.dataset.audit import Finding

_NO_INDEX = QModelIndex()


class FindingsList(QAbstractListModel):
    """One row for each finding."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._findings: list[Finding] = []
        self._folders: tuple[Path, ...] = ()

    def show(self, findings: Iterable[Finding], *folders: Path) -> None:
        """Hold these findings instead; paths below one of the folders are named from it on."""
        ordered = sorted(findings, key=lambda finding: WORST_FIRST.index(finding.severity))
        if ordered != self._findings or folders != self._folders:
            self.beginResetModel()
            self._findings, self._folders = ordered, folders
            self.endResetModel()

    def finding(self, row: int) -> Finding:
        """Return the finding in a row."""
        return self._findings[row]

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NO_INDEX) -> int:  # noqa: N802
        """Return the number of findings."""
        return 0 if parent.isValid() else len(self._findings)

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """Return what a row shows."""
        finding = self._findings[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return what(finding, *self._folders)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{what(finding, *self._folders)}\n{way_out(finding)}".strip()
        if role == Qt.ItemDataRole.DecorationRole:
            severity = str(finding.severity)
            return icon(severity, str(getattr(tokens.current(), severity)))
        return None
