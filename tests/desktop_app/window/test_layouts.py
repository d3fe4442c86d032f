"""Named layouts are saved, restored, renamed and removed."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers.answers import Answers
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from desktop_app.docks.catalogue import DOCKS
from desktop_app.preferences import Preferences
from desktop_app.window.layout_name import LayoutName
from desktop_app.window.layouts import LayoutMenu, Layouts
from desktop_app.window.main_window import MainWindow


@pytest.fixture
def typed() -> list[str]:
    """What is typed for names from now on, the next one first."""
    return []


@pytest.fixture
def layouts(
    window: MainWindow, preferences: Preferences, answers: Answers, typed: list[str]
) -> Layouts:
    def ask_name(_: QWidget, name: str, taken: Sequence[str], replaceable: Sequence[str]) -> str:
        return typed.pop(0)

    return Layouts(window.docks, DOCKS, preferences, window, ask=answers, ask_name=ask_name)


def listed(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if action.text() and not action.menu()]


def test_a_saved_layout_brings_everything_back(
    window: MainWindow, layouts: Layouts, typed: list[str], preferences: Preferences, qtbot
):
    docks = window.docks
    docks.widgets["log"].close()
    docks.float_or_return("charts")
    typed.append("Mine & yours")
    layouts.save()
    docks.reset()
    assert not docks.widgets["log"].isHidden()
    again = Preferences(Path(preferences._store.fileName()))
    assert list(again.named_layouts) == ["Mine & yours"]
    layouts.restore("Mine & yours")
    assert docks.widgets["log"].isHidden()
    assert docks.widgets["charts"].isFloating()


@pytest.mark.parametrize("floating", [None, "charts"])
def test_a_layout_saved_in_a_narrow_window_keeps_its_sizes_in_a_wide_one(
    window: MainWindow, layouts: Layouts, typed: list[str], floating: str | None, qtbot
):
    docks = window.docks

    def edges() -> tuple[int, int]:
        return docks.widgets["model"].width(), docks.widgets["problems"].height()

    if floating is not None:
        docks.float_or_return(floating)
    qtbot.wait(50)  # the sizes of the first start are given once it is laid out
    columns = [docks.widgets["model"], docks.widgets["dataset"]]
    window.resizeDocks(columns, [560, 1280 - 560], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: edges()[0] > 540)
    qtbot.wait(50)
    before = edges()
    typed.append("mine")
    layouts.save()
    layouts.use_built_in("prepare")
    qtbot.waitUntil(lambda: edges()[0] < 500)
    window.resize(1920, 720)
    qtbot.wait(50)
    layouts.restore("mine")
    qtbot.wait(50)  # what comes once it is laid out changes nothing either
    assert edges() == pytest.approx(before, abs=1)
    window.resize(1280, 720)
    qtbot.waitUntil(lambda: edges() == pytest.approx(before, abs=1))


def test_a_layout_of_an_earlier_version_of_the_app_is_restored(window: MainWindow, qtbot):
    docks = window.docks
    docks.widgets["log"].close()
    earlier = window.saveState(3)  # Qt's bytes alone
    docks.reset()
    assert docks.restore(earlier)
    assert docks.widgets["log"].isHidden()


def test_a_message_across_the_window_outlasts_a_change_of_the_layout(
    window: MainWindow, layouts: Layouts, typed: list[str], qtbot
):
    typed.append("quiet")
    layouts.save()
    window.banner.tell("notice", "Done.")
    layouts.restore("quiet")
    assert window.banner.isVisible()
    window.banner.dismiss()
    layouts.restore("quiet")
    assert not window.banner.isVisible()


def test_layouts_are_renamed_and_removed(layouts: Layouts, typed: list[str], answers: Answers):
    typed += ["a", "b", "c", ""]
    layouts.save()
    layouts.save()
    layouts.rename("a")
    assert layouts.names == ["c", "b"]
    layouts.rename("c")  # nobody gave a name
    assert layouts.names == ["c", "b"]
    layouts.remove("c")  # not agreed
    assert layouts.names == ["c", "b"]
    answers.agreed = ["remove"]
    layouts.remove("c")
    assert layouts.names == ["b"]


def test_the_menu_lists_what_comes_with_the_app_and_what_was_saved(
    layouts: Layouts, typed: list[str], qtbot
):
    menu = LayoutMenu(layouts)
    qtbot.addWidget(menu)
    assert listed(menu) == ["Prepare", "Watch"]
    typed.append("R&D")
    layouts.save()
    menu.fill()
    assert listed(menu) == ["Prepare", "Watch", "R&&D"]


@pytest.mark.parametrize(
    ("key", "seen"), [("prepare", ("model", "dataset")), ("watch", ("charts", "samples", "run"))]
)
def test_a_layout_of_the_app_shows_its_docks(
    window: MainWindow, layouts: Layouts, key: str, seen: tuple[str, ...], qtbot
):
    layouts.use_built_in(key)
    qtbot.waitUntil(lambda: all(map(window.docks.focus.is_in_sight, seen)))


def test_a_name_that_cannot_be_had_is_told(window: MainWindow, qtbot):
    dialog = LayoutName(window, "", ["Watch"], ["mine"])
    qtbot.addWidget(dialog)
    assert not dialog.accept_button.isEnabled()
    dialog.field.setText("watch ")
    assert not dialog.accept_button.isEnabled()
    assert "Another layout" in dialog.hint.text()
    dialog.field.setText("mine")
    assert dialog.accept_button.isEnabled()
    assert "Replaces" in dialog.hint.text()
