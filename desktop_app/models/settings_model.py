"""Every declared setting as a list, to search in."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop_app.translation import shown
from trainer_core.settings.param import Param
from trainer_core.settings.schema import SECTION_TITLES, params
from trainer_core.texts import T

PathRole = Qt.ItemDataRole.UserRole
SearchRole = Qt.ItemDataRole.UserRole + 1  # label, name in files, and help in one text

_NO_INDEX = QModelIndex()


class SettingsModel(QAbstractListModel):
    """A row for every setting, in the order of the forms."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._params = tuple(params().values())

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NO_INDEX) -> int:  # noqa: N802
        """Return the number of settings."""
        return 0 if parent.isValid() else len(self._params)

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """Return label and section, help, path, or the text to search in."""
        param = self._params[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _title(param)
        if role == Qt.ItemDataRole.ToolTipRole:
            return shown(param.spec.help)
        if role == PathRole:
            return param.path
        if role == SearchRole:
            return f"{shown(param.spec.label)} {param.name} {shown(param.spec.help)}"
        return None


def _title(param: Param) -> str:
    section = shown(SECTION_TITLES[param.section])
    return shown(T("App", "{label} – {section}"), label=shown(param.spec.label), section=section)
