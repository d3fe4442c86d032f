"""What a parameter's value may be, in words: the same in flags, the reference and help."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.settings.param import Param, ParamSpec
from trainer_core.texts import T, Text, text


def limits(param: Param) -> Iterator[Text]:
    """Yield the bounds of a parameter, its unit and its choices, as far as it has them."""
    spec = param.spec
    bounds = _bounds(spec)
    if bounds is not None:
        yield bounds
    if spec.unit:
        yield unit_words(spec)
    if spec.choices:
        yield Text("{choices}", {"choices": " | ".join(spec.choices)})


def unit_words(spec: ParamSpec, value: object = "") -> Text:
    """Return the unit of a value; without one it is said of many."""
    return text(spec.unit, value=value)


def _bounds(spec: ParamSpec) -> Text | None:
    low, high = _number(spec.minimum), _number(spec.maximum)
    if low and high:
        return text(T("Settings", "{low} to {high}"), low=low, high=high)
    if low:
        return text(T("Settings", "at least {low}"), low=low)
    if high:
        return text(T("Settings", "at most {high}"), high=high)
    return None


def _number(value: float | None) -> str:
    """Return a bound as people write it: 1, not 1.0."""
    return "" if value is None else f"{value:.12g}"
