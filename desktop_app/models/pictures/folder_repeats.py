"""The list of folder repeats as it stands in the settings, changed from the tree of folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from desktop_app.document import Document
from desktop_app.translation import shown
from trainer_core.dataset.index import parse_folder_name
from trainer_core.dataset.overrides import FOLDER_REPEATS
from trainer_core.settings.folder_repeats import parse_entry
from trainer_core.texts import T

_PLAIN = "dataset.dataset_repeats"


class FolderRepeatsList:
    """Changes how often folders are shown, each time as one step of undo; no folder is renamed."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def set_repeats(self, folder: Path, repeats: int, folders: Iterable[Path]) -> None:
        """Show the pictures of a folder so often per epoch.

        Args:
            folder: Of the pictures.
            repeats: From 1 on; the number that the folder has by itself needs no entry.
            folders: All folders of the run, some of which may have the same name.
        """
        value = self._document.value(FOLDER_REPEATS)
        before = [str(entry) for entry in value] if isinstance(value, list) else []
        after = [entry for entry in before if not _is_only_of(entry, folder, folders)]
        is_alone = [other.name for other in folders].count(folder.name) == 1
        name = folder.name if is_alone else folder.as_posix()
        if repeats != self._own(folder) or any(_fits(entry, folder) for entry in after):
            after.append(f"{name}={repeats}")
        if after != before:
            title = shown(T("App", "repeats of {folder}"), folder=folder.name)
            self._document.apply({FOLDER_REPEATS: after}, title)

    def _own(self, folder: Path) -> int:
        """Return how often the folder is shown without an entry."""
        named = parse_folder_name(folder.name)
        plain = self._document.typed_value(_PLAIN)
        return named[0] if named else plain if isinstance(plain, int) else 1


def _fits(entry: str, folder: Path) -> bool:
    parsed = parse_entry(entry)
    return parsed is not None and parsed.fits(folder)


def _is_only_of(entry: str, folder: Path, folders: Iterable[Path]) -> bool:
    """Tell whether an entry means this folder and none of the others."""
    others = (other for other in folders if other != folder)
    return _fits(entry, folder) and not any(_fits(entry, other) for other in others)
