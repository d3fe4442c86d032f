"""The view of what the trainer writes for people: levels in colour, the newest in sight."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtGui import (
    QColor,
    QFontDatabase,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from desktop_app.models.runs.log_model import Level, LogLine
from desktop_app.outside import copy_text
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.icon_button import IconButton
from desktop_app.workspace import Workspace
from trainer_core.texts import T, Text

_INSERT_MS = 50  # lines that come one by one are inserted together

_FILTERS = {
    Level.DEBUG: T("App", "Everything"),
    Level.WARNING: T("App", "Warnings and errors"),
    Level.ERROR: T("App", "Errors"),
}


class LogView(QWidget):
    """Shows the workspace's log, as many lines as it keeps."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model = workspace.log
        self._waiting: list[LogLine] = []
        self._insert_soon = QTimer(self, singleShot=True, interval=_INSERT_MS)
        self._insert_soon.timeout.connect(self._insert_waiting)
        self._text = QPlainTextEdit(self)
        self._text.setReadOnly(True)
        self._text.setUndoRedoEnabled(False)
        self._text.setMaximumBlockCount(model.max_lines)
        self._text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._text.setPlaceholderText(shown(T("App", "What the trainer says appears here.")))
        self._text.setAccessibleName(shown(T("App", "Log")))
        self._level = QComboBox(self)
        for level, words in _FILTERS.items():
            self._level.addItem(shown(words), level)
        self._follow = QCheckBox(shown(T("App", "Follow")), self)
        self._follow.setToolTip(shown(T("App", "Keep the newest line in sight")))
        self._follow.setChecked(True)
        self._lay_out()
        self._level.currentIndexChanged.connect(self._show_all)
        self._follow.toggled.connect(self._on_follow)
        model.added.connect(self._on_added)
        model.cleared.connect(self._show_all)
        self._show_all()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Write every line anew in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._show_all()

    def _on_added(self, lines: list[LogLine]) -> None:
        self._waiting += lines
        if not self._insert_soon.isActive():
            self._insert_soon.start()

    def _insert_waiting(self) -> None:
        lines, self._waiting = self._waiting, []
        self._insert(lines[-self._model.max_lines :])

    def _show_all(self) -> None:
        self._waiting = []
        self._text.clear()
        self._insert(self._model.lines)

    def _insert(self, lines: Iterable[LogLine]) -> None:
        least = self._level.currentData()
        formats = _formats()
        cursor = QTextCursor(self._text.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        is_first = self._text.document().isEmpty()
        for line in lines:
            if line.level >= least:
                words = _words(line)
                cursor.insertText(words if is_first else f"\n{words}", formats[line.level])
                is_first = False
        cursor.endEditBlock()
        self._on_follow(self._follow.isChecked())

    def _on_follow(self, is_following: bool) -> None:
        if is_following:
            bar = self._text.verticalScrollBar()
            bar.setValue(bar.maximum())

    def _copy(self) -> None:
        selected = self._text.textCursor().selectedText().replace("\u2029", "\n")
        copy_text(selected or self._text.toPlainText())

    def _lay_out(self) -> None:
        look = tokens.current()
        copy = IconButton("copy", shown(T("App", "Copy the selection, or everything")), self)
        copy.clicked.connect(self._copy)
        clear = IconButton("clear", shown(T("App", "Clear")), self)
        clear.clicked.connect(self._model.clear)
        bar = QHBoxLayout()
        bar.setContentsMargins(look.gap_m, look.gap_s, look.gap_m, 0)
        bar.setSpacing(look.gap_m)
        bar.addWidget(self._level)
        bar.addWidget(self._follow)
        bar.addStretch(1)
        bar.addWidget(copy)
        bar.addWidget(clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.gap_s)
        column.addLayout(bar)
        column.addWidget(self._text, 1)


def _words(line: LogLine) -> str:
    words = shown(line.message) if isinstance(line.message, Text) else line.message
    if line.time_s is None:
        return words
    return f"{datetime.fromtimestamp(line.time_s):%H:%M:%S}  {words}"


def _formats() -> dict[Level, QTextCharFormat]:
    look = tokens.current()
    colours = {
        Level.DEBUG: look.text_dim,
        Level.INFO: look.text,
        Level.WARNING: look.warning,
        Level.ERROR: look.error,
    }
    formats = {}
    for level, colour in colours.items():
        formats[level] = QTextCharFormat()
        formats[level].setForeground(QColor(colour))
    return formats
