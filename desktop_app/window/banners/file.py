"""The message across the window that says what another program did to the document's file."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop_app.commands.files import FileCommands
from desktop_app.document_file.watch import Standing
from desktop_app.translation import shown
from desktop_app.widgets.banner import Banner
from desktop_app.workspace import Workspace
from trainer_core.texts import T


class FileBanner(Banner):
    """Says that the file was changed or is gone, until it is as the document knows it again."""

    def __init__(
        self, workspace: Workspace, commands: FileCommands, parent: QWidget | None = None
    ) -> None:
        super().__init__(shown(T("App", "Close")), parent)
        self._document = workspace.document
        self._watch = workspace.watch
        self._commands = commands
        self._watch.found.connect(self._on_found)
        self._document.replaced.connect(self.dismiss)

    def _on_found(self, standing: Standing) -> None:
        if standing is Standing.CHANGED:
            self._tell_of_change()
        elif standing is Standing.GONE:
            self._tell_of_loss()
        else:
            self.dismiss()

    def _tell_of_change(self) -> None:
        details = ""
        if self._document.is_dirty:
            details = shown(
                T(
                    "App",
                    "Reload replaces your unsaved changes, which Undo brings back. "
                    "Keep mine leaves them to be saved over the file.",
                )
            )
        self.tell(
            "warning" if self._document.is_dirty else "notice",
            shown(T("App", "{name} was changed by another program."), name=self._name()),
            details,
            (
                (shown(T("App", "Reload")), self._commands.reload),
                (shown(T("App", "Keep mine")), self._watch.keep_document),
            ),
        )

    def _tell_of_loss(self) -> None:
        self.tell(
            "warning",
            shown(T("App", "{name} is no longer there."), name=self._name()),
            shown(T("App", "Another program moved or removed it. Its settings are still here.")),
            ((shown(T("App", "Save again")), self._save),),
        )

    def _name(self) -> str:
        path = self._document.path
        return "" if path is None else path.name

    def _save(self) -> None:
        self._commands.save()
