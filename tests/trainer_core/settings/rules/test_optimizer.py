"""Rates and arguments, each rule in both directions, and whether its way out leads out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from helpers.optimizer_entries import ENTRIES, offer
from helpers.setting_values import after_suggestion

from trainer_core.catalogue.schedules import SCHEDULES
from trainer_core.settings.problems import Severity
from trainer_core.settings.rules.optimizer import (
    common_rate,
    optimizer_arguments,
    rates_of_the_optimizer,
    rates_that_are_too_high,
    schedule_of_the_optimizer,
    something_to_train,
)
from trainer_core.settings.schema import TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]
UNET_ONLY = "adapter.network_train_unet_only"
TEXT_ENCODER_ONLY = "adapter.network_train_text_encoder_only"
RATES = ("optimizer.learning_rate", "optimizer.unet_lr", "optimizer.text_encoder_lr")
RATE, UNET_RATE = "optimizer.learning_rate", "optimizer.unet_lr"
TEXT_ENCODER_RATE, KIND = "optimizer.text_encoder_lr", "optimizer.optimizer_type"
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
    ("changes", "message", "parts"),
    [
        (
            {},
            "learning_rate has no effect because unet_lr and text_encoder_lr are set.",
            {"optimizer.unet_lr", "optimizer.text_encoder_lr"},
        ),
        (
            {"adapter.network_train_unet_only": True},
            "learning_rate has no effect because unet_lr is set.",
            {"optimizer.unet_lr"},
        ),
    ],
)
def test_a_common_rate_that_no_part_uses_is_named(
    settings_of: SettingsOf, changes: dict[str, object], message: str, parts: set[str]
) -> None:
    settings = settings_of({RATE: 1e-3, **changes})

    (problem,) = common_rate(settings, {})
    assert (problem.path, problem.severity) == (RATE, Severity.NOTICE)
    assert str(problem.message) == message
    assert list(common_rate(after_suggestion(settings, problem), {})) == []
    (other,) = problem.other_ways
    assert other.changes == dict.fromkeys(parts, "unset")
    assert list(common_rate(settings_of({RATE: 1e-3, **changes, **other.changes}), {})) == []


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


# ------------------------------------------------------------------ what the optimizer wants


@pytest.fixture(autouse=True)
def _offered(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, *ENTRIES)


@pytest.mark.parametrize(
    ("optimizer", "changes", "rates"),
    [
        ("Prodigy", {}, (1.0, 1.0)),
        ("Prodigy", {UNET_RATE: 1.0, TEXT_ENCODER_RATE: 0.5}, (1.0, 1.0)),
        ("OneRate", {}, (1e-4, 1e-4)),
        ("OneRate", {UNET_RATE: "unset", RATE: 1e-3}, (1e-3, 1e-3)),
    ],
)
def test_several_rates_are_refused_where_the_optimizer_takes_one(
    settings_of: SettingsOf,
    optimizer: str,
    changes: dict[str, object],
    rates: tuple[float, float],
) -> None:
    settings = settings_of({KIND: optimizer, **changes})

    (problem,) = rates_of_the_optimizer(settings, {})
    assert (problem.path, problem.severity) == (UNET_RATE, Severity.ERROR)
    mended = after_suggestion(settings, problem)
    assert (mended.get(UNET_RATE), mended.get(TEXT_ENCODER_RATE)) == rates
    assert list(rates_of_the_optimizer(mended, {})) == []


@pytest.mark.parametrize(
    "changes",
    [
        {UNET_RATE: 1e-4, TEXT_ENCODER_RATE: 1e-4},
        {UNET_RATE: "unset", TEXT_ENCODER_RATE: "unset"},
        {UNET_ONLY: True},
        {UNET_RATE: 0.1, TEXT_ENCODER_RATE: 0.0},
        {UNET_RATE: 10.0, TEXT_ENCODER_RATE: 10.0},
    ],
)
def test_a_rate_far_from_1_is_named_where_the_optimizer_finds_it(
    settings_of: SettingsOf, changes: dict[str, object]
) -> None:
    settings = settings_of({KIND: "Prodigy", **changes})

    (problem,) = rates_of_the_optimizer(settings, {})
    assert problem.severity is Severity.WARNING
    mended = after_suggestion(settings, problem)
    assert list(rates_of_the_optimizer(mended, {})) == []
    assert mended.get(TEXT_ENCODER_RATE) in (1.0, changes.get(TEXT_ENCODER_RATE, 5e-5))


@pytest.mark.parametrize(
    "changes",
    [
        {KIND: "Prodigy", UNET_RATE: 1.0, TEXT_ENCODER_RATE: 1.0},
        {KIND: "Prodigy", UNET_RATE: 0.5, TEXT_ENCODER_RATE: 0.0},
        {KIND: "Prodigy", RATE: 2.0, UNET_RATE: "unset", TEXT_ENCODER_RATE: "unset"},
        {KIND: "OneRate", UNET_ONLY: True},
        {KIND: "FixedRate"},
        {},
    ],
)
def test_rates_that_suit_the_optimizer_are_not_named(
    settings_of: SettingsOf, changes: dict[str, object]
) -> None:
    assert list(rates_of_the_optimizer(settings_of(changes), {})) == []


@pytest.mark.parametrize("optimizer", ["AdamW", "AdamW8bit"])
@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({UNET_RATE: 5.0}, [UNET_RATE]),
        ({UNET_RATE: 0.02, TEXT_ENCODER_RATE: 1.0}, [UNET_RATE, TEXT_ENCODER_RATE]),
        ({RATE: 1.0, UNET_RATE: "unset", TEXT_ENCODER_RATE: "unset"}, [RATE]),
        ({RATE: 1.0, UNET_RATE: 1.0, TEXT_ENCODER_RATE: "unset"}, [UNET_RATE, RATE]),
        ({RATE: 1.0}, []),  # no part has it
        ({UNET_RATE: 0.01, TEXT_ENCODER_RATE: 0.0}, []),
        ({TEXT_ENCODER_RATE: 1.0, UNET_ONLY: True}, []),
    ],
)
def test_a_rate_of_another_optimizer_is_named(
    settings_of: SettingsOf, optimizer: str, changes: dict[str, object], named: list[str]
) -> None:
    settings = settings_of({KIND: optimizer, **changes})

    problems = list(rates_that_are_too_high(settings, {}))

    assert [problem.path for problem in problems] == named
    assert all(problem.severity is Severity.WARNING for problem in problems)
    for problem in problems:
        settings = after_suggestion(settings, problem)
    assert list(rates_that_are_too_high(settings, {})) == []


@pytest.mark.parametrize(
    ("optimizer", "severity"),
    [("AdamWScheduleFree", Severity.WARNING), ("FixedRate", Severity.ERROR)],
)
@pytest.mark.parametrize(
    "schedule", [name for name, entry in SCHEDULES.items() if not entry.is_constant]
)
def test_a_schedule_that_does_not_suit_the_optimizer_is_named(
    settings_of: SettingsOf, optimizer: str, severity: Severity, schedule: str
) -> None:
    settings = settings_of({KIND: optimizer, SCHEDULE: schedule})

    (problem,) = schedule_of_the_optimizer(settings, {})
    assert (problem.path, problem.severity) == (SCHEDULE, severity)
    assert list(schedule_of_the_optimizer(after_suggestion(settings, problem), {})) == []


def test_most_optimizers_take_any_schedule(settings_of: SettingsOf) -> None:
    assert list(schedule_of_the_optimizer(settings_of({}), {})) == []
