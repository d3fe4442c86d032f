"""Every value that was changed but does not act is named, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from helpers.setting_values import accepted, after_suggestion

from trainer_core.settings import rules
from trainer_core.settings.document import parse, replaced, to_raw
from trainer_core.settings.param import ActsIf, Param
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.schema import TrainSettings, params, path_of

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]

CONDITIONS = [(param, condition) for param in params().values() for condition in param.spec.when]
every_condition = pytest.mark.parametrize(
    ("param", "condition"),
    CONDITIONS,
    ids=lambda part: part.path if isinstance(part, Param) else part.name,
)


def other_param(condition: ActsIf) -> Param:
    path = path_of(condition.name)
    assert path is not None
    return params()[path]


def raw_value(param: Param, fits: Callable[[object], bool]) -> object:
    """Return a raw value of ``param`` whose Python value fits."""
    for raw in accepted(param):
        settings, _ = parse(replaced({}, {param.path: raw}))
        assert settings is not None
        if fits(settings.get(param.path)):
            return raw
    raise AssertionError(f"no such value of {param.path}")


def changed_value(param: Param) -> object:
    return raw_value(param, lambda value: value != param.default)


def conditions_met(param: Param) -> dict[str, object]:
    """Return values of other settings with which ``param`` acts."""
    return {
        other_param(condition).path: raw_value(other_param(condition), condition.holds)
        for condition in param.spec.when
    }


def notices_of(settings: TrainSettings, param: Param) -> list[Problem]:
    return [p for p in rules.values_without_effect(settings) if p.path == param.path]


@pytest.mark.parametrize(
    "param", [param for param in params().values() if param.spec.when], ids=lambda p: p.path
)
def test_a_changed_value_that_acts_is_not_mentioned(settings_of: SettingsOf, param: Param) -> None:
    settings = settings_of({**conditions_met(param), param.path: changed_value(param)})

    assert notices_of(settings, param) == []


@every_condition
def test_a_changed_value_that_does_not_act_is_named_with_the_reason(
    settings_of: SettingsOf, param: Param, condition: ActsIf
) -> None:
    other = other_param(condition)
    hindering = raw_value(other, lambda value: not condition.holds(value))
    changes = {**conditions_met(param), other.path: hindering, param.path: changed_value(param)}
    settings = settings_of(changes)

    (problem,) = notices_of(settings, param)
    assert problem.severity is Severity.NOTICE
    assert str(problem.message).startswith(f"{param.name} has no effect")
    assert condition.name in str(problem.message)
    assert notices_of(after_suggestion(settings, problem), param) == []


@every_condition
def test_a_default_that_does_not_act_is_not_mentioned(
    settings_of: SettingsOf, param: Param, condition: ActsIf
) -> None:
    other = other_param(condition)
    hindering = raw_value(other, lambda value: not condition.holds(value))
    default = to_raw(param, param.default)

    assert notices_of(settings_of({other.path: hindering, param.path: default}), param) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"dataset.keep_tokens": 1},
            "keep_tokens has no effect: it acts only if shuffle_caption is true.",
        ),
        (
            {"sampling.sample_at_first": True},
            "sample_at_first has no effect because sample_prompts is not set.",
        ),
        (
            {"optimizer.epoch": 2, "optimizer.max_train_epochs": 3},
            "epoch has no effect because max_train_epochs is set.",
        ),
        (
            {"optimizer.lr_scheduler_power": 2.0},
            "lr_scheduler_power has no effect: it acts only if lr_scheduler is polynomial.",
        ),
    ],
)
def test_the_reason_is_said_in_words(
    settings_of: SettingsOf, changes: dict[str, object], message: str
) -> None:
    messages = [str(p.message) for p in rules.values_without_effect(settings_of(changes))]

    assert messages == [message]


def test_default_settings_have_nothing_without_effect(settings_of: SettingsOf) -> None:
    assert list(rules.values_without_effect(settings_of({}))) == []


# ------------------------------------------------------------------ special cases

RATE, UNET_RATE = "optimizer.learning_rate", "optimizer.unet_lr"
SCHEDULE = "optimizer.lr_scheduler"


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

    (problem,) = rules.common_rate(settings)
    assert (problem.path, problem.severity) == (RATE, Severity.NOTICE)
    assert str(problem.message) == message
    assert list(rules.common_rate(after_suggestion(settings, problem))) == []


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
    assert list(rules.common_rate(settings_of(changes))) == []


@pytest.mark.parametrize("rate", [0.0, 1e-7])
def test_a_polynomial_schedule_that_would_have_to_rise_is_refused(
    settings_of: SettingsOf, rate: float
) -> None:
    settings = settings_of({RATE: rate, SCHEDULE: "polynomial"})

    (problem,) = rules.common_rate(settings)
    assert (problem.path, problem.severity) == (RATE, Severity.ERROR)
    assert list(rules.common_rate(after_suggestion(settings, problem))) == []


@pytest.mark.parametrize("no_upscale", [True, False])
def test_no_upscaling_without_buckets_is_named_once(
    settings_of: SettingsOf, no_upscale: bool
) -> None:
    path = "dataset.bucket_no_upscale"
    settings = settings_of({"dataset.enable_bucket": False, path: no_upscale})

    (problem,) = [each for each in rules.check(settings) if each.path == path]
    assert problem.severity is Severity.NOTICE


def test_no_upscaling_with_buckets_is_not_named(settings_of: SettingsOf) -> None:
    assert list(rules.upscaling_without_buckets(settings_of({}))) == []
