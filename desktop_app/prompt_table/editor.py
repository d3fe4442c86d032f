"""The editor of a list of prompts: a table, and buttons that add, remove and read a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop_app.background import Job, LatestJob
from desktop_app.editors.base import Editor
from desktop_app.prompt_table.model import PromptTableModel
from desktop_app.prompt_table.table import PromptTable
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.drop_area import accept_copy, dropped_paths
from trainer_core.errors import TrainerError
from trainer_core.prompts.file import read_prompts
from trainer_core.prompts.line import prompt_line
from trainer_core.settings.param import Param
from trainer_core.texts import T, Text

_ENDINGS = (".txt", ".toml", ".json")


class PromptsEditor(Editor):
    """Edits prompts; what is no list of texts is shown as it is until somebody edits it."""

    is_tall = is_wide = True

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        self._value: object = []
        self._model = PromptTableModel(self)
        self._model.edited.connect(self._on_edited)
        self.table = PromptTable(self._model, self)
        self.table.selection_changed.connect(self._show_selection)
        self._reading = LatestJob(self, only_reads=True)
        self._reading.finished.connect(self._on_read)
        self._refusal = QLabel(self, wordWrap=True)
        self._refusal.setProperty("role", "error")
        self._refusal.hide()
        self._removal = self._button(T("App", "Remove"))
        self._removal.clicked.connect(self.table.remove_selected)
        self.setAcceptDrops(True)
        self._lay_out()
        self._show_selection()

    def raw(self) -> object:
        """Return the lines, or whatever stood in their place."""
        return self._value

    def set_raw(self, value: object) -> None:
        """Show the prompts; a row that is not filled yet stays while nothing else changes."""
        if repr(value) != repr(self._value):
            self._value = value
            lines = value if isinstance(value, list | tuple) else [value]
            self._model.show_lines(str(line) for line in lines)
            self.table.updateGeometry()

    def fields(self) -> tuple[QWidget, ...]:
        """Return the table."""
        return (self.table,)

    def commit(self) -> None:
        """Hand over the prompts, with what is being typed."""
        self.table.finish_typing()
        super().commit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take a prompt file."""
        paths = dropped_paths(event.mimeData())
        if len(paths) == 1 and paths[0].suffix.lower() in _ENDINGS:
            accept_copy(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Add the prompts of the file."""
        accept_copy(event)
        self._read(dropped_paths(event.mimeData())[0])

    def _on_edited(self) -> None:
        self._value = self._model.lines
        self.table.updateGeometry()
        self.edited.emit()
        self.committed.emit(self._value)

    def _choose_file(self) -> None:
        label, endings = shown(T("App", "Prompt file")), " ".join(f"*{e}" for e in _ENDINGS)
        path, _ = QFileDialog.getOpenFileName(self, label, "", f"{label} ({endings})")
        if path:
            self._read(Path(path))

    def _read(self, path: Path) -> None:
        self._reading.start(partial(_lines_of, path))

    def _on_read(self, found: object) -> None:
        self._refusal.setVisible(isinstance(found, Text))
        if isinstance(found, Text):
            self._refusal.setText(shown(found))
        elif isinstance(found, list) and found:
            self._model.append(found)

    def _show_selection(self) -> None:
        self._removal.setEnabled(self.table.has_selection)

    def _button(self, label: str) -> QPushButton:
        button = QPushButton(shown(label), self)
        button.setProperty("role", "link")
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        return button

    def _lay_out(self) -> None:
        look = tokens.current()
        add = self._button(T("App", "Add prompt"))
        add.clicked.connect(self.table.add_row)
        file = self._button(T("App", "Add from a file…"))
        file.clicked.connect(self._choose_file)
        buttons = QHBoxLayout()
        buttons.setSpacing(look.gap_l)
        for button in (add, file, self._removal):
            buttons.addWidget(button)
        buttons.addStretch()
        column = QVBoxLayout()
        column.setSpacing(look.gap_s)
        column.addWidget(self.table)
        column.addWidget(self._refusal)
        column.addLayout(buttons)
        self.row.addLayout(column)


def _lines_of(path: Path, _job: Job) -> list[str] | Text:
    """Return the prompts of a file as lines, or why there are none."""
    try:
        return [prompt_line(values) for values in read_prompts(path)[0]]
    except TrainerError as error:
        return error.message
