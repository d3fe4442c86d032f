"""Numbers as people write them: ``1e-4``, ``0,5``, and the next one up or down."""

from __future__ import annotations

import math

_SMALLEST_LOG_STEP = 1e-8  # below it a rate counts as 0


def number_text(value: float) -> str:
    """Return the shortest text of a number; small and large ones as ``1e-4``."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):  # a run file can say inf; it is told to be no number
        return str(value)
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    if 1e-3 <= abs(value) < 1e6:
        return repr(value)
    digits, _, exponent = f"{value:.15e}".partition("e")
    short = f"{float(digits):.12g}"
    return f"{short}e{int(exponent)}"


def parse_number(words: str, *, is_whole: bool) -> int | float | str:
    """Return the number that was typed, or the words themselves if they are none."""
    plain = words.strip().replace(",", ".")
    try:
        value = float(plain)
    except ValueError:
        return words.strip()
    if not math.isfinite(value):
        return words.strip()
    if is_whole:
        return int(value) if value.is_integer() else value
    return value


def next_log(value: float, direction: int) -> float:
    """Return the neighbour of ``value`` that differs in its first digit: 1e-4, 2e-4 ... 1e-3."""
    if value <= 0:
        return 1e-6 if direction > 0 else 0.0
    exponent = math.floor(math.log10(value) + 1e-9)
    digit = value / 10**exponent
    digit = math.floor(digit + 1e-9) + 1 if direction > 0 else math.ceil(digit - 1e-9) - 1
    if digit == 0:
        digit, exponent = 9, exponent - 1
    if exponent < math.log10(_SMALLEST_LOG_STEP):
        return 0.0
    return float(f"{digit}e{exponent}")


def next_linear(value: float, step: float, direction: int) -> float:
    """Return the next multiple of ``step`` above or below ``value``."""
    count = value / step
    count = math.floor(count + 1e-9) + 1 if direction > 0 else math.ceil(count - 1e-9) - 1
    return round(count * step, 10)
