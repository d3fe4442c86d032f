"""Folders and files as people read them: from the home folder on, not too long, in order."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path

from trainer_core.texts import visible

_FOLDER_CHARACTERS = 48
_NUMBER = re.compile(r"(\d+)")


@functools.lru_cache(maxsize=2**15)
def natural_key(name: str) -> tuple[tuple[str | int, ...], str]:
    """Return what sorts names as people do: p1, p2, p10; capitals do not matter."""
    # Texts and numbers take turns, so that a text never meets a number.
    parts = _NUMBER.split(name.casefold())
    return tuple(int(part) if n % 2 else part for n, part in enumerate(parts)), name


def from_home(path: Path) -> str:
    """Return a path with the user's folder written as ``~``."""
    try:
        return visible(Path("~") / path.relative_to(Path.home()))
    except ValueError:
        return visible(path)


def places(paths: Sequence[Path]) -> list[str]:
    """Return where the files are: short, but so that two of one name can be told apart."""
    short = [_shortened(path.parent) for path in paths]
    shown_as = [(path.name, place) for path, place in zip(paths, short, strict=True)]
    return [
        place if shown_as.count(each) == 1 else from_home(path.parent)
        for path, place, each in zip(paths, short, shown_as, strict=True)
    ]


def _shortened(folder: Path) -> str:
    words = from_home(folder)
    if len(words) <= _FOLDER_CHARACTERS:
        return words
    # The end of a path tells more than its beginning.
    kept = _FOLDER_CHARACTERS // 3
    return f"{words[:kept]}…{words[kept + 1 - _FOLDER_CHARACTERS :]}"
