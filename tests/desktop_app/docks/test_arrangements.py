"""Where docks stand in the layouts that come with the app."""

import pytest

from desktop_app.docks.arrangements import WIDE_PX, Arrangement, built_in, first_arrangement
from desktop_app.docks.catalogue import DOCKS

ALL = {
    "narrow": first_arrangement(DOCKS, WIDE_PX - 1),
    "wide": first_arrangement(DOCKS, WIDE_PX),
    **built_in(DOCKS),
}


def names(wanted: Arrangement) -> list[str]:
    return [name for groups in wanted.areas.values() for group in groups for name in group]


@pytest.mark.parametrize("wanted", ALL.values(), ids=ALL)
def test_every_dock_is_known_and_stands_in_one_place(wanted: Arrangement) -> None:
    assert len(names(wanted)) == len(set(names(wanted)))
    assert set(names(wanted)) <= {dock.name for dock in DOCKS}
    assert len(wanted.shares) == len(wanted.middle)


@pytest.mark.parametrize("key", ["narrow", "wide"])
def test_at_first_every_dock_is_there_that_is_open_then(key: str) -> None:
    assert set(names(ALL[key])) == {dock.name for dock in DOCKS if dock.is_open}


def together(wanted: Arrangement) -> bool:
    return any({"charts", "samples"} <= set(group) for group in wanted.middle)


def test_charts_and_samples_stand_side_by_side_from_1600_px_on() -> None:
    assert together(first_arrangement(DOCKS, 1599))
    assert not together(first_arrangement(DOCKS, 1600))
    assert not together(built_in(DOCKS)["watch"])
