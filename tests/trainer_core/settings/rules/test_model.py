"""What is said where a base model's files and the settings do not agree, or leave it open."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from helpers.setting_values import after_suggestion

from trainer_core.settings.problems import Severity
from trainer_core.settings.rules.model import clip_skip, prediction, zero_terminal_snr
from trainer_core.settings.schema import TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]
ASKED, ZERO, SKIP = "model.v_parameterization", "model.zero_terminal_snr", "model.clip_skip"
BY = "its metadata"
VELOCITY = {"family": "sd2", "prediction": "v_prediction", "prediction_by": BY}
NOISE = {"family": "sd2", "prediction": "epsilon", "prediction_by": BY}
OPEN = {"family": "sd2"}


def test_a_file_that_leaves_it_open_is_asked_about_with_how_to_tell(
    settings_of: SettingsOf,
) -> None:
    settings = settings_of({})

    (problem,) = prediction(settings, OPEN)

    assert (problem.path, problem.severity) == (ASKED, Severity.NOTICE)
    assert "768" in str(problem.message)
    assert [way.changes for way in problem.ways_out] == [{ASKED: "off"}, {ASKED: "on"}]


@pytest.mark.parametrize("answer", ["on", "off"])
def test_it_is_asked_once(settings_of: SettingsOf, answer: str) -> None:
    assert list(prediction(settings_of({ASKED: answer}), OPEN)) == []


@pytest.mark.parametrize("facts", [{}, {"family": "sd1"}, VELOCITY, NOISE])
def test_nothing_is_asked_where_files_say_it_or_hardly_any_model_differs(
    settings_of: SettingsOf, facts: dict[str, object]
) -> None:
    assert list(prediction(settings_of({}), facts)) == []


@pytest.mark.parametrize(
    ("asked", "facts", "severity"),
    [("off", VELOCITY, Severity.ERROR), ("on", NOISE, Severity.WARNING)],
)
def test_a_contradiction_is_told_with_a_way_to_what_the_file_says(
    settings_of: SettingsOf, asked: str, facts: dict[str, object], severity: Severity
) -> None:
    settings = settings_of({ASKED: asked})

    (problem,) = prediction(settings, facts)

    assert (problem.path, problem.severity) == (ASKED, severity)
    assert BY in str(problem.message)
    mended = after_suggestion(settings, problem)
    assert mended.model.v_parameterization == "auto"
    assert list(prediction(mended, facts)) == []


@pytest.mark.parametrize(("asked", "facts"), [("on", VELOCITY), ("off", NOISE)])
def test_to_say_what_the_file_says_is_no_problem(
    settings_of: SettingsOf, asked: str, facts: dict[str, object]
) -> None:
    assert list(prediction(settings_of({ASKED: asked}), facts)) == []


def test_a_prediction_that_cannot_be_trained_is_refused(settings_of: SettingsOf) -> None:
    (problem,) = prediction(settings_of({}), {"family": "sd1", "prediction": "sample"})

    assert problem.severity is Severity.ERROR
    assert "sample" in str(problem.message)


@pytest.mark.parametrize(("asked", "stated"), [("on", "off"), ("off", "on")])
def test_another_last_timestep_than_the_files_is_told(
    settings_of: SettingsOf, asked: str, stated: str
) -> None:
    facts = {**VELOCITY, "zero_terminal_snr": stated, "zero_terminal_snr_by": BY}
    settings = settings_of({ZERO: asked})

    (problem,) = zero_terminal_snr(settings, facts)

    assert (problem.path, problem.severity) == (ZERO, Severity.WARNING)
    assert BY in str(problem.message)
    mended = after_suggestion(settings, problem)
    assert mended.model.zero_terminal_snr == "auto"
    assert list(zero_terminal_snr(mended, facts)) == []


def test_zero_terminal_snr_without_velocity_is_warned_of(settings_of: SettingsOf) -> None:
    # parameters.json, zero_terminal_snr: requires v_parameterization, warning otherwise.
    settings = settings_of({ZERO: "on"})

    (problem,) = zero_terminal_snr(settings, OPEN)

    assert problem.severity is Severity.WARNING
    assert list(zero_terminal_snr(after_suggestion(settings, problem), OPEN)) == []
    assert list(zero_terminal_snr(settings, VELOCITY)) == []
    assert list(zero_terminal_snr(settings_of({ZERO: "on", ASKED: "on"}), OPEN)) == []


def test_a_marked_last_timestep_is_warned_of_where_nothing_says_what_is_predicted(
    settings_of: SettingsOf,
) -> None:
    facts = {**OPEN, "zero_terminal_snr": "on", "zero_terminal_snr_by": BY}

    (problem,) = zero_terminal_snr(settings_of({}), facts)

    assert (problem.path, problem.severity) == (ZERO, Severity.WARNING)
    mended = after_suggestion(settings_of({}), problem)
    assert mended.model.v_parameterization == "on"
    assert list(zero_terminal_snr(mended, facts)) == []


def test_clip_skip_is_warned_of_where_the_last_layer_is_left_out_already(
    settings_of: SettingsOf,
) -> None:
    # parameters.json, clip_skip: v2: warning only.
    settings = settings_of({SKIP: 2})

    (problem,) = clip_skip(settings, OPEN)

    assert (problem.path, problem.severity) == (SKIP, Severity.WARNING)
    assert list(clip_skip(after_suggestion(settings, problem), OPEN)) == []
    assert list(clip_skip(settings, {"family": "sd1"})) == []
