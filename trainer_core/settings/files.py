"""Run files: TOML with sections and a format line, comments kept."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import InvalidControlChar, ParseError, TOMLKitError, UnexpectedEofError
from tomlkit.items import AoT

from trainer_core.errors import OutputError, SettingsError
from trainer_core.files.presence import is_folder
from trainer_core.files.reading import read_limited
from trainer_core.files.writing import publish_bytes
from trainer_core.settings.document import Raw
from trainer_core.settings.foreign.dataset_toml import is_dataset_config
from trainer_core.settings.migrations import dataset_in_parts
from trainer_core.settings.other_programs import json_file, other_toml
from trainer_core.settings.schema import TRAIN, AnySchema
from trainer_core.texts import T, Text, text

FORMAT_NAME = "loom"
FORMAT_VERSION = 2
FORMAT = f"{FORMAT_NAME}/{FORMAT_VERSION}"
META_KEYS = frozenset({"format", "run"})  # top-level keys that are not settings
_MAX_BYTES = 4 * 2**20
_MAX_DIGITS = 100

_POSITION = re.compile(r" at line \d+ col \d+$")  # as tomlkit ends its sentences, counted from 0

# By the version that it leads on from: changes the tables of a file in place.
MIGRATIONS: Mapping[int, Callable[[MutableMapping[str, Any]], None]] = {1: dataset_in_parts}


@dataclass(slots=True)
class RunFile:
    """A run file as read: the raw settings, and the parsed TOML that holds the comments.

    ``run`` is the ``[run]`` table that the trainer adds to the copy in the run folder (the
    run's ``id`` and the ``seed`` drawn); empty in a user's file. ``newline`` ends its lines.
    """

    raw: Raw = field(default_factory=dict)
    toml: tomlkit.TOMLDocument = field(default_factory=tomlkit.document)
    run: Mapping[str, Any] = field(default_factory=dict)
    newline: str = "\n"


def load(path: Path) -> RunFile:
    """Read a run file.

    Raises:
        SettingsError: The file is missing, is not UTF-8 or TOML, or not a run file of ours.
    """
    content = _read(path)
    run_file = loads(content.replace("\r\n", "\n"), str(path))
    run_file.newline = "\r\n" if "\r\n" in content else "\n"
    return run_file


def loads(content: str, name: str) -> RunFile:
    """Read a run file from its text; ``name`` is what errors call it.

    Raises:
        SettingsError: The text is not TOML, or not a run file of this program.
    """
    _refuse_other(json_file(content, name))
    toml = _parsed(content, name)
    plain = toml.unwrap()
    if _has_long_number(plain):
        raise SettingsError(
            T("Errors", "{path} holds a number of more than {limit} digits."),
            T("Errors", "Correct it in a text editor."),
            path=name,
            limit=_MAX_DIGITS,
        )
    if "format" not in plain:
        hint = None
        if is_dataset_config(plain):
            hint = T("Errors", "Import it into a run file: in the File menu, or by import.")
        _refuse_other(other_toml(plain, name), hint)
    version = _version(plain.get("format"), name)
    for number in range(version, FORMAT_VERSION):
        MIGRATIONS[number](toml)  # which keeps the comments
        plain = toml.unwrap()
    raw = {key: value for key, value in plain.items() if key not in META_KEYS}
    run = plain.get("run")
    return RunFile(raw, toml, run if isinstance(run, dict) else {})


def dumps(run_file: RunFile, schema: AnySchema = TRAIN) -> str:
    """Return the text of ``run_file``: its raw values in its own TOML, comments kept.

    Every setting of the sections it touches is written.
    """
    toml = tomlkit.parse(tomlkit.dumps(run_file.toml))
    raw = schema.completed(run_file.raw)
    if "format" not in toml:
        fresh = tomlkit.document()
        fresh["format"] = FORMAT
        for key, item in toml.items():
            fresh[key] = item
        toml = fresh
    toml["format"] = FORMAT
    for section in [key for key in toml if key not in META_KEYS and key not in raw]:
        toml.remove(section)
    for section, values in raw.items():
        _update(toml, section, values)
    if run_file.run:
        _update(toml, "run", dict(run_file.run))
    return tomlkit.dumps(toml)


def save(path: Path, run_file: RunFile, *, replace: bool, schema: AnySchema = TRAIN) -> None:
    """Write ``run_file`` aside and rename it to ``path``.

    Raises:
        OutputError: It cannot be written, or exists and ``replace`` is False.
    """
    content = dumps(run_file, schema).replace("\n", run_file.newline)
    try:
        data = content.encode()
    except UnicodeEncodeError as error:
        raise OutputError(
            T("Errors", "{path} cannot be written: a name in it is not valid text: {name}"),
            T("Errors", "Rename that file or folder, and choose it again."),
            path=path,
            name=_word_around(content, error.start),
        ) from error
    publish_bytes(path, data, replace=replace)


def _word_around(content: str, place: int) -> str:
    begin, end = content.rfind('"', 0, place) + 1, content.find('"', place)
    return content[begin:end].encode(errors="replace").decode()  # question marks for bytes


def _has_long_number(value: object) -> bool:
    """Tell whether there is a number that nothing can reckon with, nor Python write down."""
    if isinstance(value, dict | list):
        return any(map(_has_long_number, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and abs(value) >= 10**_MAX_DIGITS


def _parsed(content: str, name: str) -> tomlkit.TOMLDocument:
    message = T("Errors", "{path} is not a valid TOML file: {reason}")
    try:
        return tomlkit.parse(content)
    except RecursionError as error:
        reason = T("Errors", "its tables or lists are nested too deep")
        hint = T("Errors", "Choose a run file (.toml).")
        raise SettingsError(message, hint, path=name, reason=reason) from error
    except TOMLKitError as error:
        line, column = _place_of(error, content)
        reason = _reason_of(error)
        hint = T("Errors", "Correct line {line}, column {column} in a text editor.")
        # The end of the file counts as a line of its own, which `content` need not have.
        if any("\\" in text for text in content.split("\n")[line - 1 : line]):
            hint = T("Errors", "In line {line}, write the path with / or in single quotes.")
        raise SettingsError(
            message, hint, path=name, reason=reason, line=line, column=column
        ) from error


def _reason_of(error: TOMLKitError) -> str:
    reason = _POSITION.sub("", str(error)).rstrip(".")
    is_sign_of_end = reason.endswith("'\\x00'")  # a character that tomlkit puts there
    if isinstance(error, UnexpectedEofError) or is_sign_of_end:
        return T("Errors", "the file ends in the middle")
    if isinstance(error, InvalidControlChar):
        return T("Errors", "a text in quotes does not end on its line")
    return reason


def _place_of(error: TOMLKitError, content: str) -> tuple[int, int]:
    """Return line and column of a mistake, counted from 1 as editors do."""
    if isinstance(error, ParseError):
        return error.line, error.col + 1
    # tomlkit does not say where a key was given twice; Python's own reader does, in words.
    try:
        tomllib.loads(content)
    except tomllib.TOMLDecodeError as found:
        place = re.search(r"line (\d+), column (\d+)", str(found))
        if place is not None:
            return int(place[1]), int(place[2])
    return 1, 1


def _read(path: Path) -> str:
    hint = T("Errors", "Choose a run file (.toml).")
    try:
        return read_limited(path, _MAX_BYTES).decode("utf-8-sig")
    except FileNotFoundError as error:
        raise SettingsError(T("Errors", "There is no file {path}."), hint, path=path) from error
    except UnicodeDecodeError as error:
        raise SettingsError(
            T("Errors", "{path} is not UTF-8 text."),
            T("Errors", "Save it as UTF-8 in a text editor, or choose a run file (.toml)."),
            path=path,
        ) from error
    except OSError as error:
        # Windows calls that a lack of permission.
        if is_folder(path):
            message = T("Errors", "{path} is a folder, not a run file.")
            raise SettingsError(message, hint, path=path) from error
        raise SettingsError(
            T("Errors", "{path} cannot be read: {reason}"), hint, path=path, reason=error.strerror
        ) from error


def _refuse_other(sentence: Text | None, hint: str | None = None) -> None:
    if sentence is not None:
        hint = hint or T("Errors", "Choose a run file (.toml), or enter its values in a new one.")
        raise SettingsError.in_words(sentence, text(hint))


def _version(value: object, name: str) -> int:
    match = re.fullmatch(rf"{FORMAT_NAME}/(\d+)", value) if isinstance(value, str) else None
    if match is None:
        raise SettingsError(
            T("Errors", '{path} is not a LoRA Loom run file: it has no line format = "{format}".'),
            T("Errors", "Add that line if it is one, or choose another file."),
            path=name,
            format=FORMAT,
        )
    version = int(match.group(1))
    if not 1 <= version <= FORMAT_VERSION:
        raise SettingsError(
            T("Errors", "{path} has format {found}; this version reads up to {format}."),
            T("Errors", "Update LoRA Loom to open it."),
            path=name,
            found=value,
            format=FORMAT,
        )
    return version


def _update(toml: tomlkit.TOMLDocument, section: str, values: Any) -> None:
    if not isinstance(values, dict) or not isinstance(toml.get(section), dict):
        toml[section] = tomlkit.item(values)
        return
    table: Any = toml[section]
    before = table.unwrap()
    for name in before.keys() - values.keys():
        table.remove(name)
    for name, value in values.items():
        # Compared as text: 1, 1.0 and true are equal, but not the same setting.
        if name in before and repr(before[name]) == repr(value):
            continue
        if isinstance(table.get(name), AoT) and isinstance(value, list) and value:
            _update_tables(table[name], value)
        else:
            table[name] = value


def _update_tables(tables: AoT, rows: Sequence[Mapping[str, Any]]) -> None:
    """Bring a list of tables up to ``rows``; comments stay where the number of tables does."""
    while len(tables) > len(rows):
        tables.pop()
    for table, row in zip(tables.body, rows, strict=False):
        for name in table.unwrap().keys() - row.keys():
            table.remove(name)
        for name, value in row.items():
            if name not in table or repr(table.unwrap()[name]) != repr(value):
                table[name] = value
    for row in rows[len(tables) :]:
        tables.append(tomlkit.item(dict(row)))
