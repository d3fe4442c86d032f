"""The parts of the run view that stay the same from start to end: files, asked and used."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QHeaderView, QLabel, QTreeView, QVBoxLayout, QWidget

from desktop_app.models.runs.run_files import Column, RunFiles
from desktop_app.models.runs.run_record import RunRecord
from desktop_app.outside import open_path
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.collapsible import Collapsible
from desktop_app.widgets.fact_grid import FactGrid
from desktop_app.words.used import differences, everything
from trainer_core.texts import T

_ROWS_IN_SIGHT = 8


class FileTable(QTreeView):
    """The files written so far, as high as its rows, up to a few; a double click leads there."""

    def __init__(self, model: RunFiles, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._files = model
        self.setObjectName("files")
        self.setModel(model)
        self.setAccessibleName(shown(T("App", "Files written")))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(Column.NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(Column.SIZE, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(Column.WHEN, QHeaderView.ResizeMode.ResizeToContents)
        self.activated.connect(self._on_activated)
        for changed in (model.rowsInserted, model.rowsRemoved, model.modelReset):
            changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        rows = min(max(self._files.rowCount(), 1), _ROWS_IN_SIGHT)
        row = max(self.sizeHintForRow(0), self.fontMetrics().height() + tokens.current().gap_s)
        self.setFixedHeight(self.header().sizeHint().height() + rows * row + tokens.current().gap_s)

    def _on_activated(self, index: QModelIndex) -> None:
        open_path(self._files.file(index.row()).path.parent, self)


class RecordSections(QWidget):
    """Files written, asked and used, and every setting folded away."""

    def __init__(self, record: RunRecord, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = tokens.current()
        self._record = record
        self._files_heading = _heading(shown(T("App", "Files written")), self)
        self._table = FileTable(record.files, self)
        self._used_heading = _heading(shown(T("App", "Asked and used")), self)
        self._used = FactGrid(self)
        self._all = FactGrid(self)
        title = shown(T("App", "All settings used"))
        self._folded = Collapsible(title, self._all, self)
        self._folded.toggled.connect(self._on_folded)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.gap_m)
        for part in (self._files_heading, self._table, self._used_heading, self._used):
            column.addWidget(part)
        column.addWidget(self._folded)
        record.used.changed.connect(self._show_used)
        for changed in (record.files.rowsInserted, record.files.rowsRemoved):
            changed.connect(self._show_files)
        record.files.modelReset.connect(self._show_files)
        self._show_files()
        self._show_used()

    def _show_files(self) -> None:
        has_any = self._record.files.rowCount() > 0
        self._files_heading.setVisible(has_any)
        self._table.setVisible(has_any)

    def _show_used(self) -> None:
        records = self._record.used.records
        rows = differences(records)
        self._used_heading.setVisible(bool(rows))
        self._used.setVisible(bool(rows))
        self._used.show_facts(rows)
        self._folded.setVisible(bool(records.facts))
        self._show_all()

    def _show_all(self) -> None:
        if self._folded.is_open:
            self._all.show_facts(everything(self._record.used.records))

    def _on_folded(self, is_open: bool) -> None:
        self._show_all()


def _heading(words: str, parent: QWidget) -> QLabel:
    heading = QLabel(words, parent)
    heading.setFont(tokens.font(bold=True))
    return heading
