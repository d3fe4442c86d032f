from pathlib import Path

import pytest
from helpers.answers import Answers
from PySide6.QtWidgets import QMenu, QWidget

from desktop_app.commands.files import FileCommands
from desktop_app.commands.recent_menu import RecentMenu
from desktop_app.preferences import Preferences
from desktop_app.workspace import Workspace


@pytest.fixture
def opened() -> list[Path]:
    return []


@pytest.fixture
def menu(preferences: Preferences, opened: list[Path], qtbot) -> QMenu:
    made = RecentMenu(preferences, opened.append)
    qtbot.addWidget(made)
    return made


def labels(menu: QMenu) -> list[str]:
    menu.aboutToShow.emit()
    return [action.text() for action in menu.actions() if not action.isSeparator()]


def test_an_empty_list_says_so(menu: QMenu):
    assert labels(menu) == ["none yet"]


def test_every_file_has_a_number_to_press(menu: QMenu, preferences: Preferences):
    for number in range(10):
        preferences.remember_file(Path(f"/runs/{number}.toml"))
    listed = labels(menu)
    assert [label.split()[0] for label in listed[:10]] == [f"&{n}" for n in range(1, 10)] + ["1&0"]
    assert "9.toml" in listed[0]
    assert listed[10] == "&Clear list"


def test_the_sign_of_a_key_in_a_name_is_shown_as_it_is(menu: QMenu, preferences: Preferences):
    preferences.remember_file(Path("/runs/cats & dogs.toml"))
    assert "cats && dogs.toml" in labels(menu)[0]


def test_a_chosen_file_is_opened(menu: QMenu, preferences: Preferences, opened: list[Path]):
    preferences.remember_file(Path("/runs/mine.toml"))
    labels(menu)
    menu.actions()[0].trigger()
    assert opened == [Path("/runs/mine.toml")]


def test_the_list_can_be_cleared(menu: QMenu, preferences: Preferences):
    preferences.remember_file(Path("/runs/mine.toml"))
    labels(menu)
    menu.actions()[-1].trigger()
    assert preferences.recent_files == []
    assert labels(menu) == ["none yet"]


@pytest.fixture
def commands(workspace: Workspace, answers: Answers, qtbot) -> FileCommands:
    window = QWidget()
    qtbot.addWidget(window)
    return FileCommands(workspace, window, ask=answers)


@pytest.mark.parametrize("answer", ["forget", "cancel"])
def test_a_file_that_is_gone_can_be_taken_off_the_list(
    commands: FileCommands, workspace: Workspace, answers: Answers, tmp_path: Path, answer: str
):
    gone = tmp_path / "gone.toml"
    workspace.preferences.remember_file(gone)
    answers.agreed = [answer]
    assert not commands.open_recent(gone)
    assert answers.questions[0].message == "gone.toml is no longer there."
    assert workspace.preferences.recent_files == ([] if answer == "forget" else [gone])
