"""The description of every setting, derived from the declarations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trainer_core.settings.document import to_raw
from trainer_core.settings.limits import limits, unit_words
from trainer_core.settings.param import ActsIf, Param
from trainer_core.settings.schema import AnySchema


def describe(schema: AnySchema) -> list[dict[str, Any]]:
    """Return one plain record per setting: type, default, bounds, help and when it acts."""
    return [_record(schema, param) for param in schema.params().values()]


def describe_lines(schema: AnySchema) -> Iterator[str]:
    """Yield the description as text for a terminal."""
    section = ""
    for param in schema.params().values():
        record = _record(schema, param)
        if param.section != section:
            section = param.section
            yield f"[{section}]  {schema.titles[section]}"
        facts = [record["type"], f"default {record['default']}", *map(str, limits(param))]
        yield f"  {param.name}  ({', '.join(facts)})"
        yield f"      {record['label']}: {record['help']}"
        if param.spec.required:
            yield "      Needed."
        if record["unset"]:
            yield f"      Unset: {record['unset']}."
        if record["when"]:
            yield f"      Acts if {' and '.join(record['when'])}."
        if record["columns"]:
            yield f"      Each may have: {', '.join(param.columns)}."


def _record(schema: AnySchema, param: Param) -> dict[str, Any]:
    spec = param.spec
    return {
        "section": param.section,
        "name": param.name,
        "type": _type_name(param),
        "optional": param.is_optional,
        "default": to_raw(param, param.default),
        "minimum": spec.minimum,
        "maximum": spec.maximum,
        "unit": str(unit_words(spec)),
        "unset": spec.unset_label,
        "required": spec.required,
        "choices": {value: choice.label for value, choice in spec.choices.items()},
        "label": spec.label,
        "help": spec.help,
        "when": [_condition(condition) for condition in schema.conditions(param)],
        "advanced": spec.advanced,
        "columns": [_record(schema, column) for column in param.columns.values()],
    }


def _type_name(param: Param) -> str:
    if param.columns:
        return "tables"
    if param.is_tuple:
        return "list"
    if param.spec.choices:
        return "choice"
    names = {"Path": "path", "str": "text"}
    name: str = param.base_type.__name__
    return names.get(name, name)


def _condition(condition: ActsIf) -> str:
    if not condition.values:
        return f"{' or '.join((condition.name, *condition.or_set))} is set"
    if condition.values == (None,):
        return f"{condition.name} is not set"
    return f"{condition.name} is {' or '.join(condition.words)}"
