"""Rates and arguments, each rule in both directions, and whether its way out leads out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from helpers.setting_values import after_suggestion

from trainer_core.settings.problems import Severity
from trainer_core.settings.rules.optimizer import (
    common_rate,
    optimizer_arguments,
    something_to_train,
)
from trainer_core.settings.schema import TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]
UNET_ONLY = "adapter.network_train_unet_only"
TEXT_ENCODER_ONLY = "adapter.network_train_text_encoder_only"
RATES = ("optimizer.learning_rate", "optimizer.unet_lr", "optimizer.text_encoder_lr")
RATE, UNET_RATE = "optimizer.learning_rate", "optimizer.unet_lr"
SCHEDULE = "optimizer.lr_scheduler"


def test_both_parts_alone_exclude_each_other(settings_of: SettingsOf) -> None:
    settings = settings_of({UNET_ONLY: True, TEXT_ENCODER_ONLY: True})

    (problem,) = something_to_train(settings, {})
    assert (problem.path, problem.severity) == (UNET_ONLY, Severity.ERROR)
    assert list(something_to_train(after_suggestion(settings, problem), {})) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer.unet_lr": 0.0},
        {"optimizer.text_encoder_lr": 0.0},
        {"optimizer.unet_lr": "unset", "optimizer.text_encoder_lr": 0.0},
        {"optimizer.text_encoder_lr": 0.0, UNET_ONLY: True},
        {"optimizer.unet_lr": 0.0, TEXT_ENCODER_ONLY: True},
    ],
)
def test_one_part_with_a_rate_is_enough(
    settings_of: SettingsOf, changes: dict[str, object]
) -> None:
    assert list(something_to_train(settings_of(changes), {})) == []


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("optimizer.unet_lr", dict.fromkeys(RATES, 0.0)),
        (
            "optimizer.unet_lr",
            {
                "optimizer.learning_rate": 0.0,
                "optimizer.unet_lr": "unset",
                "optimizer.text_encoder_lr": "unset",
            },
        ),
        ("optimizer.unet_lr", {"optimizer.unet_lr": 0.0, UNET_ONLY: True}),
        (
            "optimizer.text_encoder_lr",
            {"optimizer.text_encoder_lr": 0.0, TEXT_ENCODER_ONLY: True},
        ),
    ],
)
def test_a_run_without_any_rate_is_refused_with_one_that_acts(
    settings_of: SettingsOf, path: str, changes: dict[str, object]
) -> None:
    settings = settings_of(changes)

    (problem,) = something_to_train(settings, {})
    assert (problem.path, problem.severity) == (path, Severity.ERROR)
    assert list(something_to_train(after_suggestion(settings, problem), {})) == []


@pytest.mark.parametrize(
    ("arguments", "is_usable"),
    [([], True), (["weight_decay=0.1"], True), (["weight_decay"], False)],
)
def test_optimizer_arguments_must_be_named_values(
    settings_of: SettingsOf, arguments: list[str], is_usable: bool
) -> None:
    settings = settings_of({"optimizer.optimizer_args": arguments})

    problems = list(optimizer_arguments(settings, {}))
    assert [p.path for p in problems] == ([] if is_usable else ["optimizer.optimizer_args"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "learning_rate has no effect because unet_lr and text_encoder_lr are set."),
        (
            {"adapter.network_train_unet_only": True},
            "learning_rate has no effect because unet_lr is set.",
        ),
    ],
)
def test_a_common_rate_that_no_part_uses_is_named(
    settings_of: SettingsOf, changes: dict[str, object], message: str
) -> None:
    settings = settings_of({RATE: 1e-3, **changes})

    (problem,) = common_rate(settings, {})
    assert (problem.path, problem.severity) == (RATE, Severity.NOTICE)
    assert str(problem.message) == message
    assert list(common_rate(after_suggestion(settings, problem), {})) == []


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {RATE: 1e-3, UNET_RATE: "unset"},
        {RATE: 1e-3, SCHEDULE: "polynomial"},
    ],
)
def test_a_common_rate_that_acts_or_is_untouched_is_not_named(
    settings_of: SettingsOf, changes: dict[str, object]
) -> None:
    assert list(common_rate(settings_of(changes), {})) == []


@pytest.mark.parametrize("rate", [0.0, 1e-7])
def test_a_polynomial_schedule_that_would_have_to_rise_is_refused(
    settings_of: SettingsOf, rate: float
) -> None:
    settings = settings_of({RATE: rate, SCHEDULE: "polynomial"})

    (problem,) = common_rate(settings, {})
    assert (problem.path, problem.severity) == (RATE, Severity.ERROR)
    assert list(common_rate(after_suggestion(settings, problem), {})) == []
