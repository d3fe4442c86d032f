"""Captions: which file belongs to a picture, its text, its tags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath

from trainer_core.dataset.index import DatasetIndex, Picture
from trainer_core.dataset.subsets import SampleKey
from trainer_core.errors import CaptionEncodingError, DatasetError
from trainer_core.files.plain_text import find_control, lines_of
from trainer_core.files.presence import is_file
from trainer_core.files.reading import read_limited
from trainer_core.texts import T

AUTO = "auto"
DEFAULT_EXTENSION = ".caption"
KNOWN_EXTENSIONS = (DEFAULT_EXTENSION, ".txt")

MAX_CAPTION_BYTES = 2**20
"""A longer file is no caption: it is not read to its end."""

_FACE_PARTS = 4
"""sd-scripts' face cropping appends ``_<x>_<y>_<width>_<height>`` to a picture's name."""


def resolve_extension(index: DatasetIndex, wanted: str) -> str:
    """Return the extension of the caption files, with its dot.

    Args:
        index: The pictures.
        wanted: An extension with or without dot; empty means ``.caption``. ``auto`` means the one
            found beside the pictures, ``.caption`` if there is none.

    Raises:
        DatasetError: ``auto``, and both kinds lie beside the pictures.
    """
    if wanted != AUTO:
        return "." + wanted.lstrip(".") if wanted else DEFAULT_EXTENSION
    found = [e for e in KNOWN_EXTENSIONS if has_captions(index.pictures, e)]
    if len(found) > 1:
        raise DatasetError(
            T("Errors", "The pictures in {path} have captions of two kinds, {first} and {second}."),
            T("Errors", "Choose one as caption extension, or remove the files of the other."),
            setting="captions.caption_extension",
            path=index.root,
            first=found[0],
            second=found[1],
        )
    return found[0] if found else DEFAULT_EXTENSION


def has_captions(pictures: Iterable[Picture], extension: str) -> bool:
    """Tell whether any of the pictures has a caption file with this extension."""
    return any(caption_path(picture.path, extension) for picture in pictures)


def caption_path(picture: Path, extension: str) -> Path | None:
    """Return the caption file of a picture: of its name, else of its name before face cropping."""
    files = (picture.parent / (stem + extension) for stem in caption_stems(picture))
    return next((file for file in files if is_file(file)), None)


def caption_stems(picture: PurePath) -> list[str]:
    """Return what a picture's caption file may be called, without its extension."""
    stems = [picture.stem]
    parts = picture.stem.split("_")
    if len(parts) > _FACE_PARTS:
        stems.append("_".join(parts[:-_FACE_PARTS]))
    return stems


def read_caption(picture: Picture, extension: str, *, has_lines: bool = False) -> str:
    """Return the caption of the picture's file, its class tokens if there is none.

    Args:
        picture: The picture.
        extension: Of its caption file, with the dot.
        has_lines: Whether all lines are used, as with wildcards; else the first one is.

    Raises:
        DatasetError: The file cannot be read, is empty, is not UTF-8, or is no text.
    """
    file = caption_path(picture.path, extension)
    if file is None:
        return picture.class_tokens
    return caption_of_lines(caption_lines(file), has_lines=has_lines)


def caption_of_lines(lines: Sequence[str], *, has_lines: bool) -> str:
    """Return what is used of the lines of a caption file: the first, or all that have text."""
    return "\n".join(line for line in lines if line) if has_lines else lines[0]


def caption_lines(file: Path) -> list[str]:
    """Return the lines of a caption file, stripped; at least one of them has text.

    Raises:
        DatasetError: The file cannot be read, is empty, is not UTF-8, or is no text.
    """
    content = _decoded(file)
    _refuse_control(file, content)
    lines = [line.strip() for line in lines_of(content)]
    if not any(lines):
        raise DatasetError(
            T("Errors", "The caption file {path} is empty."),
            T("Errors", "Write a caption, or remove the file to train with the folder's words."),
            path=file,
        )
    return lines


def count_tags(caption: str) -> Counter[str]:
    """Return how often each tag occurs, in lower case."""
    tags = (tag.strip().lower() for tag in caption.split(","))
    return Counter(tag for tag in tags if tag)


def tag_frequency(
    index: DatasetIndex, captions: Mapping[SampleKey, str]
) -> dict[str, dict[str, int]]:
    """Return the tags of each folder (``ss_tag_frequency``).

    Each picture counts once, whatever its repeats; one without an entry in ``captions`` does not.
    """
    frequency: dict[str, Counter[str]] = {}
    for concept in index.concepts:
        tags = frequency.setdefault(concept.name, Counter())
        for picture in concept.pictures:
            tags.update(count_tags(captions.get(picture.key, "")))
    return {name: dict(tags) for name, tags in frequency.items()}


def _decoded(file: Path) -> str:
    try:
        data = read_limited(file, MAX_CAPTION_BYTES)
        return data.decode("utf-8").removeprefix("\ufeff")
    except OSError as error:
        raise DatasetError(
            T("Errors", "The caption file {path} cannot be read: {reason}"),
            T("Errors", "Make it readable, or remove it."),
            path=file,
            reason=error.strerror or error,
        ) from error
    except UnicodeDecodeError as error:
        raise CaptionEncodingError(
            T("Errors", "The caption file {path} is not UTF-8: line {line}, byte {byte}."),
            T("Errors", "Open it in a text editor and save it with the encoding UTF-8."),
            path=file,
            line=data.count(b"\n", 0, error.start) + 1,
            byte=error.start + 1,
        ) from error


def _refuse_control(file: Path, content: str) -> None:
    found = find_control(content)
    if found is None:
        return
    if found.is_null:  # all of it after a power cut; every other byte of UTF-16
        # Of nothing but zeros there is nothing to convert.
        kind = CaptionEncodingError if content.strip("\0") else DatasetError
        raise kind(
            T("Errors", "The caption file {path} holds null bytes: it is no UTF-8 text."),
            T("Errors", "Write the caption again, and save it with the encoding UTF-8."),
            path=file,
        )
    raise DatasetError(
        T("Errors", "Line {line} of the caption file {path} holds a control character ({code})."),
        T("Errors", "Remove the character, or write the caption again."),
        path=file,
        line=found.line,
        code=found.code,
    )
