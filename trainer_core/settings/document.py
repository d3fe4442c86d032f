"""Raw values and Python values, and what of either does not fit, in words.

A raw document is a plain tree ``{section: {name: value}}`` as TOML gives it, whatever is in it.
It can hold mistakes and be mended; frozen settings come out of `Schema.parse` only.
"""

from __future__ import annotations

import difflib
import functools
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from trainer_core.catalogue.entry import ON, position
from trainer_core.files.plain_text import lines_of
from trainer_core.settings.param import Param
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.texts import T, Text, text

UNSET = "unset"  # TOML has no null; this word stands for None where None is not the default too

Raw = dict[str, Any]

_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_WORD = re.compile(r'"([^"]+)"|(\S+)')


def from_raw(param: Param, value: Any) -> Any:
    """Turn a TOML value into the Python value that the setting's type expects, if it can be.

    What does not fit is returned as it is, for validation to name.
    """
    if param.is_optional and value == UNSET:
        return None
    if param.is_path and isinstance(value, str):
        return Path(value) if value.strip() else (None if param.is_optional else value)
    if param.length is not None:
        value = _numbers_of(param, value)
    if param.columns and isinstance(value, list):
        value = [_table(param, row) for row in value]
    if param.is_path_list and isinstance(value, list):
        value = [_path(v) if isinstance(v, str) and v.strip() else v for v in value]
    if param.is_tuple and isinstance(value, list):
        return tuple(value)
    return _switched(param, value)


def _switched(param: Param, value: Any) -> Any:
    """Return true and false as the choices that they are where something may also be detected."""
    if isinstance(value, bool) and position(value) in param.spec.choices:
        return position(value)
    return value


def _table(param: Param, row: Any) -> Any:
    """Return a table of a list as the settings hold it, if it can be one."""
    table, columns = param.spec.table, param.columns
    if table is None or not isinstance(row, Mapping) or not row.keys() <= columns.keys():
        return row
    try:
        return table.model_validate({name: from_raw(columns[name], row[name]) for name in row})
    except ValidationError:
        return row


def _numbers_of(param: Param, value: Any) -> Any:
    """Return one number as so many equal ones and "512,512" as a list; leave the rest."""
    words = value.replace(",", " ").split() if isinstance(value, str) else []
    numbers = [_number(word) for word in words] or [value]
    kinds = int if param.element_type is int else (int, float)
    if not all(isinstance(number, kinds) for number in numbers) or isinstance(value, bool):
        return value
    return numbers * (param.length or 1) if len(numbers) == 1 else numbers


def to_raw(param: Param, value: Any) -> Any:
    """Turn a Python value into what a TOML file can hold (None becomes ``"unset"``)."""
    if value is None:
        return UNSET
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, BaseModel):
        said = sorted(value.model_fields_set, key=list(param.columns).index)
        return {name: to_raw(param.columns[name], getattr(value, name)) for name in said}
    if isinstance(value, tuple):
        return [to_raw(param, each) for each in value]
    return value


def from_text(param: Param, words: str) -> Any:
    """Turn the text of a command-line flag into a raw value; what does not fit stays text."""
    words = words.strip()
    if words == UNSET and param.is_optional:
        return UNSET
    if param.length is not None:
        return _numbers_of(param, words)
    if param.is_path_list:
        return [path for path in words.split(os.pathsep) if path.strip()]
    if param.columns:
        return _table_of_text(words)
    if param.spec.prompts:
        return [line.strip() for line in lines_of(words) if line.strip()]
    if param.is_tuple:
        # A comma may be part of a text, as in betas=0.9,0.99; in quotes a space may be too.
        return [quoted or plain for quoted, plain in _WORD.findall(words)]
    if param.base_type is bool:
        return _FLAGS.get(words.lower(), words)
    if ON in param.spec.choices:
        return _switched(param, _FLAGS.get(words.lower(), words))
    return _number(words) if param.base_type in (int, float) else words


def _table_of_text(words: str) -> Any:
    """Return the table that ``name = value, name = value`` stands for, as a list of one."""
    try:
        return [tomllib.loads(f"table = {{{words}}}")["table"]] if words else []
    except tomllib.TOMLDecodeError:
        return words


def _number(words: str) -> Any:
    for kind in (int, float):
        try:
            return kind(words)
        except ValueError:
            continue
    return words


def replaced(raw: Mapping[str, Any], changes: Mapping[str, object]) -> Raw:
    """Return ``raw`` with values changed by path ``section.name``; None removes a key.

    A section that is no table becomes one as soon as it gets a value.
    """
    tree: Raw = {
        section: dict(values) if isinstance(values, Mapping) else values
        for section, values in raw.items()
    }
    for path, value in changes.items():
        section, _, name = path.partition(".")
        values = tree.get(section)
        if not name:
            tree.pop(section, None)
        elif value is not None:
            if not isinstance(values, dict):
                values = tree[section] = {}
            values[name] = value
        elif isinstance(values, dict):
            values.pop(name, None)
    return tree


def absolute(value: Any, folder: Path) -> Any:
    """Return a raw path as a whole one: it is meant from ``folder``. Others stay as they are."""
    if not isinstance(value, str) or not value.strip():
        return value
    path = _path(value)
    is_whole = path.is_absolute()
    return str(path if is_whole else (folder / _expanded(value)).absolute())


@functools.lru_cache(maxsize=2**14)
def _path(words: str) -> Path:
    """Return a path, made once: a list of thousands is read again with every edit."""
    return Path(words)


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # "~name" of nobody on this machine is a plain name
        return Path(path)


# ------------------------------------------------------------------ problems in words


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that ``word`` was probably meant to be."""
    by_lower_case = {each.casefold(): each for each in known}
    # Strict, so that a name of another program's is not taken for one of ours that it resembles.
    matches = difflib.get_close_matches(word.casefold(), by_lower_case, n=1, cutoff=0.8)
    return by_lower_case[matches[0]] if matches else None


def mistake(path: str, message: Text, hint: Text, changes: Mapping[str, object]) -> Problem:
    """Return the problem of a raw value, with the changes that mend it."""
    return Problem(path, Severity.ERROR, message, Suggestion(hint, changes))


_KINDS = {
    bool: T("Problems", "true or false"),
    int: T("Problems", "a whole number"),
    float: T("Problems", "a number"),
    str: T("Problems", "text in quotes"),
    Path: T("Problems", "a path in quotes"),
}


def explained(error: ValidationError, params: Mapping[str, Param]) -> list[Problem]:
    """Return one problem for each setting, though a list may have several bad values."""
    problems: dict[str, Problem] = {}
    for detail in error.errors(include_url=False):
        path = ".".join(str(part) for part in detail["loc"][:2])
        problems.setdefault(path, _explain(params[path], detail))
    return list(problems.values())


def _explain(param: Param, detail: ErrorDetails) -> Problem:
    path, given = param.path, detail["input"]
    guess = closest(given, param.spec.choices) if isinstance(given, str) else None
    if guess is not None:
        hint = text(T("Problems", "Did you mean {guess}?"), guess=guess)
        return mistake(path, reason(param, detail), hint, {path: param.value_of(guess)})
    changes = {path: to_raw(param, param.default)}
    return mistake(path, reason(param, detail), _default_hint(param), changes)


def _default_hint(param: Param) -> Text:
    if param.default is None:
        return text(T("Problems", "Leave it unset."))
    if param.default == ():
        return text(T("Problems", "Leave it empty."))
    raw = to_raw(param, param.default)
    words = " × ".join(map(_plain, raw)) if isinstance(raw, list) else _plain(raw)
    return text(T("Problems", "Use the default, {default}."), default=words)


def reason(param: Param, detail: ErrorDetails) -> Text:
    """Return why a value does not fit, in words."""
    kind = detail["type"]
    facts = {"name": param.name, "value": _shown(detail["input"])}
    if kind in ("greater_than_equal", "less_than_equal"):
        return _limit_reason(param, detail)
    if param.spec.choices:
        template = T("Problems", "{name} is {value}, but must be one of {choices}.")
        return text(template, choices=", ".join(param.spec.choices), **facts)
    if param.is_tuple:
        return _list_reason(param, detail, facts)
    template = T("Problems", "{name} is {value}, but must be {wanted}.")
    return text(template, wanted=_KINDS[param.base_type], **facts)


def _limit_reason(param: Param, detail: ErrorDetails) -> Text:
    context, facts = detail["ctx"], {"name": param.name, "value": _plain(detail["input"])}
    if "ge" in context:
        template = T("Problems", "{name} is {value}, but must be at least {limit}.")
        if param.is_tuple:
            template = T("Problems", "{name} holds {value}, but each must be at least {limit}.")
        return text(template, limit=_plain(context["ge"]), **facts)
    template = T("Problems", "{name} is {value}, but must be at most {limit}.")
    if param.is_tuple:
        template = T("Problems", "{name} holds {value}, but each must be at most {limit}.")
    return text(template, limit=_plain(context["le"]), **facts)


def _list_reason(param: Param, detail: ErrorDetails, facts: Mapping[str, str]) -> Text:
    is_element = len(detail["loc"]) > 2 and detail["type"] != "missing"
    if is_element and not param.columns:
        template = T("Problems", "{name} holds {value}, where {wanted} is needed.")
        return text(template, wanted=_KINDS[param.element_type], **facts)
    if param.columns:
        return text(T("Problems", "{name} is {value}, but must be a list of tables."), **facts)
    if param.is_path_list:
        return text(T("Problems", "{name} is {value}, but must be a list of paths."), **facts)
    if param.length is None:
        return text(T("Problems", "{name} is {value}, but must be a list of texts."), **facts)
    template = T(
        "Problems", "{name} is {value}, but must be a list of {count} [count:value|values]."
    )
    return text(template, count=param.length, **facts)


def _plain(value: object) -> str:
    """Return a value as people write it: 1, not 1.0."""
    return f"{value:.12g}" if isinstance(value, float) else _shown(value)


def _shown(value: object) -> str:
    """Return a raw value as a run file would have it, cut to a readable length."""
    return json.dumps(value, ensure_ascii=False, default=str)[:60]
