"""What is trained: concepts with their repeats and pictures, by the places they were found in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trainer_core.dataset.description.metadata_file import Described, read_metadata
from trainer_core.dataset.listing import (
    Reading,
    check_name,
    is_picture_name,
    list_folder,
    read_by_nobody,
    sorted_by_name,
)
from trainer_core.dataset.subsets import SampleKey, Subset
from trainer_core.errors import DatasetError
from trainer_core.files.presence import is_file, is_folder, is_there
from trainer_core.texts import T


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a subset, how often an epoch shows it, and the words where it has no caption.

    The repeats are 0 for a regularisation picture that an epoch does not come to. What a metadata
    file says of it stands instead of a caption file.
    """

    path: Path
    repeats: int
    class_tokens: str
    subset: int = 0
    described: Described | None = None

    @property
    def key(self) -> SampleKey:
        """What tells it from the same file in another subset."""
        return SampleKey(self.subset, self.path)


@dataclass(frozen=True, slots=True)
class Concept:
    """The pictures of one folder in one subset."""

    folder: Path
    name: str
    repeats: int
    class_tokens: str
    pictures: tuple[Picture, ...]
    subset: int = 0


@dataclass(frozen=True, slots=True)
class Root:
    """One place that was asked for: a whole folder, or single pictures of a folder.

    Attributes:
        path: The folder.
        concepts: Pictures directly in it first, then the sub-folders by name; each concept has
            a picture at least.
        ignored_folders: Sub-folders that are not searched for pictures.
        ignored_files: Pictures of kinds that are not trained.
        repeated: Pictures that an earlier root has already; they are not in the concepts.
        left_out: Pictures that the run leaves out; they are not in the concepts.
        is_held_out: Whether all of its pictures are for validation alone.
        is_whole: False if only single pictures were asked for.
        failure: Why there is nothing in it, if it cannot be read.
        subset: The number of the subset that it is of.
        metadata: The file that names its pictures and their captions, if there is one.
        unfound: Names in that file to which there is no picture.
        unnamed: Pictures of its folder that the file does not name.
        is_empty: Whether no picture was found in it, whatever became of those.
        is_one_concept: Whether only pictures directly in it are meant, with repeats and words of
            the settings.
    """

    path: Path
    concepts: tuple[Concept, ...] = ()
    ignored_folders: tuple[Path, ...] = ()
    ignored_files: tuple[Path, ...] = ()
    repeated: tuple[Path, ...] = ()
    left_out: tuple[Picture, ...] = ()
    is_held_out: bool = False
    is_whole: bool = True
    failure: DatasetError | None = None
    subset: int = 0
    metadata: Path | None = None
    unfound: tuple[str, ...] = ()
    unnamed: tuple[Path, ...] = ()
    is_empty: bool = False
    is_one_concept: bool = False

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture once, in the order of the concepts."""
        return tuple(picture for concept in self.concepts for picture in concept.pictures)

    def without(self, keys: Collection[SampleKey]) -> Root:
        """Return the root without some pictures, and without the concepts that had no others."""
        concepts = (
            replace(c, pictures=tuple(p for p in c.pictures if p.key not in keys))
            for c in self.concepts
        )
        return replace(self, concepts=tuple(c for c in concepts if c.pictures))


@dataclass(frozen=True, slots=True)
class DatasetIndex:
    """Every picture that is trained, and what beside them is not; there is a root at least."""

    roots: tuple[Root, ...]

    @property
    def root(self) -> Path:
        """The first folder that was asked for."""
        return self.roots[0].path

    @property
    def concepts(self) -> tuple[Concept, ...]:
        """The concepts of all roots; those of several roots have a name each."""
        return tuple(concept for root in self.roots for concept in root.concepts)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture of every subset, in the order of the concepts."""
        return tuple(picture for root in self.roots for picture in root.pictures)

    @property
    def trained(self) -> tuple[Picture, ...]:
        """Those of them that an epoch shows."""
        return tuple(picture for picture in self.pictures if picture.repeats)

    @property
    def left_out(self) -> tuple[Picture, ...]:
        """The pictures that the run leaves out."""
        return tuple(picture for root in self.roots for picture in root.left_out)

    @property
    def ignored_folders(self) -> tuple[Path, ...]:
        """Sub-folders that are not searched for pictures."""
        return tuple(folder for root in self.roots for folder in root.ignored_folders)

    @property
    def ignored_files(self) -> tuple[Path, ...]:
        """Pictures of kinds that are not trained."""
        return tuple(file for root in self.roots for file in root.ignored_files)

    def without(self, keys: Collection[SampleKey]) -> DatasetIndex:
        """Return the index without some pictures (to plan with what can be read)."""
        return DatasetIndex(tuple(root.without(keys) for root in self.roots))


def build_index(
    root: Path | None, more: Sequence[Path] = (), *, plain_repeats: int
) -> DatasetIndex:
    """List the pictures of folders and of their ``<repeats>_<concept>`` sub-folders.

    Args:
        root: A folder of such sub-folders, of pictures, or of both. Named
            ``<repeats>_<concept>`` itself, it gives its own pictures repeats and words.
        more: Further such folders, and single pictures, which are gathered by folder behind them.
        plain_repeats: Repeats of pictures that lie directly in any other folder.

    Returns:
        The index. A picture that several entries lead to belongs to the first of them. Of several
        places, those that cannot be read are in it with their failure.

    Raises:
        DatasetError: Nothing that was asked for can be read: a folder is missing, is no folder, or
            may not be read; or a name in it is not valid text.
    """
    subset = Subset(folder=root, more=tuple(more))
    return index_subsets([subset], {subset.number: plain_repeats})


def index_subsets(
    subsets: Sequence[Subset], plain_repeats: Mapping[int, int], reading: Reading = read_by_nobody
) -> DatasetIndex:
    """List the pictures of several subsets; see `build_index` for what is found in each.

    Args:
        subsets: A picture may stand in several of them.
        plain_repeats: By the number of the subset.
        reading: Told of every place before it is looked at.

    Raises:
        DatasetError: As for `build_index`.
    """
    roots = [
        root for each in subsets for root in _roots_of(each, plain_repeats[each.number], reading)
    ]
    failures = [found.failure for found in roots if found.failure is not None]
    if failures and len(failures) == len(roots):
        raise failures[0]
    return DatasetIndex(tuple(_without_repetitions(roots) if len(roots) > 1 else roots))


def _roots_of(subset: Subset, plain_repeats: int, reading: Reading) -> Iterator[Root]:
    picked: list[Path] = []
    read = _one_concept_root if subset.is_one_concept else _whole_root
    roots: list[Root] = []
    if subset.metadata is not None:
        roots = _metadata_roots(subset.metadata, subset.folder, plain_repeats, reading)
    elif subset.folder is not None:
        roots = [_root(subset.folder, plain_repeats, reading, read)]
    for path in subset.more:
        reading(path)
        is_other = is_there(path) and not is_folder(path)
        if is_picture_name(path.name) and (is_file(path) or not is_there(path)):
            picked.append(path)
        elif is_other:  # a file, or a pipe or socket: opening that would wait for ever
            roots.append(Root(path, failure=_not_trained(path)))
        else:
            roots.append(_root(path, plain_repeats, reading, read))
    roots += _picked_roots(picked, plain_repeats)
    return (_in_subset(root, subset) for root in roots)


def _in_subset(root: Root, subset: Subset) -> Root:
    root = replace(root, is_empty=not root.concepts and root.failure is None)
    if subset.number == root.subset and not subset.is_one_concept:
        return root
    concepts = tuple(_concept_in_subset(concept, subset) for concept in root.concepts)
    is_one = subset.is_one_concept
    return replace(root, subset=subset.number, concepts=concepts, is_one_concept=is_one)


def _concept_in_subset(concept: Concept, subset: Subset) -> Concept:
    repeats, words = concept.repeats, concept.class_tokens
    if subset.is_one_concept:
        repeats = subset.repeats or 1
        words = subset.class_tokens or ""
    number = subset.number
    return replace(
        concept,
        repeats=repeats,
        class_tokens=words,
        subset=number,
        pictures=tuple(
            replace(picture, repeats=repeats, class_tokens=words, subset=number)
            for picture in concept.pictures
        ),
    )


def _root(
    folder: Path,
    plain_repeats: int,
    reading: Reading,
    read: Callable[[Path, int, Reading], Root],
) -> Root:
    try:
        return read(folder, plain_repeats, reading)
    except DatasetError as failure:
        return Root(folder, failure=failure)


def _whole_root(root: Path, plain_repeats: int, reading: Reading) -> Root:
    reading(root)
    top = list_folder(root)
    repeats, class_tokens = parse_folder_name(_name(root)) or (plain_repeats, "")
    concepts = [_concept(root, repeats, class_tokens, top.pictures)]
    ignored_folders: list[Path] = []
    ignored_files = list(top.other_pictures)
    for folder in top.folders:
        reading(folder)
        named = parse_folder_name(folder.name)
        listing = list_folder(folder) if named else None
        if named is None or listing is None or not listing.pictures:
            ignored_folders.append(folder)
        else:
            concepts.append(_concept(folder, *named, listing.pictures))
        if listing is not None:
            ignored_folders += listing.folders
            ignored_files += listing.other_pictures
    return Root(
        root, tuple(c for c in concepts if c.pictures), tuple(ignored_folders), tuple(ignored_files)
    )


def _one_concept_root(root: Path, plain_repeats: int, reading: Reading) -> Root:
    """Read the pictures directly in a folder; what its name says is replaced by the subset."""
    reading(root)
    top = list_folder(root)
    concept = _concept(root, plain_repeats, "", top.pictures)
    concepts = (concept,) if concept.pictures else ()
    return Root(root, concepts, top.folders, top.other_pictures)


def _metadata_roots(
    file: Path, folder: Path | None, plain_repeats: int, reading: Reading
) -> list[Root]:
    """Return a root for every folder with pictures that a metadata file names."""
    reading(file)
    try:
        found = read_metadata(file, folder)
    except DatasetError as failure:
        return [Root(file, failure=failure, metadata=file)]
    by_folder: dict[Path, list[Picture]] = {}
    for path, described in found.pictures.items():
        picture = Picture(path, plain_repeats, "", described=described)
        by_folder.setdefault(path.parent, []).append(picture)
    first, *others = by_folder or [file]
    roots = [_described_root(each, file, by_folder.get(each, [])) for each in (first, *others)]
    first_root = replace(roots[0], unfound=found.unfound, unnamed=found.unnamed)
    return [first_root, *roots[1:]]


def _described_root(folder: Path, file: Path, pictures: Sequence[Picture]) -> Root:
    in_order = tuple(sorted(pictures, key=lambda picture: picture.path.name))
    if not in_order:
        return Root(folder, is_whole=False, metadata=file)
    concept = Concept(folder, _name(folder), in_order[0].repeats, "", in_order)
    return Root(folder, (concept,), is_whole=False, metadata=file)


def _not_trained(file: Path) -> DatasetError:
    return DatasetError(
        T("Errors", "{path} is no picture of a kind that is trained."),
        T("Errors", "Save it as PNG, JPEG, WebP or BMP, or remove it from the list."),
        path=file,
    )


def _picked_roots(pictures: Iterable[Path], plain_repeats: int) -> list[Root]:
    """Return a root for every folder that single pictures lie in."""
    by_folder: dict[Path, list[Path]] = {}
    for picture in pictures:
        check_name(picture)
        by_folder.setdefault(picture.parent, []).append(picture)
    roots = []
    for folder, paths in by_folder.items():
        repeats, class_tokens = parse_folder_name(_name(folder)) or (plain_repeats, "")
        concept = _concept(folder, repeats, class_tokens, sorted_by_name(set(paths)))
        twice = sorted_by_name(path for path, count in Counter(paths).items() if count > 1)
        roots.append(Root(folder, (concept,), repeated=twice, is_whole=False))
    return roots


def _without_repetitions(roots: Sequence[Root]) -> list[Root]:
    """Return the roots with no name twice, and every picture once in each of their subsets."""
    known: set[tuple[int, Path, str]] = set()
    named = {(root.subset, root.path) for root in roots}
    distinct: list[Root] = []
    for root in roots:
        places = {c.folder: c.folder.resolve() for c in root.concepts}
        keys = {
            p.key: (root.subset, places[c.folder], p.path.name)
            for c in root.concepts
            for p in c.pictures
        }
        repeated = tuple(key for key, place in keys.items() if place in known)
        known.update(keys.values())
        # A folder that is named itself is trained, whatever another one says of it.
        ignored = tuple(f for f in root.ignored_folders if (root.subset, f) not in named)
        rest = root.without(frozenset(repeated))
        paths = tuple(dict.fromkeys((*root.repeated, *(key.path for key in repeated))))
        distinct.append(replace(rest, repeated=paths, ignored_folders=ignored))
    concepts = [concept for root in distinct for concept in root.concepts]
    names = iter(subset_names([SampleKey(c.subset, c.folder) for c in concepts]))
    return [
        replace(root, concepts=tuple(replace(c, name=next(names)) for c in root.concepts))
        for root in distinct
    ]


def subset_names(folders: Sequence[SampleKey]) -> list[str]:
    """Return a name for each folder in its subset: ``cat``, and ``cat (2)`` in the second one.

    The subset is told only of a folder that an earlier one has as well.
    """
    names = distinct_names([folder.path for folder in folders])
    first: dict[str, int] = {}
    return [
        name if first.setdefault(name, subset) == subset else f"{name} ({subset + 1})"
        for name, (subset, _) in zip(names, folders, strict=True)
    ]


def distinct_names(folders: Sequence[Path]) -> list[str]:
    """Return the folders' names, with as many parents in front as tell different ones apart."""
    parts = {folder: (*folder.parts[:-1], _name(folder)) for folder in folders}
    lengths = dict.fromkeys(parts, 1)
    while True:
        names = {folder: "/".join(parts[folder][-n:]) for folder, n in lengths.items()}
        taken = Counter(names.values())
        grown = {
            folder: min(n + 1, len(parts[folder])) if taken[names[folder]] > 1 else n
            for folder, n in lengths.items()
        }
        if grown == lengths:
            return [names[folder] for folder in folders]
        lengths = grown


def parse_folder_name(name: str) -> tuple[int, str] | None:
    """Return repeats and class tokens of a folder ``<repeats>_<concept>``, None for another name.

    The text before the first underscore is read as Python's ``int`` does; the rest is kept as it
    is (sd-scripts, train_util and config_util).
    """
    number, _, class_tokens = name.partition("_")
    try:
        repeats = int(number)
    except ValueError:
        return None
    return (repeats, class_tokens) if repeats >= 1 else None


def concepts_in(folder: Path) -> tuple[Concept, ...]:
    """Return what would be trained if ``folder`` were the root; nothing if it cannot be read."""
    try:
        return build_index(folder, plain_repeats=1).concepts
    except DatasetError:
        return ()


def _name(folder: Path) -> str:
    # "." and ".." say nothing; a link's own name does, so others are not resolved.
    return folder.name if folder.name not in ("", "..") else folder.resolve().name


def _concept(folder: Path, repeats: int, class_tokens: str, paths: Iterable[Path]) -> Concept:
    pictures = tuple(Picture(path, repeats, class_tokens) for path in paths)
    return Concept(folder, _name(folder), repeats, class_tokens, pictures)
