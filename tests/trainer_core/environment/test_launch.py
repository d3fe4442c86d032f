"""How many processes a run has is what its launcher put into the environment."""

from __future__ import annotations

import pytest

from trainer_core.environment.launch import is_first_process, process_count, process_rank


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
