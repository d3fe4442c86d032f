"""The docks as they are declared."""

from collections import Counter

import pytest
from PySide6.QtWidgets import QWidget

from desktop_app.docks.catalogue import DOCKS
from desktop_app.theme.icons import icon
from trainer_core.settings.schema import TRAIN


def test_every_setting_is_edited_in_one_dock():
    shown = {path: [dock.name for dock in DOCKS if dock.shows(path)] for path in TRAIN.params()}
    assert {path: docks for path, docks in shown.items() if len(docks) != 1} == {}


def test_names_and_icons_are_given_once():
    assert set(Counter(dock.name for dock in DOCKS).values()) == {1}
    assert set(Counter(dock.icon for dock in DOCKS if dock.icon).values()) == {1}


@pytest.mark.parametrize("dock", DOCKS, ids=lambda dock: dock.name)
def test_a_dock_has_a_picture_and_a_view_of_the_workspace(dock, workspace, qtbot):
    assert not (dock.icon and icon(dock.icon, "#000000").isNull())
    view = dock.build(workspace)
    qtbot.addWidget(view)
    assert isinstance(view, QWidget)
