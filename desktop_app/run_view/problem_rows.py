"""All problems of a start, the worst first, each with the button that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop_app.models.problems_model import Entry, ProblemsModel
from desktop_app.theme import tokens
from desktop_app.theme.icons import icon
from desktop_app.translation import shown
from desktop_app.widgets.elided_label import LinkButton
from desktop_app.words.paths import breakable
from trainer_core.texts import T

_ROWS_SHOWN = 40  # more than anybody reads; the problems dock lists all


class ProblemRows(QWidget):
    """Follows a `ProblemsModel`; rows are made anew whenever it changes."""

    applied = Signal(object)  # the Entry whose button was pressed
    place_wanted = Signal(object)  # the Entry whose setting or picture should be shown
    all_wanted = Signal()  # there are more than are shown here

    def __init__(self, model: ProblemsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._shown: tuple[int, Sequence[Entry]] | None = None  # of how many, which
        self._rows: list[QWidget] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(tokens.current().gap_m)
        self._column.addStretch(1)
        model.modelReset.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what the model holds now."""
        count = self._model.rowCount()
        entries = [self._model.entry(row) for row in range(min(count, _ROWS_SHOWN))]
        if (count, entries) == self._shown:
            return
        self._shown = count, entries
        for row in self._rows:
            row.hide()
            row.deleteLater()
        self._rows = [self._row(entry) for entry in entries]
        if count > len(entries):
            self._rows.append(self._more(count - len(entries)))
        for number, row in enumerate(self._rows):
            self._column.insertWidget(number, row)

    def _row(self, entry: Entry) -> QWidget:
        look = tokens.current()
        row = QWidget(self)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(look.gap_m)
        sign = QLabel(row)
        severity = str(entry.severity)
        sign.setPixmap(
            icon(severity, str(getattr(look, severity))).pixmap(look.icon_s, look.icon_s)
        )
        line.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(self._words(entry, row), 1)
        line.addLayout(self._buttons(entry, row))
        return row

    def _buttons(self, entry: Entry, row: QWidget) -> QVBoxLayout:
        buttons = QVBoxLayout()
        buttons.setSpacing(tokens.current().gap_xs)
        for way in entry.ways:
            button = QPushButton(way.button, row)
            button.clicked.connect(partial(self.applied.emit, way))
            buttons.addWidget(button)
        buttons.addStretch(1)
        return buttons

    def _words(self, entry: Entry, row: QWidget) -> QVBoxLayout:
        look = tokens.current()
        words = QVBoxLayout()
        words.setSpacing(look.gap_xs)
        message = QLabel(breakable(entry.message), row, wordWrap=True)
        message.setTextFormat(Qt.TextFormat.PlainText)
        message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.addWidget(message)
        if entry.hint:
            hint = QLabel(breakable(entry.hint), row, wordWrap=True)
            hint.setTextFormat(Qt.TextFormat.PlainText)
            hint.setProperty("role", "dim")
            words.addWidget(hint)
        if entry.path in self._model.schema.params() or entry.picture is not None:
            words.addWidget(self._link(entry, row), 0, Qt.AlignmentFlag.AlignLeft)
        return words

    def _link(self, entry: Entry, row: QWidget) -> QPushButton:
        template = T("App", "Show {place}")
        link = LinkButton(shown(template, place=entry.place), row)
        link.setFont(tokens.font(tokens.current().font_small))
        link.clicked.connect(partial(self.place_wanted.emit, entry))
        return link

    def _more(self, count: int) -> QPushButton:
        link = LinkButton(shown(T("App", "… and {count} more"), count=count), self)
        link.clicked.connect(self.all_wanted)
        return link
