"""The value of a setting as people read it: labels, units, names instead of paths."""

from __future__ import annotations

from pathlib import Path

from desktop_app.translation import choice_label, shown
from desktop_app.words.numbers import number_text
from trainer_core.settings.document import from_raw
from trainer_core.settings.param import Param
from trainer_core.settings.tables import row_text
from trainer_core.texts import T


def value_words(param: Param, raw: object) -> str:
    """Return what the form shows for a raw value, with its unit."""
    value = from_raw(param, raw)
    if value is None or isinstance(value, bool) or str(value) in param.spec.choices:
        return choice_label(param, value)
    if isinstance(value, Path):
        return str(value)
    if param.columns and isinstance(raw, list):
        rows = (row_text(row) if isinstance(row, dict) else str(row) for row in raw)
        return "; ".join(rows) or "–"
    if isinstance(value, tuple):
        joint = " × " if param.length == 2 else " "
        return _with_unit(joint.join(str(each) for each in value), param) if value else "–"
    if isinstance(value, int | float):
        return _with_unit(number_text(value), param)
    return str(value) if value else "–"


def count_words(value: int) -> str:
    """Return a number with its thousands set apart."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def size_words(size_bytes: int) -> str:
    """Return the size of a file, such as ``6.9 MiB``."""
    if size_bytes < 1024:
        return shown(T("App", "{size} [size:byte|bytes]"), size=size_bytes)
    if size_bytes < 1024**2:
        size = size_bytes / 1024
        return shown(T("App", "{size} KiB"), size=f"{size:.3g}" if size < 100 else f"{size:.0f}")
    if size_bytes < 1024**3:
        return shown(T("App", "{size} MiB"), size=f"{size_bytes / 1024**2:.1f}")
    return shown(T("App", "{size} GiB"), size=f"{size_bytes / 1024**3:.2f}")


def _with_unit(words: str, param: Param) -> str:
    unit = shown(param.spec.unit, value=words)
    return f"{words} {unit}" if unit else words
