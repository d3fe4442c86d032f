"""The message across the window about a caption that is not in its file, and nowhere in sight."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QWidget

from desktop_app.captions import Draft
from desktop_app.translation import shown
from desktop_app.widgets.banner import Banner
from desktop_app.workspace import Workspace
from trainer_core.texts import T


class CaptionBanner(Banner):
    """Names the picture that was left with a caption unsaved, until its text is decided about."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(shown(T("App", "Close")), parent)
        self._workspace = workspace
        self._picture: Path | None = None
        workspace.captions.left.connect(self._on_left)
        workspace.captions.written.connect(self._on_changed)
        workspace.captions.drafts_changed.connect(self._on_changed)
        workspace.document.replaced.connect(self._take_away)

    def _on_left(self, draft: Draft) -> None:
        error = draft.error
        if error is None:
            return
        self._picture = draft.picture
        words = T("App", "What you typed for {name} is not saved.")
        self.tell(
            "warning",
            shown(words, name=draft.picture.name),
            shown(error.message),
            [(shown(T("App", "Show picture")), partial(self._show, draft.picture))],
        )

    def _on_changed(self, picture: Path, _file: object = None) -> None:
        draft = self._workspace.captions.draft(picture)
        if picture == self._picture and (draft is None or draft.error is None):
            self._take_away()

    def _show(self, picture: Path) -> None:
        self._take_away()  # its own place says the same and more
        self._workspace.picture_wanted.emit(picture)

    def _take_away(self) -> None:
        self._picture = None
        self.dismiss()
