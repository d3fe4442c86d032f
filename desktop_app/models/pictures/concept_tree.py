"""The concepts that are trained as a tree: places, the concepts in them, repeats and pictures."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QColor

from desktop_app.models.row_table import NO_INDEX, Index
from desktop_app.theme import tokens
from desktop_app.theme.icons import icon
from desktop_app.translation import shown
from trainer_core.dataset.index import Concept, DatasetIndex, Picture, Root, distinct_names
from trainer_core.dataset.listing import natural_key
from trainer_core.dataset.pictures import Size
from trainer_core.dataset.subsets import SampleKey
from trainer_core.texts import T, visible


class Column(IntEnum):
    """The columns of the tree."""

    NAME = 0
    REPEATS = 1
    PICTURES = 2
    RESOLUTION = 3


_HEADINGS = {
    Column.NAME: T("App", "Folder"),
    Column.REPEATS: T("App", "×"),
    Column.PICTURES: T("App", "Pictures"),
    Column.RESOLUTION: T("App", "px"),
}


@dataclass(frozen=True, slots=True)
class OwnFacts:
    """What a subset has of its own.

    Attributes:
        resolution: In px, if it is another one than the run's.
        is_reg: Whether it holds regularisation pictures.
        words: Other settings with their values.
    """

    resolution: Size | None = None
    is_reg: bool = False
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """One line of the tree.

    Attributes:
        name: What it is called.
        path: Its folder; None for all pictures of several places.
        folders: Of the concepts that it stands for; None for all.
        pictures: How many there are that can be used.
        samples: Pictures times repeats.
        repeats: None where they differ.
        root: The place that this line stands for, if it stands for a whole one.
        place: The place that it belongs to; None for all pictures of several.
        resolution: What the place is trained at, where it has a resolution of its own.
        is_reg: Whether these are regularisation pictures.
        own: Other settings of the place, with their values.
        left_out: How many are left out of the run, where that is all that there are.
        children: Concepts of a place.
    """

    name: str
    path: Path | None
    folders: frozenset[Path] | None
    pictures: int
    samples: int
    repeats: int | None = None
    root: Root | None = None
    left_out: int = 0
    children: tuple[Node, ...] = ()
    place: Root | None = None
    resolution: Size | None = None
    is_reg: bool = False
    own: tuple[str, ...] = ()

    @property
    def key(self) -> Hashable:
        """What tells the line from others, from one look at the pictures to the next."""
        is_whole = self.root is None or self.root.is_whole
        subset = 0 if self.place is None else self.place.subset
        return self.path, self.root is not None, is_whole, self.folders is None, subset

    @property
    def whole_place(self) -> Root | None:
        """The place whose settings are changed with this line: it stands for all of it."""
        place = self.place
        if place is None or not (place.is_whole or place.subset):
            return None  # single pictures of the run's own list
        return place if self.root is not None or len(place.concepts) == 1 else None


class ConceptTree(QAbstractItemModel):
    """A line for all pictures; then the concepts of the one place, or places with their concepts.

    An index of a place's concept carries the number of the place's row, counted from 1; that of
    any other line carries 0.
    """

    repeats_wanted = Signal(object, int)  # Path of a folder, how often it is to be shown
    values_wanted = Signal(object, object)  # Root, its values of settings by name

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._nodes: tuple[Node, ...] = ()

    @property
    def has_resolutions(self) -> bool:
        """Whether a place has a resolution of its own."""
        nodes = (self.node(index) for index in self._indexes())
        return any(node is not None and node.resolution is not None for node in nodes)

    def show(
        self,
        index: DatasetIndex,
        unusable: Collection[SampleKey] = (),
        own: Mapping[int, OwnFacts] | None = None,
    ) -> None:
        """Hold these concepts instead.

        Args:
            index: The pictures.
            unusable: Those that cannot be used: they are listed, but do not count.
            own: What is other than in the run, by the number of the subset.
        """
        nodes = tuple(_Nodes(unusable, own or {}).of(index))
        if nodes != self._nodes:
            self.beginResetModel()
            self._nodes = nodes
            self.endResetModel()

    def node(self, index: Index) -> Node | None:
        """Return the line at an index, None if it is not valid."""
        if not index.isValid():
            return None
        place = index.internalId()
        nodes = self._nodes[place - 1].children if place else self._nodes
        return nodes[index.row()]

    def index_of(self, key: Hashable) -> QModelIndex:
        """Return the index of the line with a key, else that of all pictures."""
        found = (i for i in self._indexes() if (n := self.node(i)) is not None and n.key == key)
        return next(found, self.index(0, 0))

    def index_of_folder(self, path: Path | None) -> QModelIndex:
        """Return the index of a concept's or place's folder, else that of all pictures."""
        named = [i for i in self._indexes() if (n := self.node(i)) is not None and n.path == path]
        # A concept that lies directly in a place is meant before the place with all its others.
        named.sort(key=lambda index: self.rowCount(index))
        return next(iter(named), self.index(0, 0))

    def index(self, row: int, column: int, parent: Index = NO_INDEX) -> QModelIndex:
        """Return the index of a cell."""
        if not self.hasIndex(row, column, parent):
            return QModelIndex()
        return self.createIndex(row, column, parent.row() + 1 if parent.isValid() else 0)

    def parent(self, index: Index = NO_INDEX) -> QModelIndex:  # type: ignore[override]
        """Return the place that a concept belongs to."""
        place = index.internalId() if index.isValid() else 0
        return self.createIndex(place - 1, 0, 0) if place else QModelIndex()

    def rowCount(self, parent: Index = NO_INDEX) -> int:  # noqa: N802 - Qt's name
        """Return the number of lines, or of those below a place."""
        node = self.node(parent)
        if node is None:
            return len(self._nodes)
        return len(node.children) if parent.column() == 0 else 0

    def columnCount(self, parent: Index = NO_INDEX) -> int:  # noqa: N802 - Qt's name
        """Return the number of columns."""
        return len(Column)

    def headerData(  # noqa: N802 - Qt's name
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """Return a heading."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(Column(section))
        if role == Qt.ItemDataRole.ToolTipRole and section == Column.RESOLUTION:
            return shown(T("App", "Resolution of its own. Double click to change"))
        if role == Qt.ItemDataRole.ToolTipRole and section == Column.REPEATS:
            return shown(
                T("App", "Repeats: how often an epoch shows each picture. Double click to change")
            )
        return shown(_HEADINGS[Column(section)]) if role == Qt.ItemDataRole.DisplayRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let the repeats of a folder be edited, and the resolution of a place."""
        flags, node = super().flags(index), self.node(index)
        if index.column() == Column.RESOLUTION and node is not None and node.whole_place:
            return flags | Qt.ItemFlag.ItemIsEditable
        if index.column() == Column.REPEATS and node is not None and node.repeats is not None:
            return flags | Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(  # noqa: N802 - Qt's name
        self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        """Ask for other values; they are seen once the settings have them."""
        node = self.node(index)
        if role != Qt.ItemDataRole.EditRole or node is None:
            return False
        if index.column() == Column.RESOLUTION:
            return self._want_resolution(node, str(value))
        if not isinstance(value, int):
            return False
        if node.place is not None and node.place.is_one_concept and value != node.repeats:
            self.values_wanted.emit(node.place, {"num_repeats": value})
        elif node.path is not None and value != node.repeats:
            self.repeats_wanted.emit(node.path, value)
        return True

    def _want_resolution(self, node: Node, words: str) -> bool:
        """Ask for a resolution, for that of the run with no words; tell if it is one."""
        numbers = re.findall(r"\d+", words)
        if node.whole_place is None or len(numbers) > 2 or (words.strip() and not numbers):
            return False
        sides = [int(number) for number in numbers] * (1 if len(numbers) == 2 else 2)
        if sides != list(node.resolution or ()):
            self.values_wanted.emit(node.whole_place, {"resolution": sides or None})
        return True

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell shows."""
        node, column = self.node(index), Column(index.column())
        if node is None:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return _words(node, column)
            case Qt.ItemDataRole.EditRole if column is Column.REPEATS:
                return node.repeats
            case Qt.ItemDataRole.EditRole if column is Column.RESOLUTION:
                return _words(node, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.ToolTipRole:
                return _tooltip(node)
            case Qt.ItemDataRole.ForegroundRole if node.left_out:
                return QColor(tokens.current().text_disabled)
            case Qt.ItemDataRole.DecorationRole if column is Column.NAME and _failed(node):
                return icon("error", tokens.current().error)
            case Qt.ItemDataRole.DecorationRole if column is Column.NAME and node.is_reg:
                return icon("regularisation")
        return None

    def _indexes(self) -> Iterator[QModelIndex]:
        for row, node in enumerate(self._nodes):
            place = self.index(row, 0)
            yield place
            yield from (self.index(child, 0, place) for child in range(len(node.children)))


class _Nodes:
    """Makes the lines of the tree; pictures that cannot be used are not counted."""

    def __init__(self, unusable: Collection[SampleKey], own: Mapping[int, OwnFacts]) -> None:
        self._unusable = unusable
        self._own = own

    def of(self, index: DatasetIndex) -> Iterator[Node]:
        """Yield the lines without a parent."""
        only = index.roots[0] if len(index.roots) == 1 else None
        if only is None or only.concepts or only.left_out:
            yield self._sum(shown(T("App", "All pictures")), index.concepts, only, is_all=True)
        if only is not None:
            yield from (self._of_concept(concept, only) for concept in _in_order(only))
            return
        names = distinct_names([root.path for root in index.roots])
        for root, name in zip(index.roots, names, strict=True):
            yield self._of_root(root, name)

    def _of_root(self, root: Root, name: str) -> Node:
        listed = _in_order(root)
        if [concept.folder for concept in listed] == [root.path]:
            [concept] = listed
            return self._of_concept(concept, root, name=name, root=root)
        return self._sum(name, root.concepts, root, is_all=False)

    def _of_concept(
        self, concept: Concept, place: Root, *, name: str = "", root: Root | None = None
    ) -> Node:
        own = self._own.get(place.subset, OwnFacts())
        is_trained = not isinstance(concept, _LeftOutConcept)
        count = self._count(concept) if is_trained else 0
        return Node(
            name=name or concept.folder.name or concept.name,
            path=concept.folder,
            folders=frozenset({concept.folder}),
            pictures=count,
            samples=self._samples(concept) if is_trained else 0,
            repeats=concept.repeats if is_trained else None,
            root=root,
            left_out=0 if is_trained else len(concept.pictures),
            place=place,
            resolution=own.resolution,
            is_reg=own.is_reg,
            own=own.words,
        )

    def _sum(
        self, name: str, concepts: tuple[Concept, ...], root: Root | None, *, is_all: bool
    ) -> Node:
        listed = [] if is_all or root is None else _in_order(root)
        own = OwnFacts() if root is None else self._own.get(root.subset, OwnFacts())
        return Node(
            name=name,
            path=None if root is None else root.path,
            folders=None if is_all else frozenset(concept.folder for concept in concepts),
            pictures=sum(map(self._count, concepts)),
            samples=sum(map(self._samples, concepts)),
            root=root,
            children=tuple(self._of_concept(each, root) for each in listed if root is not None),
            place=root,
            resolution=own.resolution,
            is_reg=own.is_reg,
            own=own.words,
        )

    def _samples(self, concept: Concept) -> int:
        usable = (each for each in concept.pictures if each.key not in self._unusable)
        return sum(picture.repeats for picture in usable)

    def _count(self, concept: Concept) -> int:
        if not self._unusable:
            return len(concept.pictures)
        return sum(picture.key not in self._unusable for picture in concept.pictures)


@dataclass(frozen=True, slots=True)
class _LeftOutConcept(Concept):
    """A folder of which every picture is left out: it is listed, or nobody could put it back."""


def _in_order(root: Root) -> list[Concept]:
    """Return the concepts as people look for them: the place's own first, others by name."""
    listed = [*root.concepts, *_left_out_concepts(root)]
    return sorted(listed, key=lambda c: (c.folder != root.path, natural_key(c.folder.name)))


def _left_out_concepts(root: Root) -> Iterator[Concept]:
    trained = {concept.folder for concept in root.concepts}
    by_folder: dict[Path, list[Picture]] = {}
    for picture in root.left_out:
        if picture.path.parent not in trained:
            by_folder.setdefault(picture.path.parent, []).append(picture)
    for folder, pictures in by_folder.items():
        first = pictures[0]
        words, repeats = first.class_tokens, first.repeats
        yield _LeftOutConcept(folder, folder.name, repeats, words, tuple(pictures), first.subset)


def _failed(node: Node) -> bool:
    return node.root is not None and node.root.failure is not None


def _words(node: Node, column: Column) -> str:
    match column:
        case Column.NAME:
            return visible(node.name)
        case Column.REPEATS:
            return "" if node.repeats is None else f"{node.repeats} ×"
        case Column.PICTURES:
            return str(node.pictures)
        case Column.RESOLUTION:
            sides = dict.fromkeys(node.resolution or ())
            return " × ".join(map(str, sides))


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column is Column.NAME else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter


def _tooltip(node: Node) -> str:
    lines = [] if node.path is None else [str(node.path)]
    if node.is_reg:
        lines.append(shown(T("App", "Regularisation pictures")))
    failure = None if node.root is None else node.root.failure
    if failure is not None:
        lines.append(shown(failure.message))
    elif node.left_out:
        words = T("App", "Left out of this run: {count} [count:picture|pictures].")
        lines.append(shown(words, count=node.left_out))
    elif node.repeats is not None:
        template = T(
            "App",
            "{pictures} [pictures:picture|pictures] × {repeats} [repeats:repeat|repeats] = "
            "{samples} per epoch",
        )
        if node.is_reg:
            template = T(
                "App",
                "{pictures} [pictures:picture|pictures] × {repeats} [repeats:repeat|repeats]; "
                "{samples} per epoch, as many as training pictures",
            )
        facts = {"pictures": node.pictures, "repeats": node.repeats, "samples": node.samples}
        lines.append(shown(template, **facts))
    else:
        template = T("App", "{pictures} [pictures:picture|pictures], {samples} per epoch")
        lines.append(shown(template, pictures=node.pictures, samples=node.samples))
    if node.root is not None and not node.root.is_whole:
        lines.append(shown(T("App", "Only the pictures that were chosen from this folder.")))
    if node.own:
        lines.append(shown(T("App", "Of its own: {values}"), values="; ".join(node.own)))
    return "\n".join(lines)
