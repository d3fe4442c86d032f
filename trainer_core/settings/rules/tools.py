"""What holds for the settings of every tool."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from trainer_core.settings.param import Param
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.rules.effects import idle_values
from trainer_core.settings.rules.places import path_message
from trainer_core.settings.schema import Facts, Schema, Settings
from trainer_core.texts import T, text

_WANTED = {  # of each kind of path
    "file": T("Problems", "Choose a file: {name}."),
    "folder": T("Problems", "Choose a folder: {name}."),
    "file_or_folder": T("Problems", "Choose a file or folder: {name}."),
    "new_file": T("Problems", "Choose a new file: {name}."),
}


def check_values(schema: Schema[Settings], settings: Settings, facts: Facts) -> list[Problem]:
    """Return what the values alone tell: what is missing, and what has no effect."""
    return [*_missing(schema, settings, facts), *idle_values(schema, settings, facts)]


def check_places(schema: Schema[Settings], settings: Settings, facts: Facts) -> list[Problem]:
    """Return what only the disk can tell; a drive that is gone may take long.

    What is read must exist, and a new file must not: nothing is ever replaced.
    """
    return list(_misplaced(schema, settings, facts))


def _missing(schema: Schema[Settings], settings: Settings, facts: Facts) -> Iterator[Problem]:
    for path, param in schema.params().items():
        is_given = settings.get(path) not in (None, "", ())
        if param.spec.required and not is_given and not schema.idle(param, settings.get, facts):
            template = _WANTED.get(param.spec.path_kind or "", T("Problems", "{name} is needed."))
            message = text(template, name=param.name)
            yield Problem(path, Severity.ERROR, message, is_missing=True)


def _misplaced(schema: Schema[Settings], settings: Settings, facts: Facts) -> Iterator[Problem]:
    for path, param in schema.params().items():
        value = settings.get(path)
        entries = value if isinstance(value, tuple) else (value,)
        paths = [entry for entry in entries if isinstance(entry, Path)]
        if paths and not schema.idle(param, settings.get, facts):
            yield from _of_one(param, paths)


def _of_one(param: Param, paths: Sequence[Path]) -> Iterator[Problem]:
    hint = T("Problems", "Choose another one, or correct the path.")
    if param.spec.path_kind == "new_file":
        hint = T("Problems", "Choose another name: nothing is replaced.")
    for each in paths:
        message = path_message(param, each)
        if message is not None:
            yield Problem(param.path, Severity.ERROR, message, Suggestion(text(hint)))
