"""What a picture folder holds: concepts with their repeats and pictures, and what is left out."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from trainer_core.dataset.pictures import FORMAT_OF_EXTENSION
from trainer_core.errors import DatasetError
from trainer_core.texts import T

# Pictures to people, but of kinds that are not trained; named so that nobody misses them.
_OTHER_PICTURES = frozenset(
    {".avif", ".gif", ".heic", ".heif", ".jfif", ".jxl", ".psd", ".tga", ".tif", ".tiff"}
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture file, how often an epoch shows it, and the words where it has no caption."""

    path: Path
    repeats: int
    class_tokens: str


@dataclass(frozen=True, slots=True)
class Concept:
    """The pictures of one folder."""

    folder: Path
    name: str
    repeats: int
    class_tokens: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class DatasetIndex:
    """A picture folder: its concepts, each with a picture at least, and what is not trained.

    Attributes:
        root: The folder that was asked for.
        concepts: Pictures directly in the root first, then the sub-folders by name.
        ignored_folders: Sub-folders that are not searched for pictures.
        ignored_files: Pictures of kinds that are not trained.
    """

    root: Path
    concepts: tuple[Concept, ...]
    ignored_folders: tuple[Path, ...] = ()
    ignored_files: tuple[Path, ...] = ()

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture once, in the order of the concepts."""
        return tuple(picture for concept in self.concepts for picture in concept.pictures)

    def without(self, paths: Collection[Path]) -> DatasetIndex:
        """Return the index without some pictures (to plan with what can be read)."""
        concepts = (
            replace(c, pictures=tuple(p for p in c.pictures if p.path not in paths))
            for c in self.concepts
        )
        return replace(self, concepts=tuple(c for c in concepts if c.pictures))


@dataclass(frozen=True, slots=True)
class _Listing:
    """The entries of one folder, sorted by code points; names that begin with "." left out."""

    pictures: tuple[Path, ...]
    other_pictures: tuple[Path, ...]
    folders: tuple[Path, ...]


def build_index(root: Path, *, plain_repeats: int) -> DatasetIndex:
    """List the pictures of a folder and of its ``<repeats>_<concept>`` sub-folders.

    Args:
        root: A folder of such sub-folders, of pictures, or of both. Named
            ``<repeats>_<concept>`` itself, it gives its own pictures repeats and words.
        plain_repeats: Repeats of pictures that lie directly in any other root.

    Raises:
        DatasetError: A folder is missing, is no folder, or cannot be read; or a name in it is not
            valid text.
    """
    top = _list_folder(root)
    repeats, class_tokens = parse_folder_name(_name(root)) or (plain_repeats, "")
    concepts = [_concept(root, repeats, class_tokens, top)]
    ignored_folders: list[Path] = []
    ignored_files = list(top.other_pictures)
    for folder in top.folders:
        named = parse_folder_name(folder.name)
        listing = _list_folder(folder) if named else None
        if named is None or listing is None or not listing.pictures:
            ignored_folders.append(folder)
        else:
            concepts.append(_concept(folder, *named, listing))
        if listing is not None:
            ignored_folders += listing.folders
            ignored_files += listing.other_pictures
    return DatasetIndex(
        root, tuple(c for c in concepts if c.pictures), tuple(ignored_folders), tuple(ignored_files)
    )


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


def _concept(folder: Path, repeats: int, class_tokens: str, listing: _Listing) -> Concept:
    pictures = tuple(Picture(path, repeats, class_tokens) for path in listing.pictures)
    return Concept(folder, _name(folder), repeats, class_tokens, pictures)


def _list_folder(folder: Path) -> _Listing:
    try:
        with os.scandir(folder) as entries:
            found = [(folder / entry.name, _kind(entry)) for entry in entries]
    except OSError as error:
        raise _unreadable(folder, error) from error
    kinds: dict[str, list[Path]] = {"picture": [], "other": [], "folder": []}
    for path, kind in found:
        if kind is not None:
            _check_name(path)
            kinds[kind].append(path)
    return _Listing(*(_sorted(paths) for paths in kinds.values()))


def _kind(entry: os.DirEntry[str]) -> str | None:
    """Tell what an entry of a folder is here: a picture, one of another kind, a folder, nothing."""
    if entry.name.startswith("."):
        return None
    if entry.is_dir():
        return "folder"
    if not entry.is_file() and not entry.is_symlink():
        return None  # a pipe or socket: opening it would wait for ever
    extension = Path(entry.name).suffix.lower()
    if extension in FORMAT_OF_EXTENSION:
        return "picture"
    return "other" if extension in _OTHER_PICTURES else None


def _sorted(paths: list[Path]) -> tuple[Path, ...]:
    return tuple(sorted(paths, key=lambda path: path.name))


def _check_name(path: Path) -> None:
    """Refuse names that are not valid text: no event, log or metadata could carry them."""
    try:
        path.name.encode()
    except UnicodeEncodeError as error:
        raise DatasetError(
            T("Errors", "The name of {path} is not valid text (perhaps unpacked from an archive)."),
            T("Errors", "Rename it."),
            path=os.fsencode(path).decode(errors="replace"),
        ) from error


def _unreadable(folder: Path, error: OSError) -> DatasetError:
    if isinstance(error, FileNotFoundError):
        message = T("Errors", "The picture folder {path} does not exist.")
    elif isinstance(error, NotADirectoryError):
        message = T("Errors", "{path} is a file, not a picture folder.")
    else:
        message = T("Errors", "The picture folder {path} cannot be read: {reason}")
    hint = T("Errors", "Choose a folder of pictures that may be read.")
    return DatasetError(message, hint, path=folder, reason=error.strerror or error)
