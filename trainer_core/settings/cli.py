"""Command-line flags derived from the settings: one per setting, and ``--set key=value``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence

from trainer_core.catalogue.entry import ON
from trainer_core.errors import SettingsError
from trainer_core.settings.document import closest, from_text, to_raw
from trainer_core.settings.limits import limits
from trainer_core.settings.param import Param
from trainer_core.settings.schema import AnySchema
from trainer_core.texts import T

_DEST = "setting:"


def add_setting_flags(parser: argparse.ArgumentParser, schema: AnySchema) -> None:
    """Add ``--set`` and one flag per setting, grouped like the sections of the form."""
    parser.add_argument(
        "--set",
        dest="assignments",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="set any setting, by its name or section.name",
    )
    for section, title in schema.titles.items():
        group = parser.add_argument_group(title)
        for param in schema.params().values():
            if param.section == section:
                _add_flag(group, param)


def _add_flag(group: argparse._ArgumentGroup, param: Param) -> None:
    spec = param.spec
    bounds = ", ".join(str(each) for each in limits(param))
    bounds = f" [{bounds}]" if bounds else ""
    help_text = f"{spec.help}{bounds} (default: {to_raw(param, param.default)})".replace("%", "%%")
    if param.is_path_list:
        several = f"give it several times, or separate paths by {os.pathsep!r}"
        help_text = f"{help_text}; {several}"
    elif param.columns:
        help_text = f"{help_text}; give it once for each, as 'image_dir = \"cats\", is_reg = true'"
    elif param.is_gathered:
        help_text = f"{help_text}; give it once for each"
    is_switch = param.base_type is bool or ON in spec.choices
    group.add_argument(
        f"--{param.name}",
        dest=f"{_DEST}{param.path}",
        metavar="VALUE",
        action="append" if param.is_gathered else "store",
        nargs="?" if is_switch else None,
        const="true" if is_switch else None,
        help=help_text,
    )


def changes_from_flags(arguments: argparse.Namespace, schema: AnySchema) -> Mapping[str, object]:
    """Return the raw values given on the command line by path ``section.name``.

    Raises:
        SettingsError: ``--set`` names no setting, or has no ``=``.
    """
    changes: dict[str, object] = {}
    for assignment in arguments.assignments:
        path, words = _assignment(assignment, schema)
        _set(changes, schema.params()[path], words)
    for name, value in vars(arguments).items():
        if name.startswith(_DEST) and value is not None:
            for words in value if isinstance(value, list) else [value]:
                _set(changes, schema.params()[name.removeprefix(_DEST)], words)
    return changes


def _set(changes: dict[str, object], param: Param, words: str) -> None:
    """Take one value; paths and prompts join those that were given before."""
    before, value = changes.get(param.path), from_text(param, words)
    if param.is_gathered and isinstance(before, list):
        value = [*before, *value]
    changes[param.path] = value


def _assignment(assignment: str, schema: AnySchema) -> tuple[str, str]:
    key, sign, words = (part.strip() for part in assignment.partition("="))
    if not sign:
        raise SettingsError(
            T("Errors", "--set {words} has no value."),
            T("Errors", "Write it as --set key=value."),
            words=assignment,
        )
    path = key if key in schema.params() else schema.path_of(key.rpartition(".")[2])
    if path is None or (("." in key) and path != key):
        guess = closest(key.rpartition(".")[2], setting_names(schema))
        raise SettingsError(
            T("Errors", "There is no setting {name}."),
            T("Errors", "Did you mean {guess}?")
            if guess
            else T("Errors", "lora-loom-trainer describe lists them all."),
            name=key,
            guess=guess,
        )
    return path, words


def setting_names(schema: AnySchema) -> Sequence[str]:
    """Return the names of all settings."""
    return [param.name for param in schema.params().values()]
