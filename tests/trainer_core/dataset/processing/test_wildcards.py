"""Choices in braces."""

from __future__ import annotations

import pytest

from trainer_core.dataset.processing.wildcards import has_choices, without_wildcards


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a {red|blue} cat", "a blue cat"),
        ("{a|b} {c|d|e}", "b e"),
        ("{a|}", ""),
        ("{a}", "a"),
        ("{}", "{}"),
        ("{a", "{a"),
        ("a}", "a}"),
        ("{{a|b}}", "{a|b}"),
        ("{{{x}}}", "{x}"),  # behaviours 42
        ("{a|b}}}", "b}"),
        ("{}}", "{}"),
        ("{a|{{b}}}", "{b}"),
    ],
)
def test_the_last_option_takes_the_place_of_a_choice(line: str, expected: str) -> None:
    assert without_wildcards(line, lambda options: options[-1]) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [("a {b|c}", True), ("a {b}", False), ("a, b|c", False), ("{{a|b}}", False)],
)
def test_a_choice_is_seen(line: str, expected: bool) -> None:
    assert has_choices(line) is expected
