"""What is being typed into a field and has not become a value yet."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QWidget

from desktop_app.document import Document
from desktop_app.editors.base import Editor, editor_around, focused_editor


class TypedValue(QObject):
    """Follows the editor that has the focus, and tells when something is typed there."""

    changed = Signal()

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._editor: Editor | None = None
        app = QApplication.instance()
        assert isinstance(app, QApplication), "somebody types in a window"
        app.focusChanged.connect(self._on_focus_changed)

    def values(self) -> dict[str, object]:
        """Return the raw value that is being typed, by its path, if it differs from the last."""
        editor = focused_editor()
        known = self._document.schema.params()
        if editor is None or editor.param.path not in known:  # the app's own settings
            return {}
        path, raw = editor.param.path, editor.raw()
        return {path: raw} if self._document.would_change(path, raw) else {}

    def _on_focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        if self._editor is not None:
            self._editor.edited.disconnect(self.changed)
            self._editor.destroyed.disconnect(self._on_destroyed)
        self._editor = editor_around(new)
        if self._editor is not None:
            self._editor.edited.connect(self.changed)
            self._editor.destroyed.connect(self._on_destroyed)
        self.changed.emit()

    def _on_destroyed(self) -> None:
        self._editor = None
