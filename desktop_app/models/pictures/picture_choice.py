"""The choice of pictures in the settings: what is offered is used, added, or asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop_app.background import LatestJob
from desktop_app.document import Document
from desktop_app.models.pictures.picture_offer import Offer, entries_of, left_out
from desktop_app.models.pictures.subset_list import SubsetList
from desktop_app.translation import shown
from trainer_core.dataset.index import Root
from trainer_core.dataset.listing import is_picture_name
from trainer_core.dataset.subsets import SUBSETS
from trainer_core.settings.document import UNSET
from trainer_core.texts import T

_FOLDER, _MORE = "dataset.train_data_dir", "dataset.more_pictures"


@dataclass(frozen=True, slots=True)
class _Found:
    """What an offer comes to, once its folders were read, and what is to happen with it."""

    wish: str  # ask, add, or use
    offer: Offer
    entries: tuple[Path, ...]
    part_of: object | None  # what else is one step of undo with it


class PictureChoice(QObject):
    """Changes the settings that name pictures.

    Every change is one step of undo, and no file is touched. Offers are read in a thread.
    """

    choice_wanted = Signal(object)  # tuple of Paths: are they to be added, or used instead?
    # Tuple of Paths taken, whether beside others, and what they are one step of undo with.
    taken = Signal(object, bool, object)
    noticed = Signal(str)  # what people should know of what they did, "" if there is nothing

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._asked: tuple[tuple[Path, ...], object | None] = ((), None)
        self._finding = LatestJob(self, only_reads=True)
        self._finding.finished.connect(self._on_found)
        document.replaced.connect(self._finding.cancel)  # what is being read was for the other

    @property
    def has_pictures(self) -> bool:
        """True if the settings name a picture or folder already, or a subset."""
        folder, more = self._chosen()
        return folder is not None or bool(more) or bool(self._document.value(SUBSETS))

    def offer(self, offer: Offer, part_of: object | None = None) -> None:
        """Use what was dropped; if there are pictures already, ask about it.

        Args:
            offer: What was dropped.
            part_of: What the last step of undo is part of, if this is to be one step with it.
        """
        self.noticed.emit(left_out(offer))
        self._find("ask", lambda: offer, part_of)

    def add(self, paths: Iterable[Path]) -> None:
        """Add folders or pictures to those that are there."""
        self._take("add", tuple(paths))

    def use_instead(self, paths: Iterable[Path]) -> None:
        """Use folders or pictures instead of those that are there."""
        self._take("use", tuple(paths))

    def remove(self, root: Root) -> None:
        """Take one place out of the settings."""
        if root.subset:
            SubsetList(self._document).remove(root)
            return
        folder, more = self._chosen()
        raw = self._raw_list()
        if root.is_whole:
            # The last one, because the same folder can be listed again.
            gone = [n for n, path in enumerate(more) if path == root.path][-1:]
        else:
            gone = [
                n
                for n, path in enumerate(more)
                if path.parent == root.path and is_picture_name(path.name)
            ]
        title = shown(T("App", "removal of pictures"))
        if gone:
            rest = [entry for n, entry in enumerate(raw) if n not in gone]
            self._document.apply({_MORE: rest}, title)
        elif root.path == folder:
            self._document.apply({_FOLDER: UNSET}, title)

    def close(self) -> None:
        """Drop what is being read and wait until its thread has let go."""
        self._finding.close()

    def _take(self, wish: str, paths: tuple[Path, ...]) -> None:
        asked, part_of = self._asked
        self._asked = ((), None)
        self._find(wish, partial(Offer.of, paths), part_of if paths == asked else None)

    def _find(self, wish: str, make: Callable[[], Offer], part_of: object | None) -> None:
        self._finding.start(lambda job: _read(wish, make(), part_of))

    def _on_found(self, found: _Found | None) -> None:
        if found is None:
            return
        words = left_out(found.offer)
        if words and found.wish != "ask":  # the answer to a question hides nothing said before
            self.noticed.emit(words)
        if not found.entries:
            return
        if found.wish == "use" or not self.has_pictures:
            self._use_instead(found.entries, found.part_of)
            return
        new = self._new(found.entries)
        if not new:
            self.noticed.emit(shown(T("App", "These pictures are there already.")))
        elif found.wish == "add":
            self._add(new, found.part_of)
        else:
            self._asked = (found.entries, found.part_of)
            self.choice_wanted.emit(found.entries)

    def _use_instead(self, entries: Sequence[Path], part_of: object | None) -> None:
        """Name these and nothing else: the first folder as picture folder, the rest beside it."""
        first = next((path for path in entries if not is_picture_name(path.name)), None)
        changes: dict[str, object] = {
            _FOLDER: UNSET if first is None else first.as_posix(),
            _MORE: [path.as_posix() for path in entries if path != first],
        }
        if any(self._document.value(path) != value for path, value in changes.items()):
            title = shown(T("App", "choice of pictures"))
            is_joined = self._document.apply(changes, title, part_of)
            self.taken.emit(tuple(entries), False, part_of if is_joined else None)

    def _add(self, entries: Sequence[Path], part_of: object | None) -> None:
        _, more = self._chosen()
        # Single pictures that a new folder brings along need not be listed any more.
        kept = [
            entry
            for entry, path in zip(self._raw_list(), more, strict=True)
            if not (is_picture_name(path.name) and path.parent in entries)
        ]
        after = [*kept, *(path.as_posix() for path in entries)]
        title = shown(T("App", "addition of pictures"))
        is_joined = self._document.apply({_MORE: after}, title, part_of)
        self.taken.emit(tuple(entries), True, part_of if is_joined else None)

    def _new(self, entries: Sequence[Path]) -> list[Path]:
        folder, more = self._chosen()
        known = {folder, *more}
        covered = {path for path in known if path is not None and not is_picture_name(path.name)}
        return [
            path
            for path in entries
            if path not in known and not (is_picture_name(path.name) and path.parent in covered)
        ]

    def _raw_list(self) -> list[object]:
        value = self._document.value(_MORE)
        return list(value) if isinstance(value, list) else [value]

    def _chosen(self) -> tuple[Path | None, list[Path]]:
        """Return the picture folder and the entries beside it, absolute and in their order."""
        section, _, name = _FOLDER.partition(".")
        values = {name: self._document.value(_FOLDER), "more_pictures": self._raw_list()}
        schema, place = self._document.schema, self._document.folder
        raw = schema.with_absolute_paths({section: values}, place)[section]
        folder = raw[name]
        is_set = isinstance(folder, str) and folder.strip() and folder != UNSET
        return Path(folder) if is_set else None, [
            Path(str(entry)) for entry in raw["more_pictures"]
        ]


def _read(wish: str, offer: Offer, part_of: object | None) -> _Found:
    return _Found(wish, offer, entries_of(offer), part_of)
