"""Texts for people: templates with named values, marked so that ``lupdate`` finds them.

A word that depends on a number stands in brackets with its forms: ``{count} [count:file|files]``
is "1 file" and "2 files". A form may hold the number itself: ``[count:the file|{count} files]``.
A translation may write as many of these as it needs, or none; the first form is that of 1.

``lupdate -tr-function-alias QT_TRANSLATE_NOOP+=T`` extracts every ``T("Context", "...")``.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | float | bool | None

# Control characters, what ends a line or turns its direction, and halves of characters (bytes of
# a file's name that are no text): they would change the sentence, or the terminal, around them.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff]"
)

_UNITS = ("KiB", "MiB", "GiB", "TiB")

_BY_NUMBER = re.compile(r"\[(\w+):([^][]*)\]")


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
        return filled(self.template, self.values)


def text(template: str, **values: object) -> Text:
    """Build a `Text`; values that JSON cannot hold (paths, exceptions, NaN) become strings.

    Control characters, which a file's name can hold, are escaped; the lines of an exception stay.
    """
    return Text(template, {name: _plain(value) for name, value in values.items()})


def visible(words: str | os.PathLike[str]) -> str:
    """Return a name, or what else comes from outside, with control characters as Python's escapes.

    For what is shown: a file of this name cannot be found by it.
    """
    return _UNSEEN.sub(_escaped, os.fspath(words))


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")


def filled(template: str, values: Mapping[str, object]) -> str:
    """Return ``template`` with its values.

    Raises:
        LookupError: It names a value that is not there.
    """

    def form(match: re.Match[str]) -> str:
        one, *more = match[2].split("|")
        return one if str(values[match[1]]) == "1" or not more else more[0]

    return _BY_NUMBER.sub(form, template).format(**values)


def numbers_in(template: str) -> set[str]:
    """Return the names of the values that decide about forms of words in ``template``."""
    return {match[1] for match in _BY_NUMBER.finditer(template)}


def size_text(num_bytes: int) -> str:
    """Return a size in the unit that fits it, such as ``6.9 MiB``."""
    size, unit = num_bytes / 1024, 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return (
        f"{size:.0f} {_UNITS[unit]}" if size >= 100 or unit == 0 else f"{size:.1f} {_UNITS[unit]}"
    )


def _plain(value: object) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str | os.PathLike):
        return visible(value)
    if isinstance(value, int | float | bool | None):
        return value
    return "\n".join(map(visible, str(value).split("\n")))
