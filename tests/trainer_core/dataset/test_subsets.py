"""A subset's own settings act, the run's where it has none."""

from __future__ import annotations

import pytest

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.subsets import (
    CaptionRules,
    PictureRules,
    SampleSettings,
    Subset,
    settings_by_subset,
)
from trainer_core.settings.captions import CaptionSettings

RUN = SampleSettings(
    rules=BucketRules((512, 512)),
    captions=CaptionRules(caption_extension=".txt", shuffle_caption=True, keep_tokens=2),
    pictures=PictureRules(flip_aug=True, resize_interpolation="area"),
    dataset_repeats=3,
)


def test_a_subset_without_settings_has_those_of_the_run() -> None:
    assert settings_by_subset([Subset()], RUN) == {0: RUN}


def test_a_subset_s_own_settings_act_and_the_run_s_where_it_has_none() -> None:
    own = {"resolution": (256, 256), "keep_tokens": 5, "flip_aug": False, "is_reg": True}
    found = settings_by_subset([Subset(), Subset(number=1, own=own)], RUN)

    assert found[0] == RUN
    assert found[1] == SampleSettings(
        rules=BucketRules((256, 256)),
        captions=CaptionRules(caption_extension=".txt", shuffle_caption=True, keep_tokens=5),
        pictures=PictureRules(flip_aug=False, resize_interpolation="area"),
        dataset_repeats=3,
        is_reg=True,
    )


def test_a_name_that_is_no_setting_of_samples_is_refused() -> None:
    with pytest.raises(TypeError, match="network_dim"):
        settings_by_subset([Subset(own={"network_dim": 4})], RUN)


def test_the_rules_of_captions_have_the_names_of_their_settings() -> None:
    section = CaptionSettings(keep_tokens=4, shuffle_caption=True)
    assert CaptionRules.of(section) == CaptionRules(keep_tokens=4, shuffle_caption=True)
