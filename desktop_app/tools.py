"""The tools: what is said to each, and the one at work."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QUndoGroup

from desktop_app.document import Document
from desktop_app.process.tool_run import ToolRun
from trainer_core.protocol.messages import Failed
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.rules.tools import check_values
from trainer_core.settings.schema import Settings
from trainer_core.settings.tools.schema import tool_schema

_SOURCE = "files"  # who found what a tool said of its settings: it has looked at the files


class Tools(QObject):
    """One document of settings for each tool, which lasts as long as the window.

    Attributes:
        run: The tool at work.
    """

    def __init__(self, undo: QUndoGroup, parent: QObject | None = None) -> None:
        """Start with nothing said.

        Args:
            undo: Takes the steps of undo of each.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self.run = ToolRun(self)
        self.run.failed.connect(self._on_failed)
        self._undo = undo
        self._documents: dict[str, Document[Settings]] = {}

    def document(self, name: str) -> Document[Settings]:
        """Return what is said to a tool."""
        if name not in self._documents:
            schema = tool_schema(name)
            made = Document(schema, partial(check_values, schema), self)
            made.changed.connect(partial(self._on_changed, name))
            self._undo.addStack(made.undo_stack)
            made.undo_stack.indexChanged.connect(partial(self._on_step, name))
            self._documents[name] = made
        return self._documents[name]

    def start(self, name: str) -> Problem | None:
        """Start a tool with what is said to it, unless that cannot be used: return why."""
        document = self.document(name)
        document.set_found(_SOURCE, ())  # the disk may be another one now
        document.expect_values()
        if document.errors:
            return document.errors[0]
        raw = document.schema.with_absolute_paths(document.raw, document.folder)
        self.run.start(name, raw)
        return None

    def close(self) -> None:
        """End the tool at work."""
        self.run.close()
        for document in self._documents.values():
            document.undo_stack.clear()  # Qt crashes where the collector destroys its steps

    def _on_step(self, name: str, _index: int) -> None:
        self._undo.setActiveStack(self._documents[name].undo_stack)

    def _on_changed(self, name: str, _paths: frozenset[str]) -> None:
        self._documents[name].set_found(_SOURCE, ())

    def _on_failed(self, failed: Failed) -> None:
        """Show what is wrong with a setting beside it, too."""
        document = self.document(self.run.name)
        if failed.setting in document.schema.params():
            problem = Problem(failed.setting, Severity.ERROR, failed.message.text())
            document.set_found(_SOURCE, (problem,))
