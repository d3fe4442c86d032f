"""The description of every setting, derived from the declarations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trainer_core.settings.document import to_raw
from trainer_core.settings.param import ActsIf, Param
from trainer_core.settings.schema import SECTION_TITLES, params


def describe() -> list[dict[str, Any]]:
    """Return one plain record per setting: type, default, bounds, help and when it acts."""
    return [_record(param) for param in params().values()]


def describe_lines() -> Iterator[str]:
    """Yield the description as text for a terminal."""
    section = ""
    for record in describe():
        if record["section"] != section:
            section = record["section"]
            yield f"[{section}]  {SECTION_TITLES[section]}"
        yield f"  {record['name']}  ({_summary(record)})"
        yield f"      {record['label']}: {record['help']}"
        if record["unset"]:
            yield f"      Unset: {record['unset']}."
        if record["when"]:
            yield f"      Acts if {' and '.join(record['when'])}."


def _record(param: Param) -> dict[str, Any]:
    spec = param.spec
    return {
        "section": param.section,
        "name": param.name,
        "type": _type_name(param),
        "optional": param.is_optional,
        "default": to_raw(param, param.default),
        "minimum": spec.minimum,
        "maximum": spec.maximum,
        "unit": spec.unit,
        "unset": spec.unset_label,
        "choices": {value: choice.label for value, choice in spec.choices.items()},
        "label": spec.label,
        "help": spec.help,
        "when": [_condition(condition) for condition in spec.when],
        "advanced": spec.advanced,
    }


def _type_name(param: Param) -> str:
    if param.is_tuple:
        return "list"
    if param.spec.choices:
        return "choice"
    names = {"Path": "path", "str": "text"}
    name: str = param.base_type.__name__
    return names.get(name, name)


def _condition(condition: ActsIf) -> str:
    if not condition.values:
        return f"{condition.name} is set"
    if condition.values == (None,):
        return f"{condition.name} is not set"
    return f"{condition.name} is {' or '.join(condition.words)}"


def _summary(record: dict[str, Any]) -> str:
    parts = [record["type"], f"default {record['default']}"]
    if record["minimum"] is not None or record["maximum"] is not None:
        parts.append(f"{record['minimum']} to {record['maximum']}")
    if record["unit"]:
        parts.append(record["unit"])
    if record["choices"]:
        parts.append(" | ".join(record["choices"]))
    return ", ".join(parts)
