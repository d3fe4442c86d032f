"""Texts for people: templates with named values, marked so that ``lupdate`` finds them.

``lupdate -tr-function-alias QT_TRANSLATE_NOOP+=T`` extracts every ``T("Context", "...")``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | float | bool | None


def T(context: str, template: str) -> str:  # noqa: N802 - read by lupdate like Qt's macro
    """Return ``template`` unchanged; the call marks it for translation under ``context``."""
    return template


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence for people, kept apart from its values so that it can be translated late.

    ``template`` uses ``str.format`` names: ``"{path} cannot be read"``.
    """

    template: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format(**self.values)


def text(template: str, **values: object) -> Text:
    """Build a `Text`; values that JSON cannot hold (paths, exceptions, NaN) become strings."""
    return Text(template, {name: _plain(value) for name, value in values.items()})


def _plain(value: object) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)
