"""Folders and files as people read them: from the home folder on, and not too long."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from trainer_core.texts import visible

_FOLDER_CHARACTERS = 48
_LONGEST_RUN = 32  # of characters where a line ends of itself nowhere
_LONG_RUN = re.compile(rf"[^\s/\-]{{{_LONGEST_RUN + 1},}}")
_BREAKS = re.compile(rf"([_.=,;:&]|[^\W_]{{{_LONGEST_RUN}}})(?=\w)")
_BREAK = "\u200b"


def breakable(words: str) -> str:
    """Return words for a label, with places inside long names where a line may end."""
    return _LONG_RUN.sub(lambda run: _BREAKS.sub(rf"\1{_BREAK}", run[0]), words)


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
