"""How many processes a run has is what its launcher put into the environment."""

from __future__ import annotations

import pytest

from trainer_core.environment.launch import (
    EVENTS_VARIABLE,
    events_are_asked_for,
    is_first_process,
    process_count,
    process_rank,
)


def test_without_a_launcher_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORLD_SIZE", "RANK"):
        monkeypatch.delenv(name, raising=False)

    assert (process_count(), process_rank(), is_first_process()) == (1, 0, True)


def test_a_launcher_numbers_its_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("RANK", "3")

    assert (process_count(), process_rank(), is_first_process()) == (4, 3, False)


def test_words_of_another_program_are_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "large")

    assert process_count() == 1


@pytest.mark.parametrize(("words", "is_asked"), [("1", True), ("0", False), ("", False)])
def test_events_are_for_those_who_ask(
    monkeypatch: pytest.MonkeyPatch, words: str, is_asked: bool
) -> None:
    monkeypatch.delenv(EVENTS_VARIABLE, raising=False)
    assert not events_are_asked_for()

    monkeypatch.setenv(EVENTS_VARIABLE, words)
    assert events_are_asked_for() is is_asked
