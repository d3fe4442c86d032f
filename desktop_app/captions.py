"""Captions being edited: what is typed, what was written, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from desktop_app.models.pictures.caption_batch import CaptionBatch
from desktop_app.translation import shown
from trainer_core.dataset.caption_files import CaptionChangedError, CaptionFile, put
from trainer_core.errors import TrainerError
from trainer_core.texts import T


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that is not in its file yet.

    Attributes:
        picture: Whose caption it is.
        file: The file as it was when the text was begun.
        text: What was typed.
        error: Why it could not be written; None while nobody tried.
    """

    picture: Path
    file: CaptionFile
    text: str
    error: TrainerError | None = None

    @property
    def is_contested(self) -> bool:
        """True if another program changed the file: people must choose between two texts."""
        return isinstance(self.error, CaptionChangedError)


class Captions(QObject):
    """Writes captions, each as one step of undo, and keeps the texts that could not be written.

    Attributes:
        batch: Writes many of them as one step.
    """

    written = Signal(object, object)  # the picture's Path, its CaptionFile as it is now
    restored = Signal(object)  # Path of the picture whose caption undo or redo gave back
    drafts_changed = Signal(object)  # Path of the picture whose draft is another, or gone
    left = Signal(object)  # the Draft of a picture that is out of sight, and could not be written

    def __init__(self, undo_stack: QUndoStack, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._undo_stack = undo_stack
        self.batch = CaptionBatch(undo_stack, self)
        self._drafts: dict[Path, Draft] = {}

    @property
    def failed(self) -> tuple[Draft, ...]:
        """The texts that could not be written."""
        return tuple(draft for draft in self._drafts.values() if draft.error is not None)

    def draft(self, picture: Path) -> Draft | None:
        """Return what was typed for a picture and is not in its file."""
        return self._drafts.get(picture)

    def edit(self, picture: Path, file: CaptionFile, text: str) -> None:
        """Keep what is being typed; ``file`` is what it was begun from."""
        if file.with_text(text) == file:
            self._drafts.pop(picture, None)
        else:
            self._drafts[picture] = Draft(picture, file, text)

    def commit(self) -> bool:
        """Write every text that can be written; tell whether none is left."""
        for draft in list(self._drafts.values()):
            if not draft.is_contested:
                self._write(draft)
        return not self._drafts

    def finish(self) -> None:
        """Wait until what is being written in the background is on the disk."""
        if self.batch.is_busy:
            self.batch.close()

    def leave(self, picture: Path) -> None:
        """Write what was typed before another picture is looked at; tell of what cannot be."""
        self.commit()
        draft = self._drafts.get(picture)
        if draft is not None:
            self.left.emit(draft)

    def discard(self, picture: Path) -> None:
        """Give up what was typed for a picture."""
        if self._drafts.pop(picture, None) is not None:
            self.drafts_changed.emit(picture)

    def restore(self, picture: Path, wanted: CaptionFile, instead_of: CaptionFile) -> bool:
        """Put back what a file was; for the steps of the undo stack only.

        What cannot be put back becomes a draft, so that no text is lost.
        """
        try:
            put(wanted, instead_of)
        except TrainerError as error:
            self._keep(Draft(picture, instead_of, _text(wanted), error))
            self.restored.emit(picture)
            return False
        self._drafts.pop(picture, None)
        self.written.emit(picture, wanted)
        self.restored.emit(picture)
        return True

    def _write(self, draft: Draft) -> None:
        after = draft.file.with_text(draft.text)
        try:
            put(after, instead_of=draft.file)
        except TrainerError as error:
            self._keep(Draft(draft.picture, draft.file, draft.text, error))
            return
        del self._drafts[draft.picture]
        self._undo_stack.push(_Step(self, draft.picture, draft.file, after))
        self.written.emit(draft.picture, after)

    def _keep(self, draft: Draft) -> None:
        if isinstance(draft.error, CaptionChangedError):
            draft = Draft(draft.picture, draft.error.now, draft.text, draft.error)
        self._drafts[draft.picture] = draft
        self.drafts_changed.emit(draft.picture)


def _text(file: CaptionFile) -> str:
    try:
        return file.text
    except TrainerError:  # it was not UTF-8 before it was replaced
        return ""


class _Step(QUndoCommand):
    """One caption before and after; it was written before the step is pushed."""

    def __init__(
        self, captions: Captions, picture: Path, before: CaptionFile, after: CaptionFile
    ) -> None:
        super().__init__(shown(T("App", "change of caption of {name}"), name=picture.name))
        self._captions = captions
        self._picture = picture
        self._before = before
        self._after = after
        self._is_new = True

    def redo(self) -> None:
        if self._is_new:
            self._is_new = False
        else:
            self._restore(self._after, self._before)

    def undo(self) -> None:
        self._restore(self._before, self._after)

    def _restore(self, wanted: CaptionFile, instead_of: CaptionFile) -> None:
        # A step that cannot be taken says nothing true about the file any more.
        self.setObsolete(not self._captions.restore(self._picture, wanted, instead_of))
