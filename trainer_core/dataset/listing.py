"""What lies in one folder: pictures, pictures of other kinds, and folders, sorted by name."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from trainer_core.dataset.file_ends import kind_of
from trainer_core.errors import DatasetError
from trainer_core.files.presence import is_there
from trainer_core.settings.picture_kinds import FORMAT_OF_EXTENSION
from trainer_core.texts import T

# Pictures to people, but of kinds that are not trained; named so that nobody misses them.
_OTHER_PICTURES = frozenset(
    {
        *(".dib", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".psd", ".svg", ".tga"),
        # Raw formats of cameras.
        *(".arw", ".cr2", ".cr3", ".crw", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf"),
        *(".raw", ".rw2", ".srw"),
    }
)

# Of these nobody needs to look whether they are pictures.
_NO_PICTURES = frozenset(
    {
        *(".txt", ".caption", ".json", ".toml", ".yaml", ".yml", ".csv", ".md", ".npz", ".npy"),
        *(".safetensors", ".pt", ".ckpt", ".db", ".ini", ".log", ".html", ".py", ".zip"),
        *(".mp4", ".mov", ".webm", ".mkv"),
    }
)

_NUMBER = re.compile(r"(\d+)")

# Is told of a file or folder before it is looked at, by which a look that hangs is known.
Reading = Callable[[Path], object]


@functools.lru_cache(maxsize=2**15)
def natural_key(name: str) -> tuple[tuple[str | int, ...], str]:
    """Return what sorts names as people do: p1, p2, p10; capitals do not matter."""
    # Texts and numbers take turns, so that a text never meets a number.
    parts = _NUMBER.split(name.casefold())
    return tuple(int(part) if n % 2 else part for n, part in enumerate(parts)), name


def read_by_nobody(_path: Path) -> None:
    """Stand in for somebody who wants to know what is read."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The entries of one folder, sorted by code points; names that begin with "." left out."""

    pictures: tuple[Path, ...]
    other_pictures: tuple[Path, ...]
    folders: tuple[Path, ...]


def list_folder(folder: Path) -> Listing:
    """Return what lies in a folder.

    Raises:
        DatasetError: It is missing, is no folder, or cannot be read; or a name in it is not
            valid text.
    """
    try:
        with os.scandir(folder) as entries:
            found = [(folder / entry.name, _kind(entry)) for entry in entries]
    except OSError as error:
        raise _unreadable(folder, error) from error
    kinds: dict[str, list[Path]] = {"picture": [], "other": [], "folder": []}
    for path, kind in found:
        if kind is not None:
            check_name(path)
            kinds[kind].append(path)
    return Listing(*(sorted_by_name(paths) for paths in kinds.values()))


def is_picture_name(name: str) -> bool:
    """Tell whether a file of this name is a picture of a kind that is trained."""
    return Path(name).suffix.lower() in FORMAT_OF_EXTENSION


def _kind(entry: os.DirEntry[str]) -> str | None:
    """Tell what an entry of a folder is here: a picture, one of another kind, a folder, nothing."""
    if entry.name.startswith("."):
        return None
    if entry.is_dir():
        return "folder"
    if not entry.is_file() and not (entry.is_symlink() and not is_there(Path(entry.path))):
        return None  # a pipe or socket, or a link to one: opening it would wait for ever
    if is_picture_name(entry.name):
        return "picture"
    return "other" if _is_other_picture(Path(entry.path)) else None


def _is_other_picture(file: Path) -> bool:
    """Tell a picture of another kind: by its ending, and if that says nothing by its content."""
    ending = file.suffix.lower()
    return ending in _OTHER_PICTURES or (ending not in _NO_PICTURES and kind_of(file) is not None)


def sorted_by_name(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return paths sorted by the code points of their names."""
    return tuple(sorted(paths, key=lambda path: path.name))


def check_name(path: Path) -> None:
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
