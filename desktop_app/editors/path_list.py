"""The editor of a list of files and folders: added by dialog or drop, mended in place, removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop_app.background import LatestJob
from desktop_app.editors.base import Editor
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.drop_area import accept_copy, dropped_paths
from trainer_core.files.presence import is_folder
from trainer_core.settings.param import Param
from trainer_core.texts import T

_FEWEST_ROWS, _MOST_ROWS = 2, 6


class PathListEditor(Editor):
    """Edits a list of paths; what is no path, or no list, is shown as it is until it is mended."""

    is_tall = True

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        self._value: object = []
        self._sorting = LatestJob(self, only_reads=True)
        self._sorting.finished.connect(self._on_sorted)
        hint = T("App", "Drop folders or files here")
        if not self._takes_folders:
            hint = T("App", "Drop files here")
        self._entries = EntryList(shown(hint), self)
        self._entries.removal_wanted.connect(self._remove)
        self._entries.itemChanged.connect(self._on_typed)
        self._entries.itemSelectionChanged.connect(self._show_selection)
        self._removal = self._button(T("App", "Remove"))
        self._removal.clicked.connect(self._remove)
        self.setAcceptDrops(True)
        self._lay_out()
        self._show_selection()

    def raw(self) -> object:
        """Return the list, or whatever stood in its place."""
        return self._value

    def set_raw(self, value: object) -> None:
        """Show the entries, the chosen row kept."""
        if repr(value) != repr(self._value):
            self._value = value
            self._entries.show_entries(str(entry) for entry in self._list())
            self._show_selection()

    def fields(self) -> tuple[QWidget, ...]:
        """Return the list."""
        return (self._entries,)

    def commit(self) -> None:
        """Hand over the entries, with the one that is being typed."""
        self._entries.finish_typing()
        super().commit()

    def add(self, paths: Iterable[str]) -> None:
        """Add those that are not there yet, as one change."""
        before = self._list()
        new = [path for path in dict.fromkeys(paths) if path not in before]
        if new:
            self._take([*before, *new])
            self._entries.setCurrentRow(self._entries.count() - 1)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take files and folders; which of them may stand here is seen when they are dropped."""
        if dropped_paths(event.mimeData()):
            accept_copy(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Add those that may stand here, once they were looked at in a thread."""
        accept_copy(event)
        paths, patterns = dropped_paths(event.mimeData()), self.param.spec.file_filter.split()
        takes_folders = self._takes_folders
        self._sorting.start(lambda job: _fitting(paths, patterns, takes_folders=takes_folders))

    @property
    def _takes_folders(self) -> bool:
        return self.param.spec.path_kind != "file"

    def _on_sorted(self, paths: Sequence[Path] | None) -> None:
        self.add(path.as_posix() for path in paths or ())

    def _list(self) -> list[object]:
        return list(self._value) if isinstance(self._value, list | tuple) else [self._value]

    def _take(self, entries: list[object]) -> None:
        self.set_raw(entries)
        self.edited.emit()
        self.committed.emit(self._value)

    def _remove(self) -> None:
        rows = {index.row() for index in self._entries.selectedIndexes()}
        if rows:
            self._take([e for row, e in enumerate(self._list()) if row not in rows])
            self._entries.setCurrentRow(min(min(rows), self._entries.count() - 1))

    def _on_typed(self, item: QListWidgetItem) -> None:
        entries, row, words = self._list(), self._entries.row(item), item.text().strip()
        is_new = words not in ("", str(entries[row]))
        if is_new:
            entries[row] = words
            self._value = entries
        self._entries.show_words(item, str(entries[row]))
        if is_new:
            self.edited.emit()
            self.committed.emit(self._value)

    def _add_folder(self) -> None:
        label = shown(self.param.spec.label)
        folder = QFileDialog.getExistingDirectory(self, label, self._start())
        self.add([folder] if folder else [])

    def _add_files(self) -> None:
        label = shown(self.param.spec.label)
        wanted = f"{label} ({self.param.spec.file_filter})"
        self.add(QFileDialog.getOpenFileNames(self, label, self._start(), wanted)[0])

    def _start(self) -> str:
        """Return the folder that dialogs begin in: where the last entry lies."""
        entries = self._list()
        return str(Path(str(entries[-1])).parent) if entries else ""

    def _show_selection(self) -> None:
        self._removal.setEnabled(bool(self._entries.selectedItems()))

    def _button(self, label: str) -> QPushButton:
        button = QPushButton(shown(label), self)
        button.setProperty("role", "link")
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        return button

    def _lay_out(self) -> None:
        look = tokens.current()
        folder = self._button(T("App", "Add folder…"))
        folder.clicked.connect(self._add_folder)
        files = self._button(T("App", "Add files…"))
        files.clicked.connect(self._add_files)
        folder.setVisible(self._takes_folders)
        buttons = QHBoxLayout()
        buttons.setSpacing(look.gap_l)
        for button in (folder, files, self._removal):
            buttons.addWidget(button)
        buttons.addStretch()
        column = QVBoxLayout()
        column.setSpacing(look.gap_s)
        column.addWidget(self._entries)
        column.addLayout(buttons)
        self.row.addLayout(column)


def _fitting(paths: Sequence[Path], patterns: Sequence[str], *, takes_folders: bool) -> list[Path]:
    """Return folders, if they are taken, and files whose names fit."""
    return [
        path
        for path in paths
        if any(fnmatch(path.name.lower(), pattern) for pattern in patterns)
        or (takes_folders and is_folder(path))
    ]


class EntryList(QListWidget):
    """A few lines of paths; F2 or a double click types over one, Delete asks to remove them."""

    removal_wanted = Signal()

    def __init__(self, placeholder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._placeholder = placeholder
        self.setProperty("role", "field")
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        trigger = QAbstractItemView.EditTrigger
        self.setEditTriggers(trigger.EditKeyPressed | trigger.DoubleClicked)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_entries(self, entries: Iterable[str]) -> None:
        """Show these entries instead."""
        row = self.currentRow()
        with QSignalBlocker(self):
            self.clear()
            for words in entries:
                item = QListWidgetItem(self)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
                item.setSizeHint(QSize(0, self._row_height()))  # no wider than the list: elided
                self.show_words(item, words)
            self.setCurrentRow(min(row, self.count() - 1))
        self.updateGeometry()

    def show_words(self, item: QListWidgetItem, words: str) -> None:
        """Show an entry, whole in its tooltip."""
        with QSignalBlocker(self):
            item.setText(words)
            item.setToolTip(words)

    def finish_typing(self) -> None:
        """Take over the entry that is being typed, if any."""
        if self.state() == QAbstractItemView.State.EditingState:
            self.setFocus()  # the line that is typed into hands its text over when it loses it

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the height of the entries, within limits."""
        rows = max(_FEWEST_ROWS, min(self.count(), _MOST_ROWS))
        frame = 2 * (tokens.current().line + tokens.current().gap_xs)
        return QSize(super().sizeHint().width(), rows * self._row_height() + frame)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a width that lets the form become narrow."""
        return QSize(0, self.sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Ask to remove what is chosen."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removal_wanted.emit()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Say in an empty list what may be dropped on it."""
        super().paintEvent(event)
        if self.count() == 0:
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().placeholderText().color())
            gap = tokens.current().gap_m
            place = self.viewport().rect().adjusted(gap, 0, -gap, 0)
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(place, flags, self._placeholder)
            painter.end()

    def _row_height(self) -> int:
        return self.fontMetrics().height() + tokens.current().gap_s
