"""The view of the tools: a list of them, and the page of the one that is chosen."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_app.editors.form import HelpLine
from desktop_app.theme import tokens
from desktop_app.tools_view.page import ToolPage
from desktop_app.translation import shown
from desktop_app.workspace import Workspace
from trainer_core.catalogue.tools import TOOLS
from trainer_core.texts import T

_NAME = Qt.ItemDataRole.UserRole


class ToolsView(QWidget):
    """Every tool of the catalogue; a page is made when its tool is first chosen."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.pages: dict[str, ToolPage] = {}
        self.list = QListWidget(self)
        self.list.setObjectName("pages")
        self.list.setAccessibleName(shown(T("App", "Tools")))
        self._stack = QStackedWidget(self)
        look = tokens.current()
        for name, entry in TOOLS.items():
            item = QListWidgetItem(shown(entry.label), self.list)
            item.setData(_NAME, name)
            item.setToolTip(shown(entry.help))
            width = self.list.fontMetrics().horizontalAdvance(item.text()) + 2 * look.gap_l
            item.setSizeHint(QSize(width, look.field_height))
        self.list.setFixedWidth(self.list.sizeHintForColumn(0) + 2 * look.gap_l)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.list)
        self.help = HelpLine(self)
        line = QFrame(self)
        line.setProperty("role", "line")
        line.setFixedHeight(look.line)
        column = QVBoxLayout()
        column.setSpacing(0)
        for part in (self._stack, line, self.help):
            column.addWidget(part)
        layout.addLayout(column, 1)
        self.list.currentItemChanged.connect(self._on_chosen)
        at_work = workspace.tools.run.name
        self.choose(at_work or next(iter(TOOLS)))
        app = QApplication.instance()
        assert isinstance(app, QApplication), "a view is in a window"
        app.focusChanged.connect(self._on_focus_changed)

    @property
    def page(self) -> ToolPage:
        """The page that is shown."""
        page = self._stack.currentWidget()
        assert isinstance(page, ToolPage), "one is chosen from the beginning"
        return page

    def choose(self, name: str) -> None:
        """Show the page of a tool."""
        self.list.setCurrentRow(list(TOOLS).index(name))

    def _on_chosen(self, item: QListWidgetItem | None) -> None:
        if item is None:
            return
        name = item.data(_NAME)
        if name not in self.pages:
            self.pages[name] = page = ToolPage(self._workspace, name, self)
            self._stack.addWidget(page)
            page.form.help_wanted.connect(self._on_help_wanted)
        self._stack.setCurrentWidget(self.pages[name])
        self.help.clear_row()
        if self.hasFocus() or self.list.hasFocus():
            self._take_undo()

    def _on_help_wanted(self, path: str) -> None:
        self.help.show_row(self.page.form.rows[path])

    def _on_focus_changed(self, _old: QWidget | None, new: QWidget | None) -> None:
        """Let undo go the steps of what the user is at: this tool's, or the run file's."""
        if new is None or new.window() is not self.window():
            return
        if new is self or self.isAncestorOf(new):
            self._take_undo()
        else:
            self._workspace.undo.setActiveStack(self._workspace.document.undo_stack)

    def _take_undo(self) -> None:
        document = self._workspace.tools.document(self.page.name)
        self._workspace.undo.setActiveStack(document.undo_stack)
