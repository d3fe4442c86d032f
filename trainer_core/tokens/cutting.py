"""Where the end of a text is cut off that has more tokens than are read."""

from __future__ import annotations

import re
from collections.abc import Callable

# What has tokens of its own: a weight with the bracket that it ends, a word, a mark.
_UNIT = re.compile(r":[+-]?[.\d]+\)|[^\W_]+|[^\w\s]|_")


def cut_place(text: str, limit: int, count: Callable[[str], int]) -> int | None:
    """Return the place in a text from which no word is read whole, None if all of it is read.

    Args:
        text: The text.
        limit: So many tokens are read.
        count: Returns how many tokens a beginning of the text has, with what else is read.
    """
    if count(text) <= limit:
        return None
    ends = [0, *(match.end() for match in _UNIT.finditer(text))]
    fits, cut = 0, len(ends) - 1
    while cut - fits > 1:  # the first of them fits, the last one does not
        middle = (fits + cut) // 2
        if count(text[: ends[middle]]) <= limit:
            fits = middle
        else:
            cut = middle
    return ends[fits]
