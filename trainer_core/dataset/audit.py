"""The audit of a picture folder: what is wrong with it, and the way out, before the first step."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trainer_core.dataset.augmentation.audit import face_findings
from trainer_core.dataset.buckets import MAX_CUT, Placement, is_sliver, too_thin
from trainer_core.dataset.caption_audit.captions import captions_of_root
from trainer_core.dataset.file_ends import kind_of
from trainer_core.dataset.findings import Finding
from trainer_core.dataset.index import (
    Concept,
    DatasetIndex,
    Picture,
    Root,
    concepts_in,
    parse_folder_name,
)
from trainer_core.dataset.listing import Reading, read_by_nobody
from trainer_core.dataset.masks.audit import mask_findings
from trainer_core.dataset.masks.folder import Mask
from trainer_core.dataset.pictures import (
    PictureHeader,
    Size,
    is_transparent,
    load_picture,
    read_header,
)
from trainer_core.dataset.subsets import SampleKey, SettingsBySubset
from trainer_core.errors import DatasetError
from trainer_core.settings.picture_kinds import FORMAT_OF_EXTENSION
from trainer_core.settings.problems import Severity
from trainer_core.settings.rules.dataset import MANY_REPEATS
from trainer_core.texts import T, Text, text

MAX_REPEATS = 1_000_000
"""The bound of the setting; a folder above it is more likely named by a date."""

SMALL_SHARE = 0.25
"""Pictures with less than this share of the resolution's area are called small."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found, and what it read on the way.

    Attributes:
        findings: The run must not start with an error among them.
        headers: Of every picture file that could be read.
        captions: Of every picture whose caption could be read.
        unusable: Pictures that cannot be planned with: unreadable, or too thin for a bucket.
        extensions: Of the caption files, with their dots, by subset and folder of the concept;
            none for a folder where there are two kinds to choose from.
        masks: The mask of every picture that has one in a folder.
        skipped: Pictures that are too small to be trained, as ``skip_image_resolution`` has it.
    """

    findings: tuple[Finding, ...]
    headers: Mapping[Path, PictureHeader] = field(repr=False)
    captions: Mapping[SampleKey, str] = field(repr=False)
    unusable: frozenset[SampleKey]
    extensions: Mapping[SampleKey, str] = field(default_factory=dict, repr=False)
    masks: Mapping[SampleKey, Mask] = field(default_factory=dict, repr=False)
    skipped: frozenset[SampleKey] = frozenset()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that make a run refuse."""
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)

    @property
    def sizes(self) -> dict[Path, Size]:
        """The upright size of every picture file that could be read."""
        return {path: header.size for path, header in self.headers.items()}


def quick_audit(
    index: DatasetIndex,
    settings: SettingsBySubset,
    reading: Reading = read_by_nobody,
    beside: Sequence[Picture] = (),
) -> Audit:
    """Check folders, headers and captions without decoding a picture.

    A file that stands in several subsets is read once, and what is wrong with it told once.

    Args:
        index: What is on disk.
        settings: Whose rules and caption files are those of each subset.
        reading: Told of every picture before its header and its caption are read.
        beside: Pictures of the run that are audited elsewhere; files may belong to them.
    """
    findings = [*_folder_findings(index), *_shared_captions(index)]
    headers: dict[Path, PictureHeader | DatasetError] = {}
    unusable: set[SampleKey] = set()
    skipped: set[SampleKey] = set()
    for picture in index.pictures:
        if picture.path not in headers:
            reading(picture.path)
            headers[picture.path] = _header(picture.path)
        header = headers[picture.path]
        if isinstance(header, DatasetError):
            findings.append(Finding.of(picture.path, header))
            unusable.add(picture.key)
            continue
        if settings[picture.subset].pictures.skips(header.size):
            skipped.add(picture.key)
            continue
        findings += _header_findings(picture.path, header)
        rules = settings[picture.subset].rules
        placement = rules.place(header.size)
        if placement is None:
            findings.append(Finding.of(picture.path, too_thin(picture.path, header.size)))
            unusable.add(picture.key)
        elif is_sliver(placement):
            findings.append(_sliver(picture.path, header.size, placement))
        elif math.prod(header.size) < SMALL_SHARE * math.prod(rules.resolution):
            findings.append(_small(picture.path, header.size, placement))
    index = index.without(skipped)
    captions: dict[SampleKey, str] = {}
    extensions: dict[SampleKey, str] = {}
    for root in index.roots:
        caption_rules = settings[root.subset].captions
        findings += captions_of_root(root, caption_rules, captions, extensions, reading, beside)
    read = {path: found for path, found in headers.items() if isinstance(found, PictureHeader)}
    masks: dict[SampleKey, Mask] = {}
    findings += mask_findings(index, settings, read, masks, reading, beside)
    findings += face_findings(index, settings)
    return Audit(
        findings=_each_once(findings),
        headers=read,
        captions=captions,
        unusable=frozenset(unusable),
        extensions=extensions,
        masks=masks,
        skipped=frozenset(skipped),
    )


def _each_once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    once: dict[tuple[Path, str], Finding] = {}
    for finding in findings:
        once.setdefault((finding.path, str(finding.message)), finding)
    return tuple(once.values())


def _header(path: Path) -> PictureHeader | DatasetError:
    try:
        return read_header(path)
    except DatasetError as error:
        return error


def decode_fully(path: Path, *, alpha_mask: bool = False) -> Finding | None:
    """Decode a picture whole, which alone proves it sound; takes some 10 to 100 ms.

    ``alpha_mask``: its transparency is its mask, and so wanted.
    """
    try:
        image = load_picture(path)
    except DatasetError as error:
        return Finding.of(path, error)
    if not alpha_mask and is_transparent(image):
        return Finding(
            path,
            Severity.WARNING,
            text(T("Problems", "{path} has transparent parts; they become white."), path=path),
            text(T("Problems", "Put the picture on the background that is to be learnt.")),
        )
    return None


def _folder_findings(index: DatasetIndex) -> Iterator[Finding]:
    # One empty place among others is odd, but leaves something to train.
    when_empty = Severity.WARNING if index.concepts else Severity.ERROR
    for root in index.roots:
        # A subset is named for its own sake; its pictures may be held out all the same.
        is_error = root.subset and root.is_empty
        yield from _root_findings(root, Severity.ERROR if is_error else when_empty)


def _root_findings(root: Root, when_empty: Severity) -> Iterator[Finding]:
    for folder in root.ignored_folders:
        yield _ignored_folder(folder, root)
    yield from map(_ignored_file, root.ignored_files)
    if root.unfound:
        yield _unfound(root)
    if root.unnamed:
        template = T(
            "Problems",
            "{count} [count:picture|pictures] of {folder} [count:is|are] not in {file} and not "
            "used, such as {name}.",
        )
        first, count = root.unnamed[0], len(root.unnamed)
        facts = {"folder": first.parent, "file": root.metadata, "name": first.name}
        yield Finding(first.parent, Severity.WARNING, text(template, count=count, **facts))
    for concept in root.concepts:
        if concept.repeats > MANY_REPEATS:
            yield _many_repeats(concept)
    if root.repeated:
        yield _repeated(root)
    elif not root.concepts and root.failure is None:
        yield _nothing_to_train(root, when_empty)
    if root.is_whole and len(root.concepts) > 1 and root.concepts[0].folder == root.path:
        template = T(
            "Problems",
            "{path} holds {count} [count:picture|pictures] beside its folders; "
            "[count:it is used too|all are used].",
        )
        message = text(template, path=root.path, count=len(root.concepts[0].pictures))
        hint = text(T("Problems", "Move them away if they are not to be trained."))
        yield Finding(root.path, Severity.WARNING, message, hint)


def _unfound(root: Root) -> Finding:
    """Name what a metadata file tells of pictures that are not there."""
    template = T(
        "Problems", "{path} names {count} [count:picture|pictures] not found, such as {name}."
    )
    message = text(template, path=root.metadata, count=len(root.unfound), name=root.unfound[0])
    hint = text(T("Problems", "Choose the folder that its pictures lie in."))
    return Finding(root.metadata or root.path, Severity.WARNING, message, hint)


def _ignored_file(file: Path) -> Finding:
    """Name a picture that is not trained, by its ending; the content tells the way out."""
    message = text(T("Problems", "{path} is not used: its kind is not trained."), path=file)
    hint = text(T("Problems", "Save it as PNG, JPEG, WebP or BMP to train it."))
    # Raw formats of cameras are TIFF too; renamed, they would be read as their small preview.
    found = None if (kind := kind_of(file)) == "TIFF" else kind
    endings = [e for e, trained in FORMAT_OF_EXTENSION.items() if trained == found]
    if endings:
        message = text(T("Problems", "{path} is not used: its ending is not known."), path=file)
        hint = text(T("Problems", "Rename it to {name} to train it."), name=file.stem + endings[0])
    return Finding(file, Severity.WARNING, message, hint)


def _many_repeats(concept: Concept) -> Finding:
    template = T("Problems", "{path} asks for {repeats} [repeats:repeat|repeats] of every picture.")
    message = text(template, path=concept.folder, repeats=concept.repeats)
    if concept.repeats > MAX_REPEATS:
        hint = text(T("Problems", "Begin the folder's name with 1 to {limit}."), limit=MAX_REPEATS)
        return Finding(concept.folder, Severity.ERROR, message, hint)
    hint = text(
        T("Problems", "Is the number meant so? More epochs do the same with fewer repeats.")
    )
    return Finding(concept.folder, Severity.WARNING, message, hint)


def _nothing_to_train(root: Root, severity: Severity) -> Finding:
    if root.is_held_out:
        template = T("Problems", "All pictures in {path} are held out for validation.")
        hint = text(T("Problems", "Hold out fewer, or choose other pictures for validation."))
        return Finding(root.path, severity, text(template, path=root.path), hint)
    return (_all_left_out if root.left_out else _empty)(root.path, severity)


def _empty(folder: Path, severity: Severity) -> Finding:
    message = text(T("Problems", "There are no pictures in {path}."), path=folder)
    template = T("Problems", "Choose a folder of pictures, or of folders like {name}.")
    return Finding(folder, severity, message, text(template, name="10_cat"))


def _all_left_out(folder: Path, severity: Severity) -> Finding:
    message = text(T("Problems", "All pictures in {path} are left out of this run."), path=folder)
    return Finding(folder, severity, message, text(T("Problems", "Put some of them back.")))


def _repeated(root: Root) -> Finding:
    """Name what several entries lead to: it is trained once, with the first one's repeats."""
    first, *others = root.repeated
    hint = text(T("Problems", "Remove one of the entries. More repeats show a picture more often."))
    if others:
        template = T(
            "Problems",
            "{count} [count:picture|pictures] of {path} [count:is|are] listed twice; "
            "[count:it counts|they count] once.",
        )
        message = text(template, count=len(root.repeated), path=root.path)
    else:
        message = text(T("Problems", "{path} is listed twice; it counts once."), path=first)
    return Finding(first if not others else root.path, Severity.WARNING, message, hint)


def _ignored_folder(folder: Path, root: Root) -> Finding:
    hint: Text | None = None
    found = concepts_in(folder)
    if root.is_one_concept:
        message = T(
            "Problems",
            "{path} is not used: with repeats or a class prompt of its own, a subset takes the "
            "pictures directly in its folder only.",
        )
    elif folder.parent != root.path:
        message = T("Problems", "{path} is not used: folders inside a concept are not searched.")
        hint = text(T("Problems", "Move it, or its pictures, one level up to train them."))
    elif parse_folder_name(folder.name):
        message = T("Problems", "{path} is not used: no pictures lie directly in it.")
    else:
        message = T("Problems", "{path} is not used: its name is not <repeats>_<concept>.")
        if any(concept.folder == folder for concept in found):
            name = _suggested_name(folder.name)
            hint = text(T("Problems", "Rename it to {name} to train its pictures."), name=name)
        elif found:
            hint = text(T("Problems", "Choose it as picture folder to train what is in it."))
    severity = Severity.WARNING if found else Severity.NOTICE
    return Finding(folder, severity, text(message, path=folder), hint)


def _suggested_name(name: str) -> str:
    """Return ``5_cat`` for ``5 cat`` or ``5-cat``, ``1_cat`` for ``cat`` or ``0_cat``."""
    words = name.lstrip("0123456789")
    number = name.removesuffix(words)
    return f"{number.lstrip('0') or 1}_{words.lstrip(' _-')}"


def _shared_captions(index: DatasetIndex) -> Iterator[Finding]:
    namesakes: defaultdict[Path, dict[Path, None]] = defaultdict(dict)
    for picture in index.pictures:
        namesakes[picture.path.with_suffix("")][picture.path] = None
    for first, *others in namesakes.values():
        for other in others:
            template = T("Problems", "{path} and {other} differ only in kind and share a caption.")
            message = text(template, path=other, other=first.name)
            hint = text(T("Problems", "Remove one, or rename it and give it its own caption."))
            yield Finding(other, Severity.WARNING, message, hint)


def _header_findings(path: Path, header: PictureHeader) -> Iterator[Finding]:
    if FORMAT_OF_EXTENSION[path.suffix.lower()] != header.format:
        template = T("Problems", "{path} contains {format}, whatever its name says; it is used.")
        message = text(template, path=path, format=header.format)
        yield Finding(path, Severity.WARNING, message, text(T("Problems", "Rename it.")))
    if header.frames > 1:
        template = T("Problems", "{path} is animated; only the first of {count} frames is used.")
        if header.format == "TIFF":
            template = T("Problems", "{path} has {count} pages; only the first is used.")
        yield Finding(path, Severity.WARNING, text(template, path=path, count=header.frames))


def _sliver(path: Path, size: Size, placement: Placement) -> Finding:
    template = T(
        "Problems",
        "Less than 1/{limit} of {path} is trained: {width} × {height} pixels, cut to {wide} × "
        "{high}.",
    )
    (width, height), (wide, high) = size, placement.bucket
    facts = {"width": width, "height": height, "wide": wide, "high": high, "limit": MAX_CUT}
    hint = text(T("Problems", "Cut it to what is to be learnt, or leave it out."))
    return Finding(path, Severity.WARNING, text(template, path=path, **facts), hint)


def _small(path: Path, size: Size, placement: Placement) -> Finding:
    template = T(
        "Problems", "{path} is small: {width} × {height} pixels, trained at {wide} × {high}."
    )
    (width, height), (wide, high) = size, placement.bucket
    message = text(template, path=path, width=width, height=height, wide=wide, high=high)
    hint = text(T("Problems", "Use a larger picture, or lower the resolution."))
    return Finding(path, Severity.WARNING, message, hint)
