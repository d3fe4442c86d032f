"""What the run file says otherwise than its folders: pictures left out, other repeats."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from trainer_core.dataset.index import Concept, DatasetIndex, Root
from trainer_core.dataset.listing import Reading, read_by_nobody
from trainer_core.settings.folder_repeats import FolderRepeats, parse_entry
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.texts import T, Text, text

LEFT_OUT = "dataset.left_out"
FOLDER_REPEATS = "dataset.folder_repeats"

_NAMED = 100  # of those that are left out; the run file has them all
_NAMED_STRANGERS = 3


def leave_out(
    index: DatasetIndex, paths: Sequence[Path], reading: Reading = read_by_nobody
) -> DatasetIndex:
    """Return the index without these pictures; its roots keep them as ``left_out``.

    A picture is known by its name and folder, whichever way leads to the folder.

    Args:
        index: Every picture.
        paths: Those to leave out.
        reading: Told of every folder before it is looked at.
    """
    wanted = set(paths)
    here = {picture.path for picture in index.pictures}
    if not wanted <= here:  # only then must the disk say which folders are the same
        places = _Places(reading)
        others = {places.of(path) for path in wanted - here}
        wanted |= {path for path in here if places.of(path) in others}
    return DatasetIndex(tuple(_without(root, wanted) for root in index.roots))


def with_repeats(index: DatasetIndex, entries: Sequence[str]) -> DatasetIndex:
    """Return the index with the repeats of the list; of several that fit, the longest counts."""
    wanted = _parsed(entries)
    if not wanted:
        return index
    return DatasetIndex(tuple(_root_with_repeats(root, wanted) for root in index.roots))


def left_out_notice(index: DatasetIndex) -> Iterator[Problem]:
    """Name what is left out, once."""
    names = [path.name for path in dict.fromkeys(picture.path for picture in index.left_out)]
    if names:
        yield Problem(LEFT_OUT, Severity.NOTICE, _naming(names))


def unmatched_problems(
    index: DatasetIndex,
    left_out: Sequence[Path],
    folder_repeats: Sequence[str],
    reading: Reading = read_by_nobody,
) -> Iterator[Problem]:
    """Warn of entries that mean no picture or folder of the run, with the lists without them."""
    if any(root.failure is not None for root in index.roots):
        return  # what a folder that cannot be read holds is not known
    yield from _unmatched_pictures(index, left_out, reading)
    yield from _unmatched_folders(index, folder_repeats)


def _unmatched_pictures(
    index: DatasetIndex, paths: Sequence[Path], reading: Reading
) -> Iterator[Problem]:
    known = {picture.path for picture in index.left_out}
    strangers = [path for path in paths if path not in known]
    if strangers:
        places = _Places(reading)
        known = {places.of(path) for path in known}
        strangers = [path for path in strangers if places.of(path) not in known]
    rest = [path.as_posix() for path in paths if path not in strangers]
    if len(strangers) > _NAMED_STRANGERS:
        template = T(
            "Problems",
            "{count} [count:picture|pictures] to leave out [count:is|are] not there; the first is "
            "{path}.",
        )
        hint = Suggestion(text(T("Problems", "Remove them from the list.")), {LEFT_OUT: rest})
        message = text(template, count=len(strangers), path=strangers[0])
        yield Problem(LEFT_OUT, Severity.WARNING, message, hint)
        return
    for stranger in strangers:
        template = T("Problems", "{path} is to be left out, but is not among the pictures.")
        others = [path.as_posix() for path in paths if path != stranger]
        hint = Suggestion(text(T("Problems", "Remove it from the list.")), {LEFT_OUT: others})
        yield Problem(LEFT_OUT, Severity.WARNING, text(template, path=stranger), hint)


def _unmatched_folders(index: DatasetIndex, entries: Sequence[str]) -> Iterator[Problem]:
    folders = {concept.folder for concept in index.concepts}
    folders |= {picture.path.parent for picture in index.left_out}
    for entry in entries:
        parsed = parse_entry(entry)
        if parsed is not None and not any(parsed.fits(folder) for folder in folders):
            template = T(
                "Problems", "There is no folder {folder} to show {repeats} [repeats:time|times]."
            )
            message = text(template, folder=parsed.folder, repeats=parsed.repeats)
            rest = [other for other in entries if other != entry]
            hint = text(T("Problems", "Remove it from the list."))
            suggestion = Suggestion(hint, {FOLDER_REPEATS: rest})
            yield Problem(FOLDER_REPEATS, Severity.WARNING, message, suggestion)


def _naming(names: Sequence[str]) -> Text:
    facts = {"count": len(names), "names": ", ".join(names[:_NAMED])}
    if len(names) > _NAMED:
        return text(T("Problems", "Left out of this run ({count}): {names} and others."), **facts)
    return text(T("Problems", "Left out of this run ({count}): {names}."), **facts)


def _without(root: Root, wanted: Collection[Path]) -> Root:
    gone = tuple(picture for picture in root.pictures if picture.path in wanted)
    if not gone:
        return root
    rest = root.without(frozenset(picture.key for picture in gone))
    return replace(rest, left_out=gone)


class _Places:
    """Where files are, by their real folders; every folder is asked for once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._folders: dict[str, Path] = {}

    def of(self, path: Path) -> Path:
        """Return a file's path in its real folder; its own name may be that of a link."""
        folder = str(path.parent)
        if folder not in self._folders:
            self._reading(path.parent)
            self._folders[folder] = _resolved(path.parent)
        return self._folders[folder] / path.name


def _resolved(folder: Path) -> Path:
    try:
        return folder.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, a null character
        return folder


def _parsed(entries: Iterable[str]) -> list[FolderRepeats]:
    found = (parse_entry(entry) for entry in entries)
    return [each for each in found if each is not None]


def _root_with_repeats(root: Root, wanted: Sequence[FolderRepeats]) -> Root:
    if root.is_one_concept:
        return root  # the subset says it itself
    return replace(
        root, concepts=tuple(_concept_with_repeats(concept, wanted) for concept in root.concepts)
    )


def _concept_with_repeats(concept: Concept, wanted: Sequence[FolderRepeats]) -> Concept:
    fitting = [entry for entry in wanted if entry.fits(concept.folder)]
    if not fitting:
        return concept
    # Of two that say the same folder the later one counts, as in a list of settings.
    repeats = max(reversed(fitting), key=lambda entry: len(entry.folder)).repeats
    pictures = tuple(replace(picture, repeats=repeats) for picture in concept.pictures)
    return replace(concept, repeats=repeats, pictures=pictures)
