"""The subsets as they stand in the settings, changed from the tree of folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from desktop_app.document import Document
from desktop_app.translation import shown
from trainer_core.dataset.description.subsets import table_number
from trainer_core.dataset.index import Root
from trainer_core.dataset.subsets import MORE_PICTURES, REG_DATA_DIR, SUBSETS, TRAIN_DATA_DIR
from trainer_core.settings.document import UNSET
from trainer_core.texts import T

_Table = dict[str, Any]


class SubsetList:
    """Gives places settings of their own, each time as one step of undo; no file is touched.

    A place that is other than the run becomes a table of the list of subsets; one that is no
    longer goes back to the picture folders.
    """

    def __init__(self, document: Document) -> None:
        self._document = document

    def can_change(self, root: Root) -> bool:
        """Tell whether a place can have settings of its own."""
        return self._table_of(root) is not None

    def add(self, folders: Iterable[Path], *, is_reg: bool = False) -> None:
        """Train folders too, as subsets of their own."""
        tables = [{"image_dir": path.as_posix()} for path in folders]
        if not tables:
            return
        if is_reg and len(tables) == 1 and self._is_free(REG_DATA_DIR):
            changes: dict[str, object] = {REG_DATA_DIR: tables[0]["image_dir"]}
        else:
            own = {"is_reg": True} if is_reg else {}
            changes = {SUBSETS: [*self._tables(), *(table | own for table in tables)]}
        self._document.apply(changes, shown(T("App", "addition of pictures")))

    def copy(self, root: Root, values: Mapping[str, object]) -> None:
        """Train a place once more, with other values of some settings."""
        table = self._table_of(root)
        if table is not None:
            changes = {SUBSETS: [*self._tables(), _with(table, values)]}
            title = shown(T("App", "addition of {folder}"), folder=root.path.name)
            self._document.apply(changes, title)

    def change(self, root: Root, values: Mapping[str, object]) -> None:
        """Give a place other values of some settings; None takes the run's."""
        table = self._table_of(root)
        if table is None:
            return
        after, changes = _with(table, values), self._without(root)
        if after != table:
            changes = self._with_place(changes, after, self._place_of(root))
            title = shown(T("App", "change of {folder}"), folder=root.path.name)
            self._document.apply(changes, title)

    def remove(self, root: Root) -> None:
        """Take a place out of the settings."""
        if self._table_of(root) is not None:
            title = shown(T("App", "removal of pictures"))
            self._document.apply(self._without(root), title)

    def _table_of(self, root: Root) -> _Table | None:
        """Return what the settings say of a place, None if they are not what was looked at."""
        place = self._place_of(root)
        if place is not None:
            table = self._tables()[place]
            return dict(table) if isinstance(table, Mapping) else None
        if root.subset and self._is_at(REG_DATA_DIR, root.path):
            return {"image_dir": root.path.as_posix(), "is_reg": True}
        is_named = self._is_at(TRAIN_DATA_DIR, root.path) or root.path in self._more()
        if root.subset or not root.is_whole or not is_named:
            return None
        return {"image_dir": root.path.as_posix()}

    def _place_of(self, root: Root) -> int | None:
        """Return where in the list a place's table stands, None if it has none."""
        place, count = table_number(root.subset), len(self._tables())
        return place if 0 <= place < count else None

    def _without(self, root: Root) -> dict[str, object]:
        """Return the changes that take a place out."""
        place = self._place_of(root)
        if place is not None:
            tables = self._tables()
            return {SUBSETS: [*tables[:place], *tables[place + 1 :]]}
        if root.subset:
            return {REG_DATA_DIR: UNSET}
        if self._is_at(TRAIN_DATA_DIR, root.path):
            return {TRAIN_DATA_DIR: UNSET}
        entries = zip(self._list(MORE_PICTURES), self._more(), strict=True)
        return {MORE_PICTURES: [entry for entry, path in entries if path != root.path]}

    def _with_place(
        self, changes: dict[str, object], table: _Table, place: int | None
    ) -> dict[str, object]:
        """Return the changes with the place put where it belongs now."""
        folder = table.get("image_dir")
        if table == {"image_dir": folder} and self._will_be_free(TRAIN_DATA_DIR, changes):
            return changes | {TRAIN_DATA_DIR: folder}
        if table == {"image_dir": folder}:
            more = changes.get(MORE_PICTURES, self._list(MORE_PICTURES))
            return changes | {MORE_PICTURES: [*_as_list(more), folder]}
        is_reg_alone = table == {"image_dir": folder, "is_reg": True}
        if is_reg_alone and self._will_be_free(REG_DATA_DIR, changes):
            return changes | {REG_DATA_DIR: folder}
        tables = _as_list(changes.get(SUBSETS, self._tables()))
        at = len(tables) if place is None else place
        return changes | {SUBSETS: [*tables[:at], table, *tables[at:]]}

    def _will_be_free(self, path: str, changes: Mapping[str, object]) -> bool:
        return changes.get(path) == UNSET or (path not in changes and self._is_free(path))

    def _is_free(self, path: str) -> bool:
        return self._document.value(path) in (UNSET, "")

    def _is_at(self, path: str, folder: Path) -> bool:
        return not self._is_free(path) and self._absolute(path)[0] == folder

    def _more(self) -> list[Path]:
        return self._absolute(MORE_PICTURES)

    def _absolute(self, path: str) -> list[Path]:
        """Return the paths of a setting from the root on."""
        section, _, name = path.partition(".")
        schema, base = self._document.schema, self._document.folder
        values = schema.with_absolute_paths({section: {name: self._document.value(path)}}, base)
        return [Path(str(each)) for each in _as_list(values[section][name])]

    def _tables(self) -> list[Any]:
        return self._list(SUBSETS)

    def _list(self, path: str) -> list[Any]:
        return _as_list(self._document.value(path))


def _as_list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _with(table: _Table, values: Mapping[str, object]) -> _Table:
    """Return a table with other values; what is as without a word is not said."""
    after = {**table, **values}
    return {
        name: value
        for name, value in after.items()
        if value is not None and not (name == "is_reg" and value is False)
    }
