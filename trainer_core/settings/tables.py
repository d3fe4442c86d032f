"""What is wrong in a list of tables, told of each table by its number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from trainer_core.settings.document import (
    UNSET,
    absolute,
    closest,
    from_raw,
    mistake,
    reason,
    to_raw,
)
from trainer_core.settings.param import Param
from trainer_core.settings.problems import Problem
from trainer_core.texts import T, Text, text


def table_problems(param: Param, rows: list[Any]) -> Iterator[Problem]:
    """Yield what is wrong in a raw list of tables; each problem brings the mended list.

    Numbers of tables count from 1, as people count.
    """
    for place, row in enumerate(rows):
        if isinstance(row, Mapping):
            yield from _row_problems(_Row(param, rows, place), row)
        else:
            template = T("Problems", "{name} must be a table.")
            message = text(template, name=_Row(param, rows, place).name)
            rest = [each for number, each in enumerate(rows) if number != place]
            yield mistake(param.path, message, _remove_it(), {param.path: rest})


def with_absolute_paths(param: Param, rows: list[Any], folder: Path) -> list[Any]:
    """Return a raw list of tables whose relative paths, meant from ``folder``, are absolute."""
    return [
        {name: _absolute(param.columns.get(name), value, folder) for name, value in row.items()}
        if isinstance(row, Mapping)
        else row
        for row in rows
    ]


def row_text(row: Mapping[str, Any]) -> str:
    """Return a table on one line, ``name = value, name = value``, as flags and forms take it."""
    return ", ".join(f"{name} = {tomlkit.item(value).as_string()}" for name, value in row.items())


class _Row:
    """A table of a list, and the changes that mend it."""

    def __init__(self, param: Param, rows: list[Any], place: int) -> None:
        self.param = param
        self.name = f"{param.name}[{place + 1}]"
        self._rows = rows
        self._place = place

    def named(self, column: str) -> str:
        """Return what a value of the table is called."""
        return f"{self.name}.{column}"

    def mistake(self, message: Text, hint: Text, changes: Mapping[str, object]) -> Problem:
        """Return a problem that is mended by other values of the table; None removes one."""
        row = {**self._rows[self._place], **changes}
        row = {name: value for name, value in row.items() if value is not None}
        rows = [*self._rows[: self._place], row, *self._rows[self._place + 1 :]]
        return mistake(self.param.path, message, hint, {self.param.path: rows})


def _row_problems(row: _Row, values: Mapping[str, Any]) -> Iterator[Problem]:
    columns, table = row.param.columns, row.param.spec.table
    assert table is not None, "asked for lists of tables only"
    for name in values.keys() - columns.keys():
        yield _unknown(row, name, values[name])
    known = {name: from_raw(columns[name], values[name]) for name in values if name in columns}
    try:
        table.model_validate(known)
    except ValidationError as error:
        details = {str(each["loc"][0]): each for each in reversed(error.errors(include_url=False))}
        for name, detail in details.items():
            yield _misfit(row, columns[name], detail)


def _unknown(row: _Row, name: str, value: Any) -> Problem:
    message = text(T("Problems", "{name} is no setting."), name=row.named(name))
    guess = closest(name, row.param.columns)
    if guess is None:
        return row.mistake(message, _remove_it(), {name: None})
    hint = text(T("Problems", "Did you mean {guess}?"), guess=guess)
    return row.mistake(message, hint, {name: None, guess: value})


def _misfit(row: _Row, column: Param, detail: ErrorDetails) -> Problem:
    message = reason(replace(column, name=row.named(column.name)), detail)
    given = detail["input"]
    guess = closest(given, column.spec.choices) if isinstance(given, str) else None
    if guess is not None:
        hint = text(T("Problems", "Did you mean {guess}?"), guess=guess)
        return row.mistake(message, hint, {column.name: column.value_of(guess)})
    default = to_raw(column, column.default)
    if default == UNSET:
        return row.mistake(message, _remove_it(), {column.name: None})
    hint = text(T("Problems", "Use the default, {default}."), default=str(default).lower())
    return row.mistake(message, hint, {column.name: default})


def _remove_it() -> Text:
    return text(T("Problems", "Remove it."))


def _absolute(column: Param | None, value: Any, folder: Path) -> Any:
    if column is None or value == UNSET:
        return value
    if column.is_path_list and isinstance(value, list):
        return [absolute(each, folder) for each in value]
    return absolute(value, folder) if column.is_path else value
