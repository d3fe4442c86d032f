"""The view that lists everything that is wrong, and leads to it."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedLayout,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from desktop_app.dataset_view.leave_out_button import LeaveOutButton
from desktop_app.models.problems_model import Column, Entry, ProblemsModel
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.workspace import Workspace
from trainer_core.texts import T

_MEASURED_ROWS = 50  # for the widths of columns; there may be ten thousand rows
_SHARE_OF_WAYS_OUT = 1 / 3  # of the table's width at most: the messages are read first


class ProblemsView(QWidget):
    """The table, and a button that applies the selected row's way out."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._model = workspace.problems
        self._table = _Table(self._model)
        self._apply = QPushButton(self)
        self._lay_out()
        self._table.clicked.connect(self._on_clicked)
        self._table.activated.connect(self._on_clicked)
        self._table.selectionModel().currentChanged.connect(self._show_way_out)
        self._apply.clicked.connect(self._on_apply)
        self._model.modelReset.connect(self._on_reset)
        workspace.run.phase_changed.connect(self._show_readiness)
        self._on_reset()
        self._show_readiness()

    def _lay_out(self) -> None:
        look = tokens.current()
        self._empty = QLabel(self)
        self._empty.setProperty("role", "dim")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        footer = QHBoxLayout()
        footer.setContentsMargins(look.gap_m, look.gap_s, look.gap_m, look.gap_s)
        footer.addWidget(self._apply)
        footer.addWidget(LeaveOutButton(self._workspace.problems, self._workspace.left_out, self))
        footer.addStretch()
        listed = QWidget(self)
        column = QVBoxLayout(listed)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._table, 1)
        column.addLayout(footer)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(listed)
        self._pages.addWidget(self._empty)

    def _current(self) -> Entry | None:
        index = self._table.currentIndex()
        return self._model.entry(index.row()) if index.isValid() else None

    def _on_reset(self) -> None:
        has_any = self._model.rowCount() > 0
        self._table.fit_ways_out()
        self._pages.setCurrentIndex(0 if has_any else 1)
        if has_any:
            flag = QItemSelectionModel.SelectionFlag
            self._table.selectionModel().setCurrentIndex(
                self._model.index(0, 0), flag.ClearAndSelect | flag.Rows
            )
        self._show_way_out()

    def _show_readiness(self) -> None:
        ready = T("App", "No problems. Ready to start.")
        is_running = self._workspace.run.is_running
        self._empty.setText(shown(T("App", "No problems.") if is_running else ready))

    def _show_way_out(self) -> None:
        entry = self._current()
        words = "" if entry is None else entry.button
        self._apply.setVisible(bool(words))
        self._apply.setText(words)

    def _on_clicked(self, index: QModelIndex) -> None:
        entry = self._model.entry(index.row())
        if entry.picture is not None:
            self._workspace.picture_wanted.emit(entry.picture)
        elif entry.path:
            self._workspace.setting_wanted.emit(entry.path)

    def _on_apply(self) -> None:
        entry = self._current()
        if entry is not None:
            self._workspace.mend(entry)


class _Table(QTreeView):
    """The table; ways out take what they need, but leave most of the width to the messages."""

    def __init__(self, model: ProblemsModel) -> None:
        super().__init__()
        self.setObjectName("problems")
        self.setModel(model)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # both ends of a path tell something
        header = self.header()
        header.setStretchLastSection(False)
        header.setResizeContentsPrecision(_MEASURED_ROWS)
        header.setSectionResizeMode(Column.MESSAGE, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(Column.PLACE, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(Column.WAY_OUT, QHeaderView.ResizeMode.Fixed)

    def fit_ways_out(self) -> None:
        """Give the last column its width."""
        column = Column.WAY_OUT
        wanted = max(self.sizeHintForColumn(column), self.header().sectionSizeHint(column))
        room = round(self.viewport().width() * _SHARE_OF_WAYS_OUT)
        self.setColumnWidth(column, min(wanted, room))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Share the new width out."""
        super().resizeEvent(event)
        self.fit_ways_out()
