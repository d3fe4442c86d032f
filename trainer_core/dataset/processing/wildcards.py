"""Wildcards: of ``{red|green}`` one is taken, of several lines one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

Choose = Callable[[Sequence[str]], str]
"""Takes one of several texts."""

# Doubled braces are read first, from the left, and stand for themselves, inside a choice too.
_BRACES = re.compile(r"\{\{|\}\}|\{((?:\}\}|[^}])++)\}")


def lines_of_caption(caption: str) -> list[str]:
    """Return the lines of a caption, of which wildcards take one."""
    return caption.split("\n")


def without_wildcards(line: str, choose: Choose) -> str:
    """Return a line with one option in the place of each choice, and single braces.

    Args:
        line: Choices reach from a brace to the first one that ends them.
        choose: Asked for each choice, from the left, for one of its options.
    """

    def chosen(match: re.Match[str]) -> str:
        options = match[1]
        return match[0] if options is None else choose(options.split("|"))

    if "{" not in line and "}" not in line:
        return line
    return "".join(map(_single, _parts(line, chosen)))


def has_choices(line: str) -> bool:
    """Tell whether anything of a line would be drawn."""
    return any(match[1] and "|" in match[1] for match in _BRACES.finditer(line))


def _parts(line: str, chosen: Callable[[re.Match[str]], str]) -> Iterator[str]:
    """Yield what stands between braces, and what takes the place of them."""
    begin = 0
    for match in _BRACES.finditer(line):
        yield line[begin : match.start()]
        yield chosen(match)
        begin = match.end()
    yield line[begin:]


def _single(part: str) -> str:
    return part.replace("{{", "{").replace("}}", "}")
