"""A subset's own settings act, the run's where it has none."""

from __future__ import annotations

import dataclasses

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.subsets import SampleSettings, Subset, settings_by_subset

RUN = SampleSettings(
    rules=BucketRules((512, 512)),
    dataset_repeats=3,
    caption_extension=".txt",
    flip_aug=True,
    shuffle_caption=True,
    keep_tokens=2,
    resize_interpolation="area",
)
OWN = {
    "rules": BucketRules((256, 256)),
    "dataset_repeats": 7,
    "caption_extension": ".caption",
    "flip_aug": False,
    "shuffle_caption": False,
    "keep_tokens": 0,
    "resize_interpolation": "lanczos",
    "is_reg": True,
    "weight": 0.5,
}


def test_a_subset_without_settings_has_those_of_the_run() -> None:
    assert Subset().over(RUN) == RUN


def test_every_setting_can_be_a_subset_s_own() -> None:
    assert OWN.keys() == {field.name for field in dataclasses.fields(SampleSettings)}
    assert Subset(**OWN).over(RUN) == SampleSettings(**OWN)


def test_settings_are_found_by_the_number_of_the_subset() -> None:
    found = settings_by_subset([Subset(), Subset(number=1, keep_tokens=5)], RUN)

    assert {number: each.keep_tokens for number, each in found.items()} == {0: 2, 1: 5}
