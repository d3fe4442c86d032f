"""Which pictures are held out of training: by a seed and their names, or by a folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from trainer_core.dataset.audit import Audit, quick_audit
from trainer_core.dataset.index import DatasetIndex, Picture, Root, index_subsets
from trainer_core.dataset.listing import Reading, read_by_nobody
from trainer_core.dataset.plan import Pace, Plan, make_plan
from trainer_core.dataset.subsets import SampleKey, SampleSettings, SettingsBySubset, Subset
from trainer_core.errors import DatasetError
from trainer_core.settings.validation import ValidationSettings

SPLIT, FOLDER = "validation.validation_split", "validation.validation_data_dir"

# What varies samples, as far as there are such settings; pictures for validation are the same
# each time.
_VARYING = frozenset(
    {
        *("flip_aug", "random_crop", "color_aug", "face_crop_aug_range"),
        *("shuffle_caption", "caption_dropout_rate", "token_warmup_step"),
        *("caption_dropout_every_n_epochs", "caption_tag_dropout_rate"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOut:
    """What is to be held out.

    Attributes:
        share: Of the pictures, below 1.
        folder: With further pictures.
        seed: Decides which.
    """

    share: float = 0.0
    folder: Path | None = None
    seed: int = 0

    @classmethod
    def of(cls, validation: ValidationSettings) -> HoldOut | None:
        """Return what the settings ask for; None if nothing is to be held out."""
        if not validation.holds_out:
            return None
        return cls(
            share=validation.validation_split or 0.0,
            folder=validation.validation_data_dir,
            seed=validation.seed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """The pictures for validation, and all that was found about them.

    Attributes:
        index: Each picture once, whatever its repeats.
        audit: What is wrong with them, their sizes and captions.
        settings: Theirs by subset; nothing about a sample varies.
        plan: How they are cut, and their number; None if none can be used.
        is_short: A share was to be held out, but there are too few pictures to take it from.
    """

    index: DatasetIndex
    audit: Audit = field(repr=False)
    settings: SettingsBySubset
    plan: Plan | None
    is_short: bool = False

    @property
    def pictures(self) -> int:
        """Picture files that can be used."""
        return 0 if self.plan is None else self.plan.pictures


def hold_out(
    index: DatasetIndex,
    asked: HoldOut,
    settings: SettingsBySubset,
    reading: Reading = read_by_nobody,
) -> tuple[DatasetIndex, DatasetIndex]:
    """Return the index without the pictures that are held out, and one of those.

    A file is held out of every subset that it stands in, regularisation excepted. The same names
    are held out wherever their folder lies, and however many others come and go beside them.

    Args:
        index: Every picture.
        asked: What is to be held out.
        settings: Of each subset: which are regularisation.
        reading: Told of every place before it is looked at.

    """
    own = _own_roots(asked, folder_subset(settings), reading)
    to_learn = [each for each in index.pictures if not settings[each.subset].is_reg]
    known = {each.path.resolve() for root in own for each in root.pictures}
    held = {each.path for each in to_learn if known and each.path.resolve() in known}
    chosen = _chosen((each for each in to_learn if each.path not in held), asked)
    keys = {each.key for each in to_learn if each.path in chosen}
    without = keys | {each.key for each in to_learn if each.path in held}
    rest = DatasetIndex(tuple(_without_held(root, without) for root in index.roots))
    split = DatasetIndex(tuple(_only(root, keys) for root in index.roots))
    roots = (*(root for root in split.roots if root.concepts), *own)
    return rest, _each_once(roots)


def folder_subset(settings: SettingsBySubset) -> int:
    """Return the number of the subset that a folder for validation alone is."""
    return max(settings, default=-1) + 1


def validation_settings(settings: SettingsBySubset, run: SampleSettings) -> SettingsBySubset:
    """Return the settings of the pictures for validation, the folder's among them."""
    by_subset = {**settings, folder_subset(settings): run}
    return {number: _steady(each) for number, each in by_subset.items()}


def look_at_held_out(
    index: DatasetIndex,
    settings: SettingsBySubset,
    pace: Pace,
    reading: Reading = read_by_nobody,
    beside: Sequence[Picture] = (),
) -> HeldOut:
    """Check the pictures for validation as those for training are.

    Args:
        index: The pictures.
        settings: As `validation_settings` returns them.
        pace: How many are in a batch.
        reading: Told of every picture before it is read.
        beside: The pictures that are trained.
    """
    audit = quick_audit(index, settings, reading, beside)
    usable = index.without(audit.unusable)
    plan = make_plan(usable, audit.sizes, settings, pace) if usable.concepts else None
    return HeldOut(index=index, audit=audit, settings=settings, plan=plan)


def _own_roots(asked: HoldOut, number: int, reading: Reading) -> tuple[Root, ...]:
    if asked.folder is None:
        return ()
    try:
        subset = Subset(number=number, folder=asked.folder)
        return index_subsets([subset], {number: 1}, reading).roots
    except DatasetError as failure:
        return (Root(asked.folder, failure=failure, subset=number),)


def _steady(settings: SampleSettings) -> SampleSettings:
    """Return the settings with nothing that varies from one showing to the next."""
    parts = (settings.captions, settings.pictures)
    own = {each.name: each.default for p in parts for each in fields(p) if each.name in _VARYING}
    return replace(settings.having(**own), weight=1.0)


def _chosen(pictures: Iterable[Picture], asked: HoldOut) -> set[Path]:
    """Return as many of the files as the share says, one at least, but never all."""
    paths: Sequence[Path] = list(dict.fromkeys(each.path for each in pictures))
    if not asked.share:
        return set()
    count = min(max(1, round(asked.share * len(paths))), len(paths) - 1)

    def place(path: Path) -> tuple[bytes, Path]:
        name = os.fsencode(f"{asked.seed}:{path.parent.name}/{path.name}")
        return hashlib.blake2b(name, digest_size=8).digest(), path

    return set(sorted(paths, key=place)[: max(0, count)])


def _without_held(root: Root, keys: set[SampleKey]) -> Root:
    rest = root.without(keys)
    return replace(rest, is_held_out=bool(root.concepts) and not rest.concepts)


def _only(root: Root, keys: set[SampleKey]) -> Root:
    """Return these pictures of a root; what else is in it was told with the others."""
    some = root.without({each.key for each in root.pictures if each.key not in keys})
    return Root(some.path, some.concepts, is_whole=False, subset=some.subset)


def _each_once(roots: Sequence[Root]) -> DatasetIndex:
    return DatasetIndex(
        tuple(
            replace(
                root,
                concepts=tuple(
                    replace(
                        concept,
                        repeats=1,
                        pictures=tuple(replace(each, repeats=1) for each in concept.pictures),
                    )
                    for concept in root.concepts
                ),
            )
            for root in roots
        )
    )
