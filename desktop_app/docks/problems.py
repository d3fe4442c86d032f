"""The view that lists everything that is wrong, and leads to it."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from desktop_app.dataset_view.leave_out_button import LeaveOutButton
from desktop_app.docks.problem_list import ProblemList
from desktop_app.models.problems_model import Entry
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.workspace import Workspace
from trainer_core.texts import T


class ProblemsView(QWidget):
    """The list with a button for all unusable pictures, or a line that says there is nothing."""

    empty_changed = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._model = workspace.problems
        self._list = ProblemList(self._model, self)
        self._empty = QLabel(self)
        self._empty.setProperty("role", "dim")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._footer = self._make_footer()
        self._listed = self._make_listed()
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._listed)
        self._pages.addWidget(self._empty)
        self._list.clicked.connect(self._on_clicked)
        self._list.activated.connect(self._on_clicked)
        self._list.applied.connect(self._on_applied)
        self._model.modelReset.connect(self._on_reset)
        workspace.run.phase_changed.connect(self._show_readiness)
        self._on_reset()
        self._show_readiness()

    @property
    def is_empty(self) -> bool:
        """True while there are no problems."""
        return self._model.rowCount() == 0

    def _make_footer(self) -> QWidget:
        look = tokens.current()
        footer = QWidget(self)
        row = QHBoxLayout(footer)
        row.setContentsMargins(look.gap_m, look.gap_s, look.gap_m, look.gap_s)
        row.addWidget(LeaveOutButton(self._model, self._workspace.left_out, footer))
        row.addStretch()
        return footer

    def _make_listed(self) -> QWidget:
        listed = QWidget(self)
        column = QVBoxLayout(listed)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._list, 1)
        column.addWidget(self._footer)
        return listed

    def _on_reset(self) -> None:
        self._footer.setVisible(bool(self._model.unusable))
        page = self._empty if self.is_empty else self._listed
        if page is not self._pages.currentWidget():
            self._pages.setCurrentWidget(page)
            self.empty_changed.emit()

    def _show_readiness(self) -> None:
        ready = T("App", "No problems. Ready to start.")
        is_running = self._workspace.run.is_running
        self._empty.setText(shown(T("App", "No problems.") if is_running else ready))

    def _on_clicked(self, index: QModelIndex) -> None:
        entry = self._model.entry(index.row())
        if entry.picture is not None:
            self._workspace.picture_wanted.emit(entry.picture)
        elif entry.path:
            self._workspace.setting_wanted.emit(entry.path)

    def _on_applied(self, entry: Entry) -> None:
        self._workspace.mend(entry)
