"""No more is told of a run than people read; what is left out is counted."""

from __future__ import annotations

import logging

import pytest

from trainer_core.preflight import Preflight
from trainer_core.settings.problems import Problem, Severity
from trainer_core.texts import Text, text
from trainer_core.train.ahead.problems import tell_problems


def many(severity: Severity, count: int) -> list[Problem]:
    return [Problem("", severity, text("Odd: {place}", place=place)) for place in range(count)]


@pytest.mark.parametrize(
    ("count", "last"),
    [
        (5, "Odd: 4"),
        (6, "There is 1 more notice of these kinds; check lists all."),
        (300, "There are 295 more notices of these kinds; check lists all."),
    ],
)
def test_of_many_notices_alike_the_first_are_logged(
    caplog: pytest.LogCaptureFixture, count: int, last: str
) -> None:
    warned: list[str] = []

    def warn(message: Text, hint: Text | None) -> None:
        warned.append(str(message))

    with caplog.at_level(logging.INFO):
        tell_problems(Preflight(many(Severity.NOTICE, count)), warn)
    assert caplog.messages[:5] == [f"Odd: {place}" for place in range(5)]
    assert caplog.messages[-1] == last
    assert len(caplog.messages) <= 6
    assert warned == []


def test_warnings_are_counted_apart_from_notices(caplog: pytest.LogCaptureFixture) -> None:
    warned: list[str] = []

    def warn(message: Text, hint: Text | None) -> None:
        warned.append(str(message))

    found = [*many(Severity.NOTICE, 3), *many(Severity.WARNING, 7)]
    with caplog.at_level(logging.INFO):
        tell_problems(Preflight(found), warn)
    assert caplog.messages == [f"Odd: {place}" for place in range(3)]
    assert warned[-1] == "There are 2 more problems of these kinds; check lists all."
    assert len(warned) == 6
