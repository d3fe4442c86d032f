"""The view that lists everything that is wrong, and leads to it."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QLabel, QStackedLayout, QWidget

from desktop_app.docks.problem_list import ProblemList
from desktop_app.models.problems_model import Entry
from desktop_app.translation import shown
from desktop_app.workspace import Workspace
from trainer_core.texts import T


class ProblemsView(QWidget):
    """The list, or a line that says that there is nothing to list."""

    empty_changed = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._model = workspace.problems
        self._list = ProblemList(self._model, self)
        self._empty = QLabel(self)
        self._empty.setProperty("role", "dim")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._list)
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

    def _on_reset(self) -> None:
        page = self._empty if self.is_empty else self._list
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
        self._workspace.document.apply(entry.changes, entry.way_out)
