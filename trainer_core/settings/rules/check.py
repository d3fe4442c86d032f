"""All rules together: every module of this room that has ``RULES`` is asked."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from trainer_core.settings.problems import Problem
from trainer_core.settings.schema import TRAIN, Facts, Rule, TrainSettings

# What is missing is said first, what merely has no effect last; the rest as the form has it.
_ORDER = ("required", *TRAIN.sections, "subsets", "written", "effects")


def check(settings: TrainSettings, facts: Facts) -> list[Problem]:
    """Return every problem across settings, in the order of the rules; looks at no disk.

    Args:
        settings: What was asked for.
        facts: What "auto" came to, as far as it is known.
    """
    return [problem for rule in all_rules() for problem in rule(settings, facts)]


@functools.cache
def all_rules() -> tuple[Rule, ...]:
    """Return the rules of every module of this room, in order."""
    room = importlib.import_module(__package__)
    found = pkgutil.iter_modules(room.__path__)
    names = sorted((module.name for module in found), key=_place)
    modules = (importlib.import_module(f"{__package__}.{name}") for name in names)
    return tuple(rule for module in modules for rule in getattr(module, "RULES", ()))


def _place(name: str) -> tuple[int, str]:
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER) - 1), name
