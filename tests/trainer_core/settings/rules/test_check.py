"""Every rule is asked, in an order that people can follow."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainer_core.settings import rules
from trainer_core.settings.rules.check import all_rules, check
from trainer_core.settings.schema import TrainSettings

MODULES = [
    importlib.import_module(f"{rules.__name__}.{found.name}")
    for found in pkgutil.iter_modules(rules.__path__)
]

NEW_RULE = """
from trainer_core.settings.problems import Problem, Severity
from trainer_core.texts import text

def never(settings, facts):
    yield Problem("model.family", Severity.NOTICE, text("A new rule was asked."))

RULES = (never,)
"""


@pytest.fixture
def room_with_a_new_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "loss.py").write_text(NEW_RULE, encoding="utf-8")
    monkeypatch.setattr(rules, "__path__", [*rules.__path__, str(tmp_path)])
    all_rules.cache_clear()
    yield
    all_rules.cache_clear()


@pytest.mark.usefixtures("room_with_a_new_module")
def test_a_new_module_is_found_by_itself() -> None:
    messages = [str(problem.message) for problem in check(TrainSettings(), {})]

    assert "A new rule was asked." in messages


def test_every_rule_that_is_written_is_asked() -> None:
    written = {
        function
        for module in MODULES
        for function in vars(module).values()
        if inspect.isfunction(function)
        and not function.__name__.startswith("_")
        and list(inspect.signature(function).parameters) == ["settings", "facts"]
    } - {check}

    assert set(all_rules()) == written


def test_what_is_missing_is_said_first_and_what_has_no_effect_last() -> None:
    names = [rule.__name__ for rule in all_rules()]

    assert names[0] == "required_values"
    assert names[-1] == "values_without_effect"
