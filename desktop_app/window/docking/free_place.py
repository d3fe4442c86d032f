"""Where a window of some size covers nothing else: plain geometry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from PySide6.QtCore import QRect, QSize

_SHRINKINGS = (1.0, 0.85, 0.7, 0.6, 0.5, 0.4, 0.3)


def free_place(
    size: QSize, least: QSize, taken: Sequence[QRect], screens: Sequence[QRect]
) -> QRect | None:
    """Return a place on one of the screens that covers nothing, as large as there is.

    Args:
        size: What is wanted, in pixels.
        least: What is needed.
        taken: Places that must not be covered.
        screens: Where a window may be, the best first.
    """
    places = (
        place
        for wanted in _sizes(size, least)
        for screen in screens
        for place in _corners(wanted, taken, screen)
        if screen.contains(place)
    )
    free = (place for place in places if not any(map(place.intersects, taken)))
    return next(free, None)


def room_beside(window: QRect, screen: QRect, least: int, needed: int) -> QRect | None:
    """Return a narrower window at the left edge of the screen, with room on its right.

    Args:
        window: The window as it is.
        screen: What it may fill.
        least: The width that it needs.
        needed: The width of the room.

    Returns:
        None if the screen is too narrow for both.
    """
    width = min(window.width(), screen.width() - needed)
    if width < least:
        return None
    return QRect(screen.left(), window.top(), width, window.height()).intersected(screen)


def _sizes(size: QSize, least: QSize) -> list[QSize]:
    """Return the sizes to try, the largest first; no side is made smaller than needed."""
    sizes = {
        (
            max(round(size.width() * across), least.width()),
            max(round(size.height() * down), least.height()),
        )
        for across, down in product(_SHRINKINGS, repeat=2)
    }
    ordered = sorted(sizes, key=lambda sides: sides[0] * sides[1], reverse=True)
    return [QSize(*sides) for sides in ordered]


def _corners(size: QSize, taken: Sequence[QRect], screen: QRect) -> Iterator[QRect]:
    """Return the places of a size that touch an edge of the screen or of what is taken."""
    lefts = [each.right() + 1 for each in taken] + [each.left() - size.width() for each in taken]
    tops = [each.top() for each in taken] + [each.bottom() + 1 for each in taken]
    for left in (*lefts, screen.left(), screen.right() + 1 - size.width()):
        for top in (*tops, screen.top(), screen.bottom() + 1 - size.height()):
            yield QRect(left, top, size.width(), size.height())
