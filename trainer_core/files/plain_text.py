"""Whether what was read from a file is text at all, and where its lines end."""

from __future__ import annotations

import re
from dataclasses import dataclass

# The C0 and C1 controls without tab, line feed and carriage return.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_HALF = re.compile(r"[\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class ControlCharacter:
    """A character that no text has, as the first of them in one.

    Attributes:
        line: From 1.
        code: As Unicode writes it: ``U+0007``.
    """

    line: int
    code: str

    @property
    def is_null(self) -> bool:
        """True for what a damaged file, or one of another encoding, is full of."""
        return self.code == "U+0000"


def find_control(text: str) -> ControlCharacter | None:
    """Return the first control character of a text, but for tabs and ends of lines."""
    found = _CONTROL.search(text)
    if found is None:
        return None
    line = text.count("\n", 0, found.start()) + 1
    return ControlCharacter(line, f"U+{ord(found.group()):04X}")


def find_half(text: str) -> str | None:
    """Return the first half of a character that has lost the other, as in ``U+D83D``.

    JSON can hold one, UTF-8 cannot.
    """
    found = _HALF.search(text)
    return None if found is None else f"U+{ord(found.group()):04X}"


def lines_of(text: str) -> list[str]:
    """Return the lines of a text as editors show them; nothing else ends one.

    ``str.splitlines`` would also split at a vertical tab and at Unicode's separators, which stand
    inside what people copy.
    """
    return _LINE_END.split(text)
