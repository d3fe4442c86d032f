"""Where the docks stand at the first start, and the layouts that come with the app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt

from desktop_app.docks.dock import Dock
from trainer_core.texts import T

Group = tuple[str, ...]  # names of docks that share a place as tabs, the first one in front

WIDE_PX = 1600  # of a window: from here on there is room for two columns in its middle


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Which docks are open and where; those that are not named are closed.

    Attributes:
        title: What a menu calls it, a template of context "App".
        left: The groups beside the middle, below one another.
        middle: The groups that get what is left, side by side.
        bottom: The groups below the middle, side by side.
        shares: How wide the groups of the middle are, relative to one another.
        bottom_height: In device-independent pixels.
    """

    title: str
    left: tuple[Group, ...] = ()
    middle: tuple[Group, ...] = ()
    bottom: tuple[Group, ...] = ()
    shares: tuple[int, ...] = (1,)
    bottom_height: int = 170

    @property
    def areas(self) -> Mapping[Qt.DockWidgetArea, tuple[Group, ...]]:
        """The groups by the area of the window that they stand in."""
        return {
            Qt.DockWidgetArea.LeftDockWidgetArea: self.left,
            Qt.DockWidgetArea.RightDockWidgetArea: self.middle,
            Qt.DockWidgetArea.BottomDockWidgetArea: self.bottom,
        }


def first_arrangement(docks: Sequence[Dock], width: int) -> Arrangement:
    """Return how the docks stand in a window that nobody arranged.

    Args:
        docks: Those of the catalogue.
        width: Of the window, in device-independent pixels.
    """
    area = Qt.DockWidgetArea
    middle = [dock for dock in docks if dock.is_open and dock.area == area.RightDockWidgetArea]
    aside = [dock for dock in middle if dock.is_aside and width >= WIDE_PX]
    rows = [[dock for dock in middle if dock not in aside], aside]
    return Arrangement(
        T("App", "First layout"),
        left=_groups(_open_in(docks, area.LeftDockWidgetArea)),
        middle=_groups(*rows),
        bottom=_groups(_open_in(docks, area.BottomDockWidgetArea)),
        shares=(3, 2) if aside else (1,),
    )


def built_in(docks: Sequence[Dock]) -> Mapping[str, Arrangement]:
    """Return the layouts of the View menu that come with the app, by the names they are kept by."""
    settings = tuple(dock.name for dock in docks if dock.sections)
    return {
        "prepare": Arrangement(
            T("App", "Prepare"),
            left=(settings,),
            middle=(("dataset", "run"),),
            bottom=(("problems", "log"),),
        ),
        "watch": Arrangement(
            T("App", "Watch"),
            middle=(("charts",), ("samples",)),
            bottom=(("run",), ("log", "problems")),
            shares=(1, 1),
            bottom_height=260,
        ),
    }


def _open_in(docks: Sequence[Dock], area: Qt.DockWidgetArea) -> list[Dock]:
    return [dock for dock in docks if dock.is_open and dock.area == area]


def _groups(*rows: Sequence[Dock]) -> tuple[Group, ...]:
    """Return the names of each row of docks, what is in front first."""
    ordered = (sorted(row, key=lambda dock: not dock.is_in_front) for row in rows if row)
    return tuple(tuple(dock.name for dock in row) for row in ordered)
