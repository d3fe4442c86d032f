"""The list of all shortcuts, read from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.window.actions import ACTIONS, MENUS
from trainer_core.texts import T

_WIDTH_PX, _HEIGHT_PX = 460, 620

Group = tuple[str, Sequence[tuple[str, str]]]  # a title, and labels with their keys


def shortcut_groups(commands: Mapping[str, QAction], docks: Iterable[QAction]) -> list[Group]:
    """Return every command that has a key, menu by menu, and the keys of the docks."""
    groups: list[Group] = []
    for menu, title in MENUS.items():
        rows = [
            (_plain(shown(spec.label)), _keys(commands[spec.name]))
            for spec in ACTIONS
            if spec.menu == menu and _keys(commands[spec.name])
        ]
        groups.append((_plain(shown(title)), rows))
    panels = [(action.text(), _keys(action)) for action in docks if _keys(action)]
    groups.append((shown(T("App", "Go to a panel, or close it from inside")), panels))
    return [(title, rows) for title, rows in groups if rows]


class Shortcuts(QDialog):
    """A table of what can be done with the keyboard."""

    def __init__(self, groups: Iterable[Group], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(shown(T("App", "Keyboard shortcuts")))
        self.resize(_WIDTH_PX, _HEIGHT_PX)
        self.table = _table(groups)
        buttons = QDialogButtonBox(self)
        buttons.addButton(shown(T("App", "Close")), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.reject)
        look = tokens.current()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[look.gap_l] * 4)
        layout.setSpacing(look.gap_l)
        layout.addWidget(self.table)
        layout.addWidget(buttons)


def _table(groups: Iterable[Group]) -> QTreeWidget:
    table = QTreeWidget()
    table.setColumnCount(2)
    table.setHeaderHidden(True)
    table.setRootIsDecorated(False)
    table.setItemsExpandable(False)
    table.setAccessibleName(shown(T("App", "Keyboard shortcuts")))
    for title, rows in groups:
        group = QTreeWidgetItem(table, [title])
        group.setFont(0, tokens.font(bold=True))
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        for label, keys in rows:
            QTreeWidgetItem(group, [label, keys])
    table.expandAll()
    header = table.header()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
    return table


def _keys(action: QAction) -> str:
    return action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)


def _plain(label: str) -> str:
    """Return a label without the mark of its key and without its dots."""
    return label.replace("&", "").removesuffix("…")
