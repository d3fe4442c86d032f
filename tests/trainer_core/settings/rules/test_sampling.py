"""Prompts and when they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from helpers.setting_values import after_suggestion

from trainer_core.settings.problems import Severity
from trainer_core.settings.rules.sampling import listed_prompts_are_text, samples_are_drawn
from trainer_core.settings.schema import TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]


@pytest.mark.parametrize(
    "when",
    [
        {"sampling.sample_every_n_steps": 10},
        {"sampling.sample_every_n_epochs": 1},
        {"sampling.sample_at_first": True},
    ],
)
def test_prompts_with_a_time_to_draw_them_are_fine(
    settings_of: SettingsOf, when: dict[str, object]
) -> None:
    settings = settings_of({"sampling.sample_prompts": "prompts.txt", **when})

    assert list(samples_are_drawn(settings, {})) == []


@pytest.mark.parametrize(
    ("path", "value"), [("sampling.sample_prompts", "p.txt"), ("sampling.prompt_list", ["a cat"])]
)
def test_prompts_that_are_never_drawn_are_a_warning(
    settings_of: SettingsOf, path: str, value: object
) -> None:
    settings = settings_of({path: value})

    (problem,) = samples_are_drawn(settings, {})
    assert (problem.path, problem.severity) == (path, Severity.WARNING)
    assert list(samples_are_drawn(after_suggestion(settings, problem), {})) == []


def test_a_listed_prompt_with_a_control_character_is_refused(settings_of: SettingsOf) -> None:
    settings = settings_of({"sampling.prompt_list": ["a cat", "a\vb\tc", "a\0b"]})

    (problem,) = listed_prompts_are_text(settings, {})

    assert problem.severity is Severity.ERROR
    assert str(problem.message) == "Prompt 3 holds a control character (U+0000)."
