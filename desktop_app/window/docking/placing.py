"""Puts docks where an arrangement wants them, and one of several tabs into a place of its own."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

from desktop_app.docks.arrangements import Arrangement, Group

LEFT_WIDTH_PX = 460
_ACROSS, _DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
_LEFT, _MIDDLE = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea


def place(
    window: QMainWindow,
    docks: Mapping[str, QDockWidget],
    homes: Mapping[str, Qt.DockWidgetArea],
    wanted: Arrangement,
) -> None:
    """Open and close the docks and put them where ``wanted`` says; sizes are for `give_sizes`.

    Args:
        window: The window of the docks.
        docks: All of them by name.
        homes: The area in which each one waits if ``wanted`` does not name it.
        wanted: Which docks are open and where.
    """
    # Docks that are not tabs yet stand below one another and would make the window taller.
    layout = window.layout()
    assert layout is not None, "a main window has one from the beginning"
    layout.setEnabled(False)
    for dock in docks.values():
        dock.setFloating(False)
        window.removeDockWidget(dock)
    opened = {name for groups in wanted.areas.values() for group in groups for name in group}
    for area, groups in wanted.areas.items():
        closed = tuple(name for name in docks if name not in opened and homes[name] == area)
        _place_area(window, docks, area, groups, closed)
    layout.setEnabled(True)
    for name, dock in docks.items():
        dock.setVisible(name in opened)
    for groups in wanted.areas.values():
        for first, *_ in groups:
            docks[first].raise_()


def give_sizes(
    window: QMainWindow, docks: Mapping[str, QDockWidget], wanted: Arrangement, width: int
) -> None:
    """Give the areas and the columns of the middle their sizes, once the window is laid out.

    Args:
        window: The window of the docks, ``width`` wide.
        docks: All of them by name.
        wanted: What they were placed by.
        width: In device-independent pixels.
    """
    rest = width
    firsts = [docks[group[0]] for group in wanted.middle]
    if wanted.left:
        rest = max(width - LEFT_WIDTH_PX, 1)
    widths = [rest * share // sum(wanted.shares) for share in wanted.shares]
    if wanted.left:
        firsts, widths = [docks[wanted.left[0][0]], *firsts], [LEFT_WIDTH_PX, *widths]
    window.resizeDocks(firsts, widths, _ACROSS)
    if wanted.bottom and wanted.middle:
        above, below = docks[wanted.middle[0][0]], docks[wanted.bottom[0][0]]
        rest = max(window.height() - wanted.bottom_height, 1)
        window.resizeDocks([above, below], [rest, wanted.bottom_height], _DOWN)


def share_middle(
    window: QMainWindow, docks: Mapping[str, QDockWidget], wanted: Arrangement
) -> None:
    """Divide what the middle has among its columns, as ``wanted`` says; all else stays."""
    tabs = [[docks[name] for name in group] for group in wanted.middle]
    fronts = [next((d for d in g if not d.visibleRegion().isEmpty()), g[0]) for g in tabs]
    whole = sum(dock.width() for dock in fronts)
    widths = [whole * share // sum(wanted.shares) for share in wanted.shares]
    window.resizeDocks(fronts, widths, _ACROSS)
    layout = window.layout()
    assert layout is not None, "a main window has one from the beginning"
    layout.activate()  # before anything else asks for the widths


def split(
    window: QMainWindow,
    docks: Mapping[str, QDockWidget],
    dock: QDockWidget,
    direction: Qt.Orientation,
) -> dict[QDockWidget, QSize]:
    """Give one of several tabs the right, or the lower, half of their place.

    Qt adds what is to stand beside a tab to the tabs, unless the others are gone meanwhile; closed
    docks of the area count among them.

    Returns:
        The sizes that the docks in sight are to have, for `apply_sizes`.
    """
    first, *rest = tabs_beside(window, dock)
    in_sight = [each for each in docks.values() if not each.visibleRegion().isEmpty()]
    sizes = {each: each.size() for each in in_sight if each.window() is window}
    place = next((sizes.pop(each) for each in (dock, first, *rest) if each in sizes), dock.size())
    half = QSize(place.width() // 2, place.height())
    if direction == _DOWN:
        half = QSize(place.width(), place.height() // 2)
    area = window.dockWidgetArea(dock)
    closed = [
        each
        for each in docks.values()
        if each.isHidden() and not each.isFloating() and window.dockWidgetArea(each) == area
    ]
    window.setUpdatesEnabled(False)
    for each in (dock, *rest, *closed):
        window.removeDockWidget(each)
    _split_lone(window, first, dock, direction, half)
    dock.show()
    for each in (*rest, *closed):
        window.tabifyDockWidget(first, each)
        each.setVisible(each not in closed)
    first.raise_()
    window.setUpdatesEnabled(True)
    # Those split come first: the last one of an area decides about its size, and the new one may
    # lie across all the others.
    return {dock: half, first: half, **sizes}


def apply_sizes(window: QMainWindow, sizes: Mapping[QDockWidget, QSize]) -> None:
    """Give docks these sizes, as far as they go together."""
    docks = list(sizes)
    window.resizeDocks(docks, [size.width() for size in sizes.values()], _ACROSS)
    window.resizeDocks(docks, [size.height() for size in sizes.values()], _DOWN)


def tabs_beside(window: QMainWindow, dock: QDockWidget) -> list[QDockWidget]:
    """Return the open docks that share the place of ``dock`` as tabs."""
    return [each for each in window.tabifiedDockWidgets(dock) if not each.isHidden()]


def _place_area(
    window: QMainWindow,
    docks: Mapping[str, QDockWidget],
    area: Qt.DockWidgetArea,
    groups: tuple[Group, ...],
    closed: Group,
) -> None:
    if not groups:
        groups = (closed,) if closed else ()
    elif closed:
        groups = (groups[0] + closed, *groups[1:])
    direction = _DOWN if area == _LEFT else _ACROSS
    for first, *_ in groups:  # tabs would be put side by side too, were they there already
        window.addDockWidget(area, docks[first], direction)
        docks[first].show()
    for first, *others in groups:
        for other in others:
            window.tabifyDockWidget(docks[first], docks[other])
            docks[other].show()


def _split_lone(
    window: QMainWindow,
    first: QDockWidget,
    second: QDockWidget,
    direction: Qt.Orientation,
    half: QSize,
) -> None:
    """Halve the place of a dock that was one of several tabs.

    What is left of the tabs may lie in the same direction, which makes the second one a tab again:
    a helper across gives it another.
    """
    across = _ACROSS if direction == _DOWN else _DOWN
    window.splitDockWidget(first, second, direction)
    if _are_apart(window, first, second, half):
        return
    area = window.dockWidgetArea(first)
    window.removeDockWidget(second)
    helper = QDockWidget(window)
    window.splitDockWidget(first, helper, across)
    window.splitDockWidget(first, second, direction)
    window.removeDockWidget(helper)
    helper.deleteLater()
    if not _are_apart(window, first, second, half):
        window.removeDockWidget(second)
        window.addDockWidget(area, second, direction)


def _are_apart(window: QMainWindow, first: QDockWidget, second: QDockWidget, half: QSize) -> bool:
    """Tell whether two docks are both in sight; Qt puts tabs behind others out of the window."""
    second.show()
    apply_sizes(window, {first: half, second: half})
    layout = window.layout()
    assert layout is not None, "a main window has one from the beginning"
    layout.activate()
    return all(window.rect().intersects(dock.geometry()) for dock in (first, second))
