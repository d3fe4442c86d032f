"""What varies pictures, and masks: each rule in both directions, and its ways out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from helpers.setting_values import after_suggestion

from trainer_core.settings.document import replaced
from trainer_core.settings.problems import Severity
from trainer_core.settings.rules.augmentation import (
    masks_of_masked_loss,
    order_of_face_sizes,
    variation_of_cached_latents,
)
from trainer_core.settings.rules.effects import values_without_effect
from trainer_core.settings.rules.subsets import own_settings
from trainer_core.settings.schema import TRAIN, TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]
UNCACHED = {"cache.cache_latents": False}
FACES = {"augmentation.face_crop_aug_range": [2.0, 4.0], "buckets.enable_bucket": False}


@pytest.mark.parametrize(
    "changes", [{"augmentation.color_aug": True}, {"augmentation.random_crop": True}, FACES]
)
def test_cached_latents_cannot_vary(settings_of: SettingsOf, changes: dict[str, object]) -> None:
    settings = settings_of(changes)

    (problem,) = variation_of_cached_latents(settings, {})
    assert problem.severity is Severity.ERROR
    assert problem.path == next(iter(changes))
    assert not after_suggestion(settings, problem).cache.cache_latents
    for way in problem.ways_out:
        mended, _ = TRAIN.parse(replaced(TRAIN.as_raw(settings), way.changes))
        assert mended is not None
        assert list(variation_of_cached_latents(mended, {})) == []
    assert list(variation_of_cached_latents(settings_of({**changes, **UNCACHED}), {})) == []


def test_mirrored_pictures_may_be_cached(settings_of: SettingsOf) -> None:
    settings = settings_of({"augmentation.flip_aug": True})

    assert list(variation_of_cached_latents(settings, {})) == []


def test_with_buckets_a_face_crop_has_no_effect_and_needs_no_other_cache(
    settings_of: SettingsOf,
) -> None:
    settings = settings_of({"augmentation.face_crop_aug_range": [2.0, 4.0]})

    assert list(variation_of_cached_latents(settings, {})) == []
    (problem,) = values_without_effect(settings, {})
    assert problem.path == "augmentation.face_crop_aug_range"


@pytest.mark.parametrize(
    "source",
    [{"augmentation.alpha_mask": True}, {"augmentation.conditioning_data_dir": "/masks"}],
)
def test_a_masked_loss_needs_masks(settings_of: SettingsOf, source: dict[str, object]) -> None:
    alone = settings_of({"augmentation.masked_loss": True})

    (problem,) = masks_of_masked_loss(alone, {})
    assert problem.severity is Severity.ERROR
    assert list(masks_of_masked_loss(after_suggestion(alone, problem), {})) == []
    assert (
        list(masks_of_masked_loss(settings_of({"augmentation.masked_loss": True, **source}), {}))
        == []
    )


def test_the_smaller_size_of_a_face_comes_first(settings_of: SettingsOf) -> None:
    path = "augmentation.face_crop_aug_range"
    settings = settings_of({path: [4.0, 2.0]})

    (problem,) = order_of_face_sizes(settings, {})
    assert problem.path == path
    mended = after_suggestion(settings, problem)
    assert mended.augmentation.face_crop_aug_range == (2.0, 4.0)
    assert list(order_of_face_sizes(mended, {})) == []


def test_a_subset_may_have_the_masks_of_its_own(settings_of: SettingsOf) -> None:
    subset = {"image_dir": "/b", "conditioning_data_dir": "/masks"}
    values = {"augmentation.masked_loss": True, "dataset.subsets": [subset]}

    assert list(masks_of_masked_loss(settings_of(values), {})) == []


def test_a_subset_whose_own_pictures_vary_needs_another_cache_too(settings_of: SettingsOf) -> None:
    values = {"dataset.subsets": [{"image_dir": "/b", "random_crop": True}]}

    (problem,) = own_settings(settings_of(values), {})
    assert problem.severity is Severity.ERROR
    assert str(problem.message).startswith("subsets[1]: random_crop has no effect")
    assert list(own_settings(settings_of({**values, **UNCACHED}), {})) == []
