"""The list of pictures that the run leaves out, as it stands in the settings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from desktop_app.document import Document
from desktop_app.translation import shown
from trainer_core.dataset.overrides import LEFT_OUT
from trainer_core.texts import T

_FOLDER = "dataset.train_data_dir"


class LeftOut:
    """Changes the list, each time as one step of undo; no file is touched."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def leave_out(self, pictures: Iterable[Path]) -> None:
        """Train without these pictures."""
        known = set(self._absolute(self._raw_list()))
        new = [path for path in dict.fromkeys(pictures) if path not in known]
        if new:
            after = [*self._raw_list(), *map(self._written, new)]
            singular = T("App", "leaving out {name}")
            plural = T("App", "leaving out {count} [count:picture|pictures]")
            self._document.apply({LEFT_OUT: after}, _title(new, singular, plural))

    def put_back(self, pictures: Collection[Path]) -> None:
        """Train these pictures again."""
        raw = self._raw_list()
        entries = list(zip(raw, self._absolute(raw), strict=True))
        gone = {path for _, path in entries if path in pictures}
        # The list may lead to the same folder in another way: by a link, or over "..".
        others = {_last_parts(path) for path in pictures if path not in gone}
        rest = [
            entry
            for entry, path in entries
            if path not in gone and (not others or _last_parts(path) not in others)
        ]
        if len(rest) < len(raw):
            singular = T("App", "putting back {name}")
            plural = T("App", "putting back {count} [count:picture|pictures]")
            self._document.apply({LEFT_OUT: rest}, _title(list(pictures), singular, plural))

    def _written(self, path: Path) -> str:
        """Return a path as the list has it: from the run file on, where the folder is too."""
        folder, base = self._document.value(_FOLDER), self._document.folder
        is_near = isinstance(folder, str) and not Path(folder).is_absolute()
        if is_near and path.is_relative_to(base):
            return path.relative_to(base).as_posix()
        return path.as_posix()

    def _raw_list(self) -> list[object]:
        value = self._document.value(LEFT_OUT)
        return list(value) if isinstance(value, list) else []

    def _absolute(self, raw: Sequence[object]) -> list[Path]:
        section, _, name = LEFT_OUT.partition(".")
        schema, base = self._document.schema, self._document.folder
        values = schema.with_absolute_paths({section: {name: list(raw)}}, base)
        return [Path(str(entry)) for entry in values[section][name]]


def _last_parts(path: Path) -> tuple[str, ...]:
    return path.parts[-2:]


def _title(pictures: Sequence[Path], singular: str, plural: str) -> str:
    if len(pictures) == 1:
        return shown(singular, name=pictures[0].name)
    return shown(plural, count=len(pictures))
