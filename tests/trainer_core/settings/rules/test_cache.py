"""The rules of caches, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from helpers.setting_values import after_suggestion

from trainer_core.settings.rules.cache import (
    cached_texts_are_not_trained,
    cached_texts_stay_the_same,
)
from trainer_core.settings.schema import TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]
ON = {"cache.cache_text_encoder_outputs": True}


@pytest.mark.parametrize(
    ("values", "is_refused"),
    [
        (ON, True),
        ({}, False),
        (ON | {"adapter.network_train_unet_only": True}, False),
        (ON | {"optimizer.text_encoder_lr": 0.0}, False),
        (ON | {"optimizer.text_encoder_lr": 0.0, "optimizer.learning_rate_te2": 1e-5}, True),
        (
            ON
            | {
                "optimizer.text_encoder_lr": 0.0,
                "optimizer.learning_rate_te2": 1e-5,
                "model.family": "sd1",
            },
            False,
        ),
        (ON | {"optimizer.learning_rate": 0.0, "optimizer.text_encoder_lr": "unset"}, False),
    ],
)
def test_text_encoders_that_are_trained_are_not_cached(
    settings_of: SettingsOf, values: Mapping[str, object], is_refused: bool
) -> None:
    settings = settings_of(values)

    problems = list(cached_texts_are_not_trained(settings, {}))
    assert bool(problems) == is_refused
    for problem in problems:
        assert list(cached_texts_are_not_trained(after_suggestion(settings, problem), {})) == []


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (ON | {"captions.shuffle_caption": True}, "shuffle_caption"),
        (ON | {"captions.caption_tag_dropout_rate": 0.1}, "caption_tag_dropout_rate"),
        (ON | {"captions.token_warmup_step": 0.5}, "token_warmup_step"),
        (ON | {"captions.enable_wildcard": True}, "enable_wildcard"),
        (ON | {"captions.caption_dropout_rate": 0.1}, None),
        (ON | {"captions.caption_dropout_every_n_epochs": 2}, None),
        ({"captions.shuffle_caption": True}, None),
        (ON, None),
    ],
)
def test_captions_that_change_are_not_cached(
    settings_of: SettingsOf, values: Mapping[str, object], named: str | None
) -> None:
    settings = settings_of(values)

    problems = list(cached_texts_stay_the_same(settings, {}))
    assert [str(problem.message) for problem in problems] == (
        [] if named is None else [f"{named} changes captions; they cannot be cached."]
    )
    for problem in problems:
        assert list(cached_texts_stay_the_same(after_suggestion(settings, problem), {})) == []
