"""Metadata files of fine-tuning: captions and tags of many pictures in one JSON file.

Written by the preparation scripts of sd-scripts: ``{"<picture>": {"caption": ..., "tags": ...}}``,
or a line of JSON for each picture with its ``image_path``. Sizes that stand there are not used:
the pictures are asked themselves.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer_core.dataset.listing import is_picture_name, list_folder
from trainer_core.errors import DatasetError
from trainer_core.files.presence import is_file
from trainer_core.files.reading import read_limited
from trainer_core.texts import T, text

_MAX_BYTES = 2**29


@dataclass(frozen=True, slots=True)
class Described:
    """What a metadata file says of a picture."""

    caption: str
    tags: str

    def joined(self, separator: str, *, has_lines: bool) -> str:
        """Return caption and tags as one caption. Source: methods.md 3.1.

        Args:
            separator: Stands between them.
            has_lines: Whether every line of the caption is used, as with wildcards: each gets
                the tags then.
        """
        lines = [line for line in self.caption.split("\n") if line.strip()] if has_lines else []
        tags = self.tags.replace("\n", separator) if lines else self.tags
        each = lines or [self.caption]
        return "\n".join(separator.join(filter(None, (line, tags))) for line in each)


@dataclass(frozen=True, slots=True)
class MetadataPictures:
    """The pictures that a metadata file names.

    Attributes:
        pictures: With what is said of each, in the order of the file.
        unfound: Names to which there is no picture.
        unnamed: Pictures directly in the folder that it does not name.
    """

    pictures: Mapping[Path, Described]
    unfound: tuple[str, ...]
    unnamed: tuple[Path, ...]


def read_metadata(file: Path, folder: Path | None) -> MetadataPictures:
    """Read a metadata file and look for its pictures.

    Args:
        file: JSON, or a line of JSON for each picture.
        folder: Where pictures lie that are named without a folder; None: beside the file.

    Raises:
        DatasetError: It cannot be read, or is something else; or the folder cannot be read.
    """
    base = file.parent if folder is None else folder
    stems: dict[Path, dict[str, Path]] = {}
    pictures: dict[Path, Described] = {}
    unfound: list[str] = []
    for name, described in _entries(file, _content(file)):
        path = _picture(name, base, stems)
        if path is None:
            unfound.append(name)
        else:
            pictures[path] = described
    here = () if folder is None else list_folder(folder).pictures
    unnamed = tuple(path for path in here if path not in pictures)
    return MetadataPictures(pictures, tuple(unfound), unnamed)


def _picture(name: str, base: Path, stems: dict[Path, dict[str, Path]]) -> Path | None:
    """Return the picture that a name means: a path, or the path without its extension."""
    if not _can_be_a_name(name):
        return None
    path = base / name.replace("\\", "/")
    if is_picture_name(path.name) and is_file(path):
        return path
    if path.parent not in stems:
        try:
            found = list_folder(path.parent).pictures
        except DatasetError:
            if path.parent == base:
                raise
            found = ()
        stems[path.parent] = {picture.stem: picture for picture in reversed(found)}
    return stems[path.parent].get(path.name)


def _can_be_a_name(name: str) -> bool:
    try:
        return b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:  # halves of characters
        return False


def _content(file: Path) -> str:
    try:
        return read_limited(file, _MAX_BYTES).decode("utf-8-sig")
    except OSError as error:
        reason: object = error.strerror or error
        raise _error(file, reason) from error
    except UnicodeDecodeError as error:
        raise _error(file, T("Errors", "it is not UTF-8 text")) from error


def _entries(file: Path, content: str) -> Iterator[tuple[str, Described]]:
    if file.suffix.lower() == ".jsonl":
        for number, line in enumerate(content.splitlines(), start=1):
            if line.strip():
                values = _parsed(file, line, number)
                yield _name_of(file, number, values), _described(file, number, values)
        return
    whole = _parsed(file, content, None)
    for name, values in whole.items():
        yield name, _described(file, name, values)


def _parsed(file: Path, content: str, line: int | None) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        place = getattr(error, "lineno", 1) if line is None else line
        reason = text(T("Errors", "line {line} is not valid JSON"), line=place)
        raise _error(file, str(reason)) from error
    if not isinstance(found, Mapping):
        raise _error(file, T("Errors", "it does not name pictures"))
    return found


def _name_of(file: Path, number: int, values: Mapping[str, Any]) -> str:
    name = values.get("image_path")
    if not isinstance(name, str) or not name:
        reason = text(T("Errors", "line {line} has no image_path"), line=number)
        raise _error(file, str(reason))
    return name


def _described(file: Path, name: object, values: object) -> Described:
    words = values if isinstance(values, Mapping) else {"caption": 0}
    caption, tags = (words.get(key) or "" for key in ("caption", "tags"))
    if isinstance(tags, Sequence) and all(isinstance(each, str) for each in tags):
        tags = tags if isinstance(tags, str) else ", ".join(tags)
    if not isinstance(values, Mapping) or not isinstance(caption, str) or not isinstance(tags, str):
        reason = text(T("Errors", "what it says of {name} is no caption"), name=name)
        raise _error(file, str(reason))
    return Described(caption.strip(), tags.strip())


def _error(file: Path, reason: object) -> DatasetError:
    return DatasetError(
        T("Errors", "The metadata file {path} cannot be used: {reason}."),
        T("Errors", "Choose a JSON or JSONL file of captions, as sd-scripts prepares them."),
        path=file,
        reason=reason,
    )
