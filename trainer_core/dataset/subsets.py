"""Subsets: pictures that become samples by settings of their own; the run's where they have none.

A run has one subset at least, number 0. The same picture may stand in several: at two
resolutions, with two captions, to be learnt and as a regularisation picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.pictures import Size
from trainer_core.settings.param import Section
from trainer_core.tokens.clip import CHUNK_TOKENS

TRAIN_DATA_DIR = "dataset.train_data_dir"
REG_DATA_DIR = "dataset.reg_data_dir"
IN_JSON = "dataset.in_json"
MORE_PICTURES = "dataset.more_pictures"
MASK_FOLDER = "augmentation.conditioning_data_dir"
SUBSETS = "dataset.subsets"


class SampleKey(NamedTuple):
    """A picture as one subset trains it, which a path alone does not tell."""

    subset: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionRules:
    """The settings of captions that a subset may have of its own.

    But for ``max_token_length`` and ``weighted_captions``, which are the same in all of them.
    """

    caption_extension: str = "auto"
    shuffle_caption: bool = False
    keep_tokens: int = 0
    keep_tokens_separator: str | None = None
    caption_separator: str = ","
    secondary_separator: str | None = None
    caption_prefix: str | None = None
    caption_suffix: str | None = None
    enable_wildcard: bool = False
    caption_dropout_rate: float = 0.0
    caption_dropout_every_n_epochs: int | None = None
    caption_tag_dropout_rate: float = 0.0
    token_warmup_step: float | None = None
    token_warmup_min: int = 1
    max_token_length: int = CHUNK_TOKENS
    weighted_captions: bool = False

    @classmethod
    def of(cls, section: Section) -> Self:
        """Return what a section of the settings says."""
        return cls(**{name: getattr(section, name) for name in _names(cls)})

    @property
    def takes_apart(self) -> bool:
        """Whether captions are taken apart into tags, whose order or number changes."""
        return bool(self.shuffle_caption or self.caption_tag_dropout_rate or self.token_warmup_step)

    @property
    def may_drop(self) -> bool:
        """Whether some samples are trained without their caption."""
        return bool(self.caption_dropout_rate or self.caption_dropout_every_n_epochs)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRules:
    """The settings of pictures that a subset may have of its own, but for their size."""

    flip_aug: bool = False
    color_aug: bool = False
    random_crop: bool = False
    face_crop_aug_range: tuple[float, float] | None = None
    masked_loss: bool = False
    conditioning_data_dir: Path | None = None
    alpha_mask: bool = False
    resize_interpolation: str = "auto"
    skip_image_resolution: tuple[int, int] | None = None

    @classmethod
    def of(cls, *sections: Section) -> Self:
        """Return what sections of the settings say, each of which has some of them."""
        said = {
            name: getattr(section, name)
            for section in sections
            for name in _names(cls)
            if name in type(section).model_fields
        }
        return cls(**said)

    @property
    def mask_folder(self) -> Path | None:
        """Where masks are, if any are asked for."""
        return self.conditioning_data_dir if self.masked_loss else None

    @property
    def has_masks(self) -> bool:
        """Whether parts of a picture may count less than others."""
        return self.alpha_mask or self.mask_folder is not None

    def skips(self, size: Size) -> bool:
        """Tell whether a picture of ``size`` is too small to be trained."""
        limit = self.skip_image_resolution
        return limit is not None and math.prod(size) <= math.prod(limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSettings:
    """The settings that make samples of pictures.

    Attributes:
        rules: What decides the buckets.
        captions: What is made of captions.
        pictures: What is made of pictures.
        dataset_repeats: Of pictures whose folder says nothing of it.
        is_reg: Whether they are regularisation pictures.
        weight: What the loss of a sample is multiplied with: for regularisation pictures the
            ``prior_loss_weight``.
        train_batch_size: Samples of a full batch, of all processes together; None: as many as
            the run has.
    """

    rules: BucketRules
    captions: CaptionRules = field(default_factory=CaptionRules)
    pictures: PictureRules = field(default_factory=PictureRules)
    dataset_repeats: int = 1
    is_reg: bool = False
    weight: float = 1.0
    train_batch_size: int | None = None

    @property
    def face_range(self) -> tuple[float, float] | None:
        """How large faces are made in a cut; None where no cut is made around a face."""
        return None if self.rules.enable_bucket else self.pictures.face_crop_aug_range

    def having(self, **own: Any) -> SampleSettings:
        """Return the same with other values of some settings or parts, by their own names.

        Raises:
            TypeError: There is no such setting.
        """
        parts: dict[str, Any] = {
            part: _having(getattr(self, part), own) for part in ("rules", "captions", "pictures")
        }
        others = {name: value for name, value in own.items() if name not in _PART_NAMES}
        return replace(self, **parts | others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """Places with pictures, and the settings that are others than the run's.

    Attributes:
        number: From 0, in the order of the settings.
        folder: The picture folder, if there is one.
        more: Further folders and single pictures.
        own: Values for `SampleSettings.having`.
        setting: The one that names the folder.
        repeats: How often an epoch shows each picture, whatever the folders say.
        class_tokens: The words of pictures without a caption, whatever the folders say.
        metadata: A file that names the pictures, in the folder or elsewhere, and their captions.
    """

    number: int = 0
    folder: Path | None = None
    more: tuple[Path, ...] = ()
    own: Mapping[str, object] = field(default_factory=dict)
    setting: str = TRAIN_DATA_DIR
    repeats: int | None = None
    class_tokens: str | None = None
    metadata: Path | None = None

    @property
    def is_one_concept(self) -> bool:
        """Whether only pictures directly in its folders are meant: their names say nothing."""
        return self.repeats is not None or self.class_tokens is not None

    @property
    def setting_of_more(self) -> str:
        """The setting that names further folders and single pictures."""
        return MORE_PICTURES if self.setting == TRAIN_DATA_DIR else self.setting

    @property
    def places(self) -> tuple[Path, ...]:
        """Everything that was asked for."""
        named = (self.metadata if self.folder is None else self.folder, *self.more)
        return tuple(place for place in named if place is not None)


SettingsBySubset = Mapping[int, SampleSettings]
"""The settings that act for each subset, by its number."""


def settings_by_subset(subsets: Iterable[Subset], run: SampleSettings) -> SettingsBySubset:
    """Return the settings that act for each subset: its own, the run's where it has none.

    Raises:
        SettingsError: They leave no bucket for a resolution.
        TypeError: A subset has a value of no setting of samples.
    """
    return {subset.number: run.having(**subset.own) for subset in subsets}


def data_sets(settings: SettingsBySubset) -> dict[int, int]:
    """Return the number of each subset's data set, by the number of the subset.

    A data set is what has the same sizes and the same batch size: its pictures share batches,
    and regularisation pictures are matched to its training pictures. Numbers count from 0.
    """
    numbers: dict[tuple[BucketRules, int | None], int] = {}
    return {
        subset: numbers.setdefault((each.rules, each.train_batch_size), len(numbers))
        for subset, each in settings.items()
    }


def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


_PART_NAMES = frozenset(
    name for kind in (BucketRules, CaptionRules, PictureRules) for name in _names(kind)
)


def _having(part: Any, own: dict[str, Any]) -> Any:
    return replace(part, **{name: own[name] for name in _names(type(part)) if name in own})
