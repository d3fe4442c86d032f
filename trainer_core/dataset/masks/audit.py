"""What is wrong with the masks of the pictures, and which ones there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from trainer_core.dataset.findings import Finding
from trainer_core.dataset.index import Concept, DatasetIndex, Picture, Root
from trainer_core.dataset.listing import Reading
from trainer_core.dataset.masks.folder import Mask, MaskFolder
from trainer_core.dataset.pictures import PictureHeader, Size, read_header
from trainer_core.dataset.subsets import PictureRules, SampleKey, SettingsBySubset
from trainer_core.errors import DatasetError
from trainer_core.files.presence import is_folder
from trainer_core.settings.problems import Severity
from trainer_core.texts import T, text

Headers = Mapping[Path, PictureHeader]


def mask_findings(
    index: DatasetIndex,
    settings: SettingsBySubset,
    headers: Headers,
    masks: dict[SampleKey, Mask],
    reading: Reading,
    beside: Iterable[Picture] = (),
) -> Iterator[Finding]:
    """Fill ``masks`` and tell what is wrong with them.

    A folder is a mistake where it has a mask of none of the pictures; those of one place may be
    without, as regularisation pictures often are.

    Args:
        index: The pictures that are trained.
        settings: Whose masks are those of each subset.
        headers: Of the pictures that can be read; the others have no masks.
        masks: The mask of every picture that has one in a folder.
        reading: Told of every file before it is read.
        beside: Pictures of the run that are looked at elsewhere, whose masks may lie there too.
    """
    folders: dict[Path, MaskFolder] = {}
    everything = (*index.pictures, *index.left_out, *beside)
    for root in index.roots:
        rules = settings[root.subset].pictures
        if not root.concepts or not rules.has_masks:
            continue
        if rules.mask_folder is None:
            yield from _without_alpha(root, headers)
            continue
        if not is_folder(rules.mask_folder):
            yield _no_folder(root, rules.mask_folder)
            continue
        try:
            folder = folders.get(rules.mask_folder) or MaskFolder(rules.mask_folder, reading)
        except DatasetError as error:
            yield Finding.of(root.path, error)
            continue
        folders[rules.mask_folder] = folder
        if any(folder.of(picture) for picture in everything):
            yield from _of_root(root, folder, rules, headers, masks, reading)
        else:
            yield _no_mask_at_all(root, folder, rules)
    names = {picture.path.stem for picture in everything}
    for folder in folders.values():
        yield from _strangers(index.root, folder, names)


def _of_root(
    root: Root,
    folder: MaskFolder,
    rules: PictureRules,
    headers: Headers,
    masks: dict[SampleKey, Mask],
    reading: Reading,
) -> Iterator[Finding]:
    for concept in root.concepts:
        without: list[Picture] = []
        for picture in concept.pictures:
            if picture.path not in headers:
                continue
            files = folder.of(picture)
            if not files:
                without.append(picture)
                continue
            reading(files[0])
            yield from _of_picture(picture, files[0], headers[picture.path].size, masks)
            if len(files) > 1:
                yield _several(picture, files[0], folder)
        if not rules.alpha_mask:  # else its transparency is its mask
            yield from _missing(concept, without, folder)


def _no_folder(root: Root, path: Path) -> Finding:
    message = text(T("Problems", "There is no mask folder {path}."), path=path)
    hint = text(T("Problems", "Choose another one, or correct the path."))
    return Finding(root.path, Severity.ERROR, message, hint)


def _of_picture(
    picture: Picture, file: Path, size: Size, masks: dict[SampleKey, Mask]
) -> Iterator[Finding]:
    try:
        mask = Mask(file, read_header(file).size)
    except DatasetError as error:
        yield Finding.of(picture.path, error)
        return
    masks[picture.key] = mask
    if mask.size == size:
        return
    facts = {"width": mask.size[0], "height": mask.size[1], "wide": size[0], "high": size[1]}
    if _has_same_shape(mask.size, size):
        template = T(
            "Problems",
            "The mask {mask} is scaled: {width} × {height} pixels, its picture {wide} × {high}.",
        )
        yield Finding(picture.path, Severity.WARNING, text(template, mask=file, **facts))
        return
    template = T(
        "Problems",
        "The mask {mask} has another shape than its picture: {width} × {height} pixels "
        "instead of {wide} × {high}.",
    )
    hint = text(T("Problems", "Make it anew from the picture, or remove it."))
    yield Finding(picture.path, Severity.ERROR, text(template, mask=file, **facts), hint)


def _has_same_shape(mask: Size, picture: Size) -> bool:
    """Tell whether a mask is its picture scaled, but for the rounding of a side."""
    across, down = mask[0] * picture[1], mask[1] * picture[0]
    return abs(across - down) <= max(*mask, *picture)


def _missing(concept: Concept, without: list[Picture], folder: MaskFolder) -> Iterator[Finding]:
    hint = text(T("Problems", "Add masks with the names of the pictures."))
    if len(without) > 1 and len(without) == len(concept.pictures):
        template = T(
            "Problems", "No picture in {path} has a mask in {folder}; all of them is learnt."
        )
        message = text(template, path=concept.folder, folder=folder.path)
        yield Finding(concept.folder, Severity.WARNING, message, hint)
        return
    for picture in without:
        template = T("Problems", "{path} has no mask in {folder}; all of it is learnt.")
        message = text(template, path=picture.path, folder=folder.path)
        yield Finding(picture.path, Severity.WARNING, message, hint)


def _no_mask_at_all(root: Root, folder: MaskFolder, rules: PictureRules) -> Finding:
    template = T("Problems", "None of the pictures in {path} has a mask in {folder}.")
    message = text(template, path=root.path, folder=folder.path)
    hint = text(
        T("Problems", "Give the masks the names of the pictures, or choose another mask folder.")
    )
    # With alpha masks there may be some all the same.
    severity = Severity.WARNING if rules.alpha_mask else Severity.ERROR
    return Finding(root.path, severity, message, hint)


def _several(picture: Picture, used: Path, folder: MaskFolder) -> Finding:
    template = T("Problems", "{path} has several masks in {folder}; {name} is used.")
    message = text(template, path=picture.path, folder=folder.path, name=used.name)
    return Finding(
        picture.path, Severity.WARNING, message, text(T("Problems", "Remove the others."))
    )


def _strangers(place: Path, folder: MaskFolder, names: set[str]) -> Iterator[Finding]:
    count = folder.count_strangers(names)
    if count:
        template = T(
            "Problems", "{count} [count:mask|masks] in {folder} [count:is|are] of no picture."
        )
        message = text(template, count=count, folder=folder.path)
        yield Finding(place, Severity.NOTICE, message)


def _without_alpha(root: Root, headers: Headers) -> Iterator[Finding]:
    known = [headers[picture.path] for picture in root.pictures if picture.path in headers]
    if known and not any(header.has_alpha for header in known):
        template = T("Problems", "No picture in {path} has transparency to take as its mask.")
        hint = text(T("Problems", "Switch alpha masks off, or save the pictures with their masks."))
        yield Finding(root.path, Severity.WARNING, text(template, path=root.path), hint)
