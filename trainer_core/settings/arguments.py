"""Extra arguments for library classes, written as ``name=value`` with Python literals."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from trainer_core.errors import SettingsError
from trainer_core.texts import T


def parse_arguments(entries: Iterable[str]) -> dict[str, object]:
    """Return the named values of entries such as ``weight_decay=0.1`` or ``betas=0.9,0.99``.

    Raises:
        SettingsError: An entry is not ``name=value``, its value is no Python literal, or its
            name was given before.
    """
    arguments: dict[str, object] = {}
    for entry in entries:
        name, value = _parse_entry(entry)
        if name in arguments:
            raise SettingsError(
                T("Errors", "The argument {name} is given twice."),
                T("Errors", "Keep one of them."),
                name=name,
            )
        arguments[name] = value
    return arguments


def _parse_entry(entry: str) -> tuple[str, object]:
    name, equals, value = (part.strip() for part in entry.partition("="))
    if not equals or not name.isidentifier():
        raise SettingsError(
            T("Errors", "The argument {entry} is not of the form name=value."),
            T("Errors", "Write it like weight_decay=0.1 or betas=0.9,0.99."),
            entry=entry,
        )
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise SettingsError(
            T("Errors", "The value of the argument {entry} cannot be read."),
            T("Errors", "Use a number, True, False, None, a text in quotes, or a list of these."),
            entry=entry,
        ) from error
