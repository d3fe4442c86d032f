"""The editor of a list of tables: each a line, as a run file would have it within braces."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from desktop_app.editors.base import Editor
from desktop_app.editors.path_list import EntryList
from desktop_app.theme import tokens
from desktop_app.translation import shown
from trainer_core.settings.document import from_text
from trainer_core.settings.param import Param
from trainer_core.settings.tables import row_text
from trainer_core.texts import T


class TablesEditor(Editor):
    """Edits a list of tables; what is no table is shown as it is until it is mended."""

    is_tall = True

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        self._value: object = []
        hint = T("App", "Folders beside the pictures become subsets by their menu")
        self._entries = EntryList(shown(hint), self)
        self._entries.removal_wanted.connect(self._remove)
        self._entries.itemChanged.connect(self._on_typed)
        self._entries.itemSelectionChanged.connect(self._show_selection)
        self._addition = self._button(T("App", "Add"))
        self._addition.clicked.connect(self._add)
        self._removal = self._button(T("App", "Remove"))
        self._removal.clicked.connect(self._remove)
        self._lay_out()
        self._show_selection()

    def raw(self) -> object:
        """Return the list, or whatever stood in its place."""
        return self._value

    def set_raw(self, value: object) -> None:
        """Show the tables, the chosen row kept."""
        if repr(value) != repr(self._value):
            self._value = value
            self._entries.show_entries(map(_words, self._list()))
            self._show_selection()

    def fields(self) -> tuple[QWidget, ...]:
        """Return the list."""
        return (self._entries,)

    def commit(self) -> None:
        """Hand over the tables, with the one that is being typed."""
        self._entries.finish_typing()
        super().commit()

    def _list(self) -> list[object]:
        return list(self._value) if isinstance(self._value, list | tuple) else [self._value]

    def _take(self, rows: list[object]) -> None:
        self.set_raw(rows)
        self.edited.emit()
        self.committed.emit(self._value)

    def _add(self) -> None:
        self._take([*self._list(), {"image_dir": ""}])
        self._entries.setCurrentRow(self._entries.count() - 1)
        self._entries.editItem(self._entries.currentItem())

    def _remove(self) -> None:
        chosen = {index.row() for index in self._entries.selectedIndexes()}
        if chosen:
            self._take([row for place, row in enumerate(self._list()) if place not in chosen])

    def _on_typed(self, item: QListWidgetItem) -> None:
        rows, place, words = self._list(), self._entries.row(item), item.text().strip()
        is_new = words not in ("", _words(rows[place]))
        if is_new:
            typed = from_text(self.param, words)
            rows[place] = typed[0] if isinstance(typed, list) else typed
            self._value = rows
        self._entries.show_words(item, _words(rows[place]))
        if is_new:
            self.edited.emit()
            self.committed.emit(self._value)

    def _show_selection(self) -> None:
        self._removal.setEnabled(bool(self._entries.selectedItems()))

    def _button(self, label: str) -> QPushButton:
        button = QPushButton(shown(label), self)
        button.setProperty("role", "link")
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        return button

    def _lay_out(self) -> None:
        look = tokens.current()
        buttons = QHBoxLayout()
        buttons.setSpacing(look.gap_l)
        buttons.addWidget(self._addition)
        buttons.addWidget(self._removal)
        buttons.addStretch()
        column = QVBoxLayout()
        column.setSpacing(look.gap_s)
        column.addWidget(self._entries)
        column.addLayout(buttons)
        self.row.addLayout(column)


def _words(row: object) -> str:
    return row_text(row) if isinstance(row, Mapping) else str(row)
