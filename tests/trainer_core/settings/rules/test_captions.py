"""The rules of captions, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from helpers.setting_values import after_suggestion

from trainer_core.settings.problems import Severity
from trainer_core.settings.rules.captions import (
    caption_extension,
    captions_that_are_always_dropped,
    lines_without_prefix,
    separators,
)
from trainer_core.settings.schema import Rule, TrainSettings

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]


@pytest.mark.parametrize(
    ("extension", "is_usable"), [(".txt", True), ("/notes.txt", False), ("..\\a.txt", False)]
)
def test_a_caption_extension_is_no_path(
    settings_of: SettingsOf, extension: str, is_usable: bool
) -> None:
    settings = settings_of({"captions.caption_extension": extension})

    problems = list(caption_extension(settings, {}))
    assert [str(problem.message) for problem in problems] == (
        [] if is_usable else [f"The caption extension {extension} is a path."]
    )
    for problem in problems:
        assert list(caption_extension(after_suggestion(settings, problem), {})) == []


def found_by(rule: Rule, settings: TrainSettings) -> list[str]:
    """Return what a rule says, and check that its way out, where it has one, ends it."""
    problems = list(rule(settings, {}))
    for problem in problems:
        if problem.suggestion is not None and problem.suggestion.changes:
            assert list(rule(after_suggestion(settings, problem), {})) == []
    return [str(problem.message) for problem in problems]


@pytest.mark.parametrize(
    ("separator", "secondary", "shuffle", "message"),
    [
        (",", ";;;", True, None),
        ("|", None, True, None),
        ("", None, False, "The caption separator is empty."),
        (";", ";;;", False, None),
        (";", ";;;", True, "The secondary separator ;;; holds the caption separator ;."),
        (",", ",,", True, "The secondary separator ,, holds the caption separator ,."),
    ],
)
def test_tags_that_should_stay_together_are_not_parted(
    settings_of: SettingsOf, separator: str, secondary: str, shuffle: bool, message: str | None
) -> None:
    settings = settings_of(
        {
            "captions.caption_separator": separator,
            "captions.secondary_separator": secondary or "unset",
            "captions.shuffle_caption": shuffle,
        }
    )
    assert found_by(separators, settings) == ([] if message is None else [message])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"captions.caption_dropout_rate": 0.9}, None),
        ({"captions.caption_dropout_every_n_epochs": 2}, None),
        ({"captions.caption_dropout_rate": 1.0}, "caption_dropout_rate is 1"),
        ({"captions.caption_dropout_every_n_epochs": 1}, "caption_dropout_every_n_epochs is 1"),
    ],
)
def test_a_run_that_never_reads_a_caption_is_warned_of(
    settings_of: SettingsOf, changes: Mapping[str, object], message: str | None
) -> None:
    found = found_by(captions_that_are_always_dropped, settings_of(changes))
    words = "every picture is trained without its caption."
    assert found == ([] if message is None else [f"{message}: {words}"])


def test_the_lines_that_have_no_prefix_are_told(settings_of: SettingsOf) -> None:
    prefix: dict[str, object] = {"captions.caption_prefix": "zxq,"}
    assert list(lines_without_prefix(settings_of(prefix), {})) == []
    with_lines = settings_of(prefix | {"captions.enable_wildcard": True})
    [problem] = lines_without_prefix(with_lines, {})
    assert problem.severity is Severity.NOTICE
    assert "before the first line only" in str(problem.message)
