"""Subsets: pictures that become samples by settings of their own; the run's where they have none.

A run has one subset at least, number 0. The same picture may stand in several: at two
resolutions, with two captions, to be learnt and as a regularisation picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from trainer_core.dataset.buckets import BucketRules

T = TypeVar("T")


class SampleKey(NamedTuple):
    """A picture as one subset trains it, which a path alone does not tell."""

    subset: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSettings:
    """The settings that make samples of pictures, by their own names.

    Attributes:
        rules: What decides the buckets.
        dataset_repeats: Of pictures whose folder says nothing of it.
        caption_extension: As in the settings, ``auto`` included.
        is_reg: Whether they are regularisation pictures.
        weight: What the loss of a sample is multiplied with.
    """

    rules: BucketRules
    dataset_repeats: int = 1
    caption_extension: str = "auto"
    flip_aug: bool = False
    shuffle_caption: bool = False
    keep_tokens: int = 0
    resize_interpolation: str = "auto"
    is_reg: bool = False
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """Places with pictures, and the settings that are another one's than the run's.

    Attributes:
        number: From 0, in the order of the settings.
        folder: The picture folder, if there is one.
        more: Further folders and single pictures.
        is_reg: Whether they are regularisation pictures.
        weight: What the loss of a sample is multiplied with: for regularisation pictures the
            ``prior_loss_weight``.

    Every other one is a setting of the same name in `SampleSettings`; None: as the run's.
    """

    number: int = 0
    folder: Path | None = None
    more: tuple[Path, ...] = ()
    rules: BucketRules | None = None
    dataset_repeats: int | None = None
    caption_extension: str | None = None
    flip_aug: bool | None = None
    shuffle_caption: bool | None = None
    keep_tokens: int | None = None
    resize_interpolation: str | None = None
    is_reg: bool = False
    weight: float | None = None

    @property
    def places(self) -> tuple[Path, ...]:
        """Everything that was asked for."""
        return (*([] if self.folder is None else [self.folder]), *self.more)

    def over(self, run: SampleSettings) -> SampleSettings:
        """Return the settings that act for this subset: its own, the run's where it has none."""
        return SampleSettings(
            rules=_own(self.rules, run.rules),
            dataset_repeats=_own(self.dataset_repeats, run.dataset_repeats),
            caption_extension=_own(self.caption_extension, run.caption_extension),
            flip_aug=_own(self.flip_aug, run.flip_aug),
            shuffle_caption=_own(self.shuffle_caption, run.shuffle_caption),
            keep_tokens=_own(self.keep_tokens, run.keep_tokens),
            resize_interpolation=_own(self.resize_interpolation, run.resize_interpolation),
            is_reg=self.is_reg,
            weight=_own(self.weight, run.weight),
        )


SettingsBySubset = Mapping[int, SampleSettings]
"""The settings that act for each subset, by its number."""


def settings_by_subset(subsets: Iterable[Subset], run: SampleSettings) -> SettingsBySubset:
    """Return the settings that act for each subset."""
    return {subset.number: subset.over(run) for subset in subsets}


def _own(own: T | None, run: T) -> T:
    return run if own is None else own
