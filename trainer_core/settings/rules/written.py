"""What a run file and its records can hold, and what no folder of results is called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import TRAIN, Facts, Rules, TrainSettings
from trainer_core.texts import T, Text, text

_WRITTEN = ("output.output_dir", "output.logging_dir")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # in the name of a file: tabs and line ends too
# How the bytes of a name that is no UTF-8 are kept, and halves of characters.
_NO_TEXT = re.compile(r"[\ud800-\udfff]")


def has_control(path: Path) -> bool:
    """Tell whether a path holds control characters: those of escapes that nobody meant."""
    return _CONTROL.search(str(path)) is not None


def backslash_hint() -> Text:
    r"""Return what to do about a path that was written as ``"D:\training"``."""
    template = T(
        "Problems",
        "A backslash in double quotes makes such characters. Write the path with / or in single "
        "quotes.",
    )
    return text(template)


def unwritable(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse what cannot be recorded: a run file is UTF-8."""
    for path in TRAIN.params():
        value = settings.get(path)
        for entry in value if isinstance(value, tuple) else (value,):
            if not isinstance(entry, str | Path) or _is_text(str(entry)):
                continue
            template, hint = T("Problems", "{value} is not valid text."), None
            shown = _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", str(entry))
            if isinstance(entry, Path):
                template = T(
                    "Problems",
                    "The name of {value} is not valid text (perhaps unpacked from an archive).",
                )
                hint = Suggestion(text(T("Problems", "Rename it.")))
            yield Problem(path, Severity.ERROR, text(template, value=shown), hint)


def _is_text(value: str) -> bool:
    # The first look is for a list of thousands of pictures, which is read again with every edit.
    return value.isascii() or _NO_TEXT.search(value) is None


def folders_with_control_characters(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse to make folders whose names nobody could type."""
    for path in _WRITTEN:
        value = settings.get(path)
        if isinstance(value, Path) and has_control(value):
            message = text(T("Problems", "{path} holds control characters."), path=value)
            yield Problem(path, Severity.ERROR, message, Suggestion(backslash_hint()))


RULES: Rules = (unwritable, folders_with_control_characters)
