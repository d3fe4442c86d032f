"""The raw settings tree and its validation: ``parse(raw) -> (settings or None, problems)``.

A raw document is a plain tree ``{section: {name: value}}`` as TOML gives it, whatever is in it.
It can hold mistakes and be mended; the frozen `TrainSettings` comes out of validation only.
"""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from trainer_core.settings.param import Param
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import TrainSettings, params, path_of, sections
from trainer_core.texts import T, Text, text

UNSET = "unset"  # TOML has no null; this word stands for None where None is not the default too

Raw = dict[str, Any]


def parse(raw: Mapping[str, Any]) -> tuple[TrainSettings | None, list[Problem]]:
    """Validate a raw document.

    Returns:
        The frozen settings, or None if any value cannot be used, and every problem of form:
        unknown sections and names, wrong types, values out of bounds. Checks across settings
        are in `trainer_core.settings.rules`.
    """
    problems: list[Problem] = []
    known: Raw = {}
    for section, values in raw.items():
        if section not in sections():
            problems.append(_unknown_section(section, values))
        elif not isinstance(values, Mapping):
            problems.append(_problem(section, T("Problems", "[{name}] must be a table."), section))
        else:
            known[section] = dict(_known_values(section, values, problems))
    try:
        return _validated(known, problems)
    except ValidationError as error:
        problems.extend(_explain(detail) for detail in error.errors(include_url=False))
        return None, problems


def _validated(known: Raw, problems: list[Problem]) -> tuple[TrainSettings | None, list[Problem]]:
    settings = TrainSettings.model_validate(known)
    broken = any(problem.severity is Severity.ERROR for problem in problems)
    return (None if broken else settings), problems


def _known_values(
    section: str, values: Mapping[str, Any], problems: list[Problem]
) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        param = params().get(f"{section}.{name}")
        if param is None:
            problems.append(_unknown_name(section, name, value))
        else:
            yield name, from_raw(param, value)


def from_raw(param: Param, value: Any) -> Any:
    """Turn a TOML value into the Python value that the setting's type expects, if it can be.

    What does not fit is returned as it is, for validation to name.
    """
    if param.is_optional and value == UNSET:
        return None
    if param.is_path and isinstance(value, str):
        return Path(value) if value.strip() else (None if param.is_optional else value)
    if param.is_tuple and isinstance(value, list):
        return tuple(value)
    return value


def to_raw(param: Param, value: Any) -> Any:
    """Turn a Python value into what a TOML file can hold (None becomes ``"unset"``)."""
    if value is None:
        return UNSET
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, tuple):
        return list(value)
    return value


def from_text(param: Param, words: str) -> Any:
    """Turn the text of a command-line flag into a raw value; what does not fit stays text."""
    words = words.strip()
    if words == UNSET and param.is_optional:
        return UNSET
    if param.is_tuple:
        items = [item for item in words.replace(",", " ").split() if item]
        element = typing.get_args(param.base_type)[0]
        return items if element is str else [_number(item) for item in items]
    if param.base_type is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(words.lower(), words)
    return _number(words) if param.base_type in (int, float) else words


def _number(words: str) -> Any:
    for kind in (int, float):
        try:
            return kind(words)
        except ValueError:
            continue
    return words


def as_raw(settings: TrainSettings) -> Raw:
    """Return every value of ``settings`` as a raw document."""
    tree: Raw = {section: {} for section in sections()}
    for path, param in params().items():
        tree[param.section][param.name] = to_raw(param, settings.get(path))
    return tree


def completed(raw: Mapping[str, Any]) -> Raw:
    """Return ``raw`` with every setting of the sections it touches written out.

    A later change of defaults then cannot change an old run. Unknown keys are kept.
    """
    tree: Raw = {section: dict(values) for section, values in raw.items()}
    for param in params().values():
        if param.section in tree:
            tree[param.section].setdefault(param.name, to_raw(param, param.default))
    return tree


def replaced(raw: Mapping[str, Any], changes: Mapping[str, object]) -> Raw:
    """Return ``raw`` with values changed by path ``section.name``; None removes a key."""
    tree: Raw = {
        section: dict(values) if isinstance(values, Mapping) else values
        for section, values in raw.items()
    }
    for path, value in changes.items():
        section, _, name = path.partition(".")
        if not name:
            tree.pop(section, None)
        elif value is None:
            tree.get(section, {}).pop(name, None)
        else:
            tree.setdefault(section, {})[name] = value
    return tree


def with_absolute_paths(raw: Mapping[str, Any], folder: Path) -> Raw:
    """Return ``raw`` with relative paths made absolute: they are meant from ``folder``."""
    tree = replaced(raw, {})
    for param in params().values():
        values = tree.get(param.section)
        if not param.is_path or not isinstance(values, dict):
            continue
        value = values.get(param.name)
        if isinstance(value, str) and value.strip() and value != UNSET:
            values[param.name] = str((folder / Path(value).expanduser()).absolute())
    return tree


# ------------------------------------------------------------------ problems in words


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that ``word`` was probably meant to be."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def _problem(path: str, template: str, name: str) -> Problem:
    return Problem(path, Severity.ERROR, text(template, name=name))


def _unknown_section(section: str, values: Any) -> Problem:
    message = text(T("Problems", "There is no section [{name}]."), name=section)
    guess = closest(section, sections())
    if guess is None:
        hint = text(T("Problems", "Remove it."))
        return Problem(section, Severity.ERROR, message, Suggestion(hint, {section: None}))
    hint = text(T("Problems", "Did you mean [{guess}]?"), guess=guess)
    changes = {section: None} | (
        {f"{guess}.{name}": value for name, value in values.items()}
        if isinstance(values, Mapping)
        else {}
    )
    return Problem(section, Severity.ERROR, message, Suggestion(hint, changes))


def _unknown_name(section: str, name: str, value: Any) -> Problem:
    path = f"{section}.{name}"
    message = text(T("Problems", "There is no setting {name} in [{section}]."), **_named(path))
    elsewhere = path_of(name)
    if elsewhere is not None:
        hint = text(T("Problems", "It belongs to [{section}]."), **_named(elsewhere))
        return Problem(
            path, Severity.ERROR, message, Suggestion(hint, {path: None, elsewhere: value})
        )
    guess = closest(name, [param.name for param in params().values()])
    target = path_of(guess) if guess else None
    if target is None:
        hint = text(T("Problems", "Remove it."))
        return Problem(path, Severity.ERROR, message, Suggestion(hint, {path: None}))
    hint = text(T("Problems", "Did you mean {name} in [{section}]?"), **_named(target))
    return Problem(path, Severity.ERROR, message, Suggestion(hint, {path: None, target: value}))


def _named(path: str) -> dict[str, str]:
    section, _, name = path.partition(".")
    return {"section": section, "name": name}


_KINDS = {
    bool: T("Problems", "true or false"),
    int: T("Problems", "a whole number"),
    float: T("Problems", "a number"),
    str: T("Problems", "text in quotes"),
    Path: T("Problems", "a path in quotes"),
}


def _explain(detail: ErrorDetails) -> Problem:
    path = ".".join(str(part) for part in detail["loc"][:2])
    param = params()[path]
    shown = repr(detail["input"])[:60]
    return Problem(path, Severity.ERROR, _reason(param, detail, shown), _back_to_default(param))


def _reason(param: Param, detail: ErrorDetails, shown: str) -> Text:
    kind, context = detail["type"], detail.get("ctx", {})
    facts = {"name": param.name, "value": shown}
    if kind == "greater_than_equal":
        template = T("Problems", "{name} is {value}, but must be at least {limit}.")
        return text(template, limit=context["ge"], **facts)
    if kind == "less_than_equal":
        template = T("Problems", "{name} is {value}, but must be at most {limit}.")
        return text(template, limit=context["le"], **facts)
    if kind == "literal_error":
        template = T("Problems", "{name} is {value}, but must be one of {choices}.")
        return text(template, choices=", ".join(param.spec.choices), **facts)
    if param.is_tuple:
        count = len([a for a in typing.get_args(param.base_type) if a is not Ellipsis])
        template = T("Problems", "{name} is {value}, but must be a list of {count} values.")
        open_list = T("Problems", "{name} is {value}, but must be a list of texts.")
        is_open = Ellipsis in typing.get_args(param.base_type)
        return text(open_list, **facts) if is_open else text(template, count=count, **facts)
    wanted = _KINDS.get(param.base_type, param.base_type)
    template = T("Problems", "{name} is {value}, but must be {wanted}.")
    return text(template, wanted=wanted, **facts)


def _back_to_default(param: Param) -> Suggestion:
    raw_default = to_raw(param, param.default)
    message = text(T("Problems", "Use the default, {default}."), default=raw_default)
    return Suggestion(message, {param.path: raw_default})
