"""Which captions change, and how: read in a thread, worked out anew with every key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from PySide6.QtCore import QObject, Qt

from desktop_app.background import Job
from desktop_app.captions_view.forms import Edit
from desktop_app.models.pictures.caption_batch import CaptionChange
from desktop_app.models.pictures.picture_row import PictureRow
from desktop_app.models.row_table import Index, RowTable
from trainer_core.dataset.caption_files import CaptionFile, read_caption_file
from trainer_core.errors import DatasetError
from trainer_core.texts import T


@dataclass(frozen=True, slots=True)
class ReadCaption:
    """The caption file of a picture; ``text`` is None if it cannot be read."""

    picture: Path
    words: str
    file: CaptionFile | None = None
    text: str | None = None


def read_captions(job: Job, rows: Sequence[PictureRow]) -> list[ReadCaption]:
    """Read the caption files of pictures, each once; for a thread."""
    found: dict[Path, ReadCaption] = {}
    for row in rows:
        if job.is_cancelled:
            break
        if row.path not in found:
            found[row.path] = _read(row)
    return list(found.values())


def changes_of(job: Job, captions: Iterable[ReadCaption], edit: Edit) -> list[CaptionChange]:
    """Return what an edit makes of captions, without those that stay as they are; for a thread."""
    changes: dict[Path, CaptionChange] = {}
    for caption in captions:
        file = caption.file
        if job.is_cancelled:
            break
        if file is None or caption.text is None:
            continue
        text = None if file.data is None else caption.text
        after = edit(text, caption.words)
        # Pictures that differ only in kind share a file.
        if after is not None and after != text and file.path not in changes:
            changes[file.path] = CaptionChange(caption.picture, file, file.with_text(after))
    return list(changes.values())


class Column(IntEnum):
    """The columns of the table."""

    PICTURE = 0
    BEFORE = 1
    AFTER = 2


_HEADINGS = {
    Column.PICTURE: T("App", "Picture"),
    Column.BEFORE: T("App", "Now"),
    Column.AFTER: T("App", "Then"),
}


class ChangesTable(RowTable):
    """A row for every caption that changes."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__({int(column): words for column, words in _HEADINGS.items()}, parent)
        self._changes: Sequence[CaptionChange] = ()

    def show(self, changes: Sequence[CaptionChange]) -> None:
        """Show these changes instead."""
        self.beginResetModel()
        self._rows = self._changes = changes
        self.endResetModel()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell shows."""
        change = self._changes[index.row()]
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        match index.column():
            case Column.PICTURE:
                return change.picture.name
            case Column.BEFORE:
                return _text(change.before)
        return _text(change.after)


def _text(file: CaptionFile) -> str:
    try:
        return file.text
    except DatasetError:  # it was not UTF-8
        return ""


def _read(row: PictureRow) -> ReadCaption:
    if row.extension is None:
        return ReadCaption(row.path, row.class_tokens)
    try:
        file = read_caption_file(row.path, row.extension)
        return ReadCaption(row.path, row.class_tokens, file, file.text)
    except DatasetError:
        return ReadCaption(row.path, row.class_tokens)
