"""Every value that was changed but does not act is named, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from helpers.setting_values import accepted, after_suggestion

from trainer_core.catalogue.families import TRAINABLE
from trainer_core.catalogue.schedules import using
from trainer_core.settings.document import replaced, to_raw
from trainer_core.settings.param import ActsIf, Param
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.rules.effects import values_without_effect
from trainer_core.settings.schema import AUTO, TRAIN, TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]

CONDITIONS = [(each, when) for each in TRAIN.params().values() for when in each.spec.when]
every_condition = pytest.mark.parametrize(
    ("param", "condition"),
    CONDITIONS,
    ids=lambda part: part.path if isinstance(part, Param) else part.name,
)


def other_param(condition: ActsIf) -> Param:
    path = TRAIN.path_of(condition.name)
    assert path is not None
    return TRAIN.params()[path]


def raw_value(param: Param, fits: Callable[[object], bool]) -> object:
    """Return a raw value of ``param`` whose Python value fits."""
    for raw in accepted(param):
        settings, _ = TRAIN.parse(replaced({}, {param.path: raw}))
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
    return [p for p in values_without_effect(settings, {}) if p.path == param.path]


@pytest.mark.parametrize(
    "param", [param for param in TRAIN.params().values() if param.spec.when], ids=lambda p: p.path
)
def test_a_changed_value_that_acts_is_not_mentioned(settings_of: SettingsOf, param: Param) -> None:
    settings = settings_of({**conditions_met(param), param.path: changed_value(param)})

    assert notices_of(settings, param) == []


@every_condition
def test_a_changed_value_that_does_not_act_is_named_with_the_reason(
    settings_of: SettingsOf, param: Param, condition: ActsIf
) -> None:
    other = other_param(condition)
    hindering = raw_value(other, lambda value: value != AUTO and not condition.holds(value))
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
    hindering = raw_value(other, lambda value: value != AUTO and not condition.holds(value))
    default = to_raw(param, param.default)

    assert notices_of(settings_of({other.path: hindering, param.path: default}), param) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"captions.keep_tokens": 1},
            "keep_tokens has no effect because none of these is set: shuffle_caption, "
            "caption_tag_dropout_rate, token_warmup_step.",
        ),
        (
            {"sampling.sample_at_first": True},
            "sample_at_first has no effect because neither prompt_list nor sample_prompts is set.",
        ),
        (
            {"optimizer.epoch": 2, "optimizer.max_train_epochs": 3},
            "epoch has no effect because max_train_epochs is set.",
        ),
        (
            {"optimizer.lr_scheduler_power": 2.0},
            "lr_scheduler_power has no effect: it acts only if lr_scheduler is "
            f"{', '.join(using('lr_scheduler_power'))}.",
        ),
    ],
)
def test_the_reason_is_said_in_words(
    settings_of: SettingsOf, changes: dict[str, object], message: str
) -> None:
    messages = [str(p.message) for p in values_without_effect(settings_of(changes), {})]

    assert messages == [message]


@pytest.mark.parametrize(
    ("path", "value", "without"),
    [("model.clip_skip", 2, "sdxl"), ("optimizer.learning_rate_te2", 1e-5, "sd1")],
)
def test_what_a_family_has_no_use_for_is_named_once_it_is_known(
    settings_of: SettingsOf, path: str, value: object, without: str
) -> None:
    settings = settings_of({path: value})
    problems = {
        family: [p.path for p in values_without_effect(settings, {"family": family})]
        for family in TRAINABLE
    }

    assert problems[without] == [path]
    assert [] in problems.values()
    assert list(values_without_effect(settings, {})) == []


def test_default_settings_have_nothing_without_effect(settings_of: SettingsOf) -> None:
    assert list(values_without_effect(settings_of({}), {})) == []
