"""Captions that are not UTF-8: how they read in other encodings, and their conversion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from desktop_app.captions_view.edits import Reading, decoded, readings
from desktop_app.models.pictures.caption_batch import CaptionChange
from desktop_app.models.pictures.picture_row import PictureRow
from desktop_app.translation import shown
from trainer_core.dataset.caption_files import CaptionFile, read_caption_file
from trainer_core.errors import DatasetError
from trainer_core.settings.problems import Severity
from trainer_core.texts import T

_SHOWN_CHARACTERS = 60

Convert = Callable[[list[tuple[PictureRow, CaptionFile]], str], object]


def encoding_menu(
    row: PictureRow,
    file: CaptionFile,
    rows: Iterable[PictureRow],
    convert: Convert,
    parent: QWidget,
) -> QMenu:
    """Return a menu of how a caption reads, for this one and for all that are not UTF-8.

    Args:
        row: The picture whose caption it is.
        file: The caption.
        rows: All pictures.
        convert: Is told the captions and the encoding that was chosen for them.
        parent: Qt's owner.
    """
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    found = readings(file.data or b"")
    if not found:
        _head(menu, T("App", "It reads as text in no known encoding"))
        return menu
    _head(menu, T("App", "Which one reads right?"))
    _fill(menu, found, partial(convert, [(row, file)]))
    others = list(captions_to_convert(rows))
    if len(others) > 1:
        words = T("App", "All {count} [count:caption|captions] that [count:is|are] not UTF-8")
        menu.addSeparator()
        _fill(menu.addMenu(shown(words, count=len(others))), found, partial(convert, others))
    return menu


def captions_to_convert(rows: Iterable[PictureRow]) -> Iterator[tuple[PictureRow, CaptionFile]]:
    """Yield the captions that are not UTF-8, among the pictures that have an error."""
    for row in rows:
        if row.severity is not Severity.ERROR or row.extension is None:
            continue
        try:
            file = read_caption_file(row.path, row.extension)
        except DatasetError:
            continue
        if not is_utf8(file):
            yield row, file


def conversions(
    captions: Iterable[tuple[PictureRow, CaptionFile]], encoding: str
) -> list[CaptionChange]:
    """Return the changes to UTF-8 of those that can be in the encoding; line ends stay."""
    changes = []
    for row, file in captions:
        text = decoded(file.data or b"", encoding)
        if text is not None:
            after = CaptionFile(file.path, text.encode("utf-8"))
            changes.append(CaptionChange(row.path, file, after))
    return changes


def is_utf8(file: CaptionFile) -> bool:
    """Tell whether a caption can be edited as it is: zeros are a sign of UTF-16."""
    try:
        return "\0" not in file.text
    except DatasetError:
        return False


def _head(menu: QMenu, words: str) -> None:
    menu.addAction(shown(words)).setEnabled(False)


def _fill(menu: QMenu, found: Iterable[Reading], convert: Callable[[str], object]) -> None:
    for reading in found:
        first = reading.text.strip().split("\n", 1)[0][:_SHOWN_CHARACTERS]
        words = shown(T("App", "{encoding}: {text}"), encoding=shown(reading.label), text=first)
        action = menu.addAction(words.replace("&", "&&"))
        action.triggered.connect(
            lambda _checked=False, encoding=reading.encoding: convert(encoding)
        )
