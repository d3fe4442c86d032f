"""A growing curve that can be drawn at any length: it thins itself to what the screen can show."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from desktop_app.late_modules import late

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = late("numpy")

Floats: TypeAlias = "NDArray[np.float64]"

_FIRST_CAPACITY = 1024


class Series:
    """Points with rising x, in buffers that double as they fill."""

    def __init__(self) -> None:
        self._count = 0

    @cached_property
    def _x(self) -> Floats:
        return np.empty(_FIRST_CAPACITY)

    @cached_property
    def _y(self) -> Floats:
        return np.empty(_FIRST_CAPACITY)

    def __len__(self) -> int:
        return self._count

    @property
    def x(self) -> Floats:
        """The points' x, as a view that is valid until the next change."""
        return self._x[: self._count]

    @property
    def y(self) -> Floats:
        """The points' y, likewise."""
        return self._y[: self._count]

    def append(self, x: float, y: float) -> None:
        """Add a point; what stood at this x or beyond is dropped, so that x keeps rising."""
        if self._count and x <= self._x[self._count - 1]:
            self.drop_from(x)
        if self._count == len(self._x):
            self._x, self._y = _doubled(self._x), _doubled(self._y)
        self._x[self._count] = x
        self._y[self._count] = y
        self._count += 1

    def drop_from(self, x: float) -> None:
        """Drop every point at ``x`` or beyond."""
        if self._count:
            self._count = int(np.searchsorted(self.x, x, side="left"))

    def clear(self) -> None:
        """Drop every point."""
        self._count = 0

    def replace(self, x: Floats, y: Floats) -> None:
        """Hold copies of these points instead."""
        self._x, self._y, self._count = _buffer(x), _buffer(y), len(x)

    def nearest(self, x: float) -> float | None:
        """Return the x of the point that is nearest to ``x``; None without points."""
        if not self._count:
            return None
        right = min(int(np.searchsorted(self.x, x)), self._count - 1)
        left = max(right - 1, 0)
        is_left_nearer = x - self._x[left] <= self._x[right] - x
        return float(self._x[left if is_left_nearer else right])

    def value_at(self, x: float) -> float | None:
        """Return the y of the point at ``x``; None if there is no such point."""
        place = int(np.searchsorted(self.x, x))
        if place == self._count or self._x[place] != x:
            return None
        return float(self._y[place])

    def between(self, first: float, last: float, *, points: int) -> tuple[Floats, Floats]:
        """Return about ``points`` points at most that draw like all from ``first`` to ``last``.

        One neighbour on each side is included, so that lines leave the picture where they should.
        """
        start = max(int(np.searchsorted(self.x, first, side="left")) - 1, 0)
        stop = min(int(np.searchsorted(self.x, last, side="right")) + 1, self._count)
        return thinned(self.x[start:stop], self.y[start:stop], points=points)


def _doubled(values: Floats) -> Floats:
    # Nothing is written beyond what is there: memory that was never touched costs nothing.
    doubled = np.empty(2 * len(values))
    doubled[: len(values)] = values
    return doubled


def _buffer(values: Floats) -> Floats:
    buffer = np.empty(len(values) + max(len(values), _FIRST_CAPACITY))
    buffer[: len(values)] = values
    return buffer


def thinned(x: Floats, y: Floats, *, points: int) -> tuple[Floats, Floats]:
    """Return the lowest and the highest point of each of ``points / 2`` bins, in order of x.

    Peaks survive at any zoom. A curve that is short enough is returned as it is.
    """
    bins = max(points // 2, 1)
    if len(x) <= 2 * bins:
        return x, y
    size = -(-len(x) // bins)
    whole = len(x) // size * size
    blocks = y[:whole].reshape(-1, size)
    offsets = np.arange(0, whole, size)
    lowest, highest = offsets + blocks.argmin(axis=1), offsets + blocks.argmax(axis=1)
    if whole < len(x):
        lowest = np.append(lowest, whole + y[whole:].argmin())
        highest = np.append(highest, whole + y[whole:].argmax())
    chosen = np.stack([np.minimum(lowest, highest), np.maximum(lowest, highest)], axis=1).ravel()
    return x[chosen], y[chosen]


def smoothed(y: Floats, weight: float) -> Floats:
    """Return the exponential moving average of ``y``, corrected for its start at zero.

    ``s_n = weight * s_(n-1) + (1 - weight) * y_n``, divided by ``1 - weight^n`` as Adam does for
    its moments (Kingma & Ba 2015, arXiv:1412.6980, section 3).

    Args:
        y: Values, finite.
        weight: 0 (not smoothed) up to, not including, 1.
    """
    if weight <= 0.0 or not len(y):
        return y.copy()
    average = np.empty_like(y)
    # Written out, s_n = weight^n * (s_0 + (1 - weight) * sum of y_k / weight^k): one cumulative
    # sum per block, blocks short enough that weight^-k stays far below what a float64 can hold.
    length = max(1, min(len(y), int(-100 / np.log10(weight))))
    powers = weight ** np.arange(1, length + 1)
    carried = 0.0
    for start in range(0, len(y), length):
        block = y[start : start + length]
        decay = powers[: len(block)]
        average[start : start + length] = decay * (
            carried + (1 - weight) * np.cumsum(block / decay)
        )
        carried = average[start + len(block) - 1]
    return average / (1 - weight ** np.arange(1, len(y) + 1))
