"""What is wrong with the captions of a place, read once for all that asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from trainer_core.dataset.caption_audit.side_files import SideFiles, is_plain
from trainer_core.dataset.caption_audit.words import word_findings
from trainer_core.dataset.captions import (
    AUTO,
    KNOWN_EXTENSIONS,
    caption_lines,
    caption_of_lines,
    caption_path,
    has_captions,
    resolve_extension,
)
from trainer_core.dataset.findings import Finding
from trainer_core.dataset.index import Concept, DatasetIndex, Picture, Root
from trainer_core.dataset.listing import Reading
from trainer_core.dataset.subsets import CaptionRules, SampleKey
from trainer_core.errors import DatasetError
from trainer_core.settings.problems import Severity
from trainer_core.texts import T, text


def captions_of_root(
    root: Root,
    rules: CaptionRules,
    captions: dict[SampleKey, str],
    extensions: dict[SampleKey, str],
    reading: Reading,
    beside: Sequence[Picture] = (),
) -> Iterator[Finding]:
    """Fill both for one place; each has the kind of caption files that lie in it.

    ``beside``: pictures of the same folders that are looked at elsewhere, as held-out ones are.
    """
    if root.metadata is not None:
        yield from _described_captions(root, root.metadata, captions, rules)
        return
    try:
        extension = resolve_extension(DatasetIndex((root,)), rules.caption_extension)
    except DatasetError as error:
        yield Finding.of(root.path, error)
        return
    folders = {concept.folder for concept in root.concepts}
    near = [picture for picture in beside if picture.path.parent in folders]
    if rules.caption_extension == AUTO and not has_captions(root.pictures, extension):
        extension = next((e for e in KNOWN_EXTENSIONS if has_captions(near, e)), extension)
    for concept in root.concepts:
        extensions[SampleKey(root.subset, concept.folder)] = extension
        side_files = SideFiles.of(concept.folder)
        yield from _caption_findings(concept, extension, side_files, captions, rules, reading, near)
        if root.is_whole:
            yield from _lost_captions(concept, extension, side_files)


def _described_captions(
    root: Root, file: Path, captions: dict[SampleKey, str], rules: CaptionRules
) -> Iterator[Finding]:
    """Fill ``captions`` with what a metadata file says."""
    for picture in root.pictures:
        words = ""
        if picture.described is not None:
            words = picture.described.joined(
                rules.caption_separator, has_lines=rules.enable_wildcard
            )
        captions[picture.key] = words or picture.class_tokens
        if not words:
            message = text(
                T("Problems", "{file} has no words for {path}."), file=file.name, path=picture.path
            )
            yield Finding(picture.path, Severity.WARNING, message)
        yield from word_findings(picture.path, words, rules)


def _caption_findings(
    concept: Concept,
    extension: str,
    side_files: SideFiles,
    captions: dict[SampleKey, str],
    rules: CaptionRules,
    reading: Reading,
    near: Sequence[Picture],
) -> Iterator[Finding]:
    """Fill ``captions`` and tell what is wrong with them."""
    without: list[Path] = []
    for picture in concept.pictures:
        reading(picture.path)
        file = caption_path(picture.path, extension)
        if file is None:
            without.append(picture.path)
            captions[picture.key] = picture.class_tokens
            continue
        try:
            lines = caption_lines(file)
        except DatasetError as error:
            yield Finding.of(picture.path, error)
            continue
        caption = caption_of_lines(lines, has_lines=rules.enable_wildcard)
        captions[picture.key] = caption
        if not rules.enable_wildcard:
            yield from _line_findings(picture.path, file, lines)
        yield from word_findings(picture.path, caption, rules)
    others = (picture for picture in near if picture.path.parent == concept.folder)
    if len(without) == len(concept.pictures) and not has_captions(others, extension):
        yield _uncaptioned(concept, extension, side_files)
    else:
        yield from (_without_caption(path, concept, extension, side_files) for path in without)
    if without:
        yield from word_findings(concept.folder, concept.class_tokens, rules)


def _without_caption(
    path: Path, concept: Concept, extension: str, side_files: SideFiles
) -> Finding:
    template = T("Problems", "{path} has no caption file; it is trained without words.")
    if concept.class_tokens.strip():
        template = T("Problems", "{path} has no caption file; it is trained as “{words}”.")
    message = text(template, path=path, words=concept.class_tokens)
    name = path.stem + extension
    hint = text(T("Problems", "Write {name}."), name=name)
    found = side_files.ending_of(path)
    if found:
        template = T("Problems", "{found} is not read. Put the caption into {name}.")
        hint = text(template, found=path.stem + found, name=name)
    return Finding(path, Severity.WARNING, message, hint)


def _lost_captions(concept: Concept, extension: str, side_files: SideFiles) -> Iterator[Finding]:
    """Name caption files of which the picture is missing, once for a folder."""
    lost = side_files.without_picture({extension, *KNOWN_EXTENSIONS})
    if not lost:
        return
    template = T("Problems", "{path} has no picture and is not used.")
    if len(lost) > 1:
        template = T("Problems", "{count} caption files have no picture, such as {path}.")
    message = text(template, path=concept.folder / lost[0], count=len(lost))
    hint = text(T("Problems", "Put the picture beside it, or remove the file."))
    yield Finding(concept.folder, Severity.WARNING, message, hint)


def _line_findings(picture: Path, file: Path, lines: list[str]) -> Iterator[Finding]:
    first, *others = lines
    if not first:
        message = text(T("Problems", "{path} begins with an empty line."), path=file)
        hint = text(T("Problems", "Only the first line is used: begin with the caption."))
        yield Finding(picture, Severity.WARNING, message, hint)
    elif any(others):
        message = text(
            T("Problems", "{path} has several lines; only the first is used."), path=file
        )
        hint = text(T("Problems", "Put the caption on one line, or turn on wildcards."))
        yield Finding(picture, Severity.NOTICE, message, hint)


def _uncaptioned(concept: Concept, extension: str, side_files: SideFiles) -> Finding:
    """Tell what the pictures of a folder without captions are trained with, and why."""
    facts = {"path": concept.folder, "extension": extension, "words": concept.class_tokens}
    other = next((e for e in KNOWN_EXTENSIONS if has_captions(concept.pictures, e)), None)
    other = other or side_files.usual_ending(picture.path for picture in concept.pictures)
    if other is not None:
        template = T("Problems", "The captions in {path} end in {other}, not in {extension}.")
        hint = text(T("Problems", "Choose {other} as caption extension to use them."), other=other)
        if not is_plain(other):
            template = T(
                "Problems", "Files beside the pictures in {path} end in {other}; they are not read."
            )
            hint = text(
                T(
                    "Problems",
                    "Captions are plain text: write them into files ending in {extension}.",
                ),
                **facts,
            )
        return Finding(concept.folder, Severity.WARNING, text(template, other=other, **facts), hint)
    if concept.class_tokens.strip():
        template = T("Problems", "{path} has no captions; every picture is trained as “{words}”.")
        return Finding(concept.folder, Severity.NOTICE, text(template, **facts))
    template = T("Problems", "{path} has no captions; its pictures are trained without words.")
    hint = text(
        T("Problems", "Write captions ({extension}), or name the folder 1_<words>."), **facts
    )
    return Finding(concept.folder, Severity.WARNING, text(template, **facts), hint)
