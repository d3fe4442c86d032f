from functools import partial
from pathlib import Path

import pytest
from helpers.drops import drop
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from desktop_app.help.welcome import Welcome
from desktop_app.window.main_window import MainWindow
from desktop_app.workspace import Workspace
from trainer_core.files.demo_project import DEMO_FOLDER

DEMO, PICTURES, FILE = range(3)


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text('format = "loom/2"\n[adapter]\nnetwork_dim = 16\n', encoding="utf-8")
    return path


def welcomed(window: MainWindow, qtbot: QtBot) -> Welcome:
    """Open the welcome from the menu and return it."""
    window.commands["welcome"].trigger()
    [welcome] = window.findChildren(Welcome)
    with qtbot.waitExposed(welcome):
        pass
    welcome.activateWindow()
    qtbot.waitUntil((welcome.links or welcome.doors)[0].hasFocus)
    return welcome


def test_one_press_trains_the_demo(window: MainWindow, workspace: Workspace, qtbot):
    welcome = welcomed(window, qtbot)
    with qtbot.waitSignals([welcome.finished, workspace.run.started], timeout=20_000):
        qtbot.keyClick(welcome.doors[DEMO], Qt.Key.Key_Return)
    assert workspace.document.path == workspace.data_dir / DEMO_FOLDER / "demo.toml"


def test_the_toolbar_leads_back_to_it(window: MainWindow, qtbot):
    action = window.commands["welcome"]
    qtbot.mouseClick(window.toolbar.widgetForAction(action), Qt.MouseButton.LeftButton)
    assert len(window.findChildren(Welcome)) == 1


def test_the_arrow_keys_go_from_door_to_door(window: MainWindow, qtbot):
    welcome = welcomed(window, qtbot)
    for door in welcome.doors[:-1]:
        assert door.hasFocus()
        qtbot.keyClick(door, Qt.Key.Key_Down)
    assert welcome.doors[FILE].hasFocus()


def test_escape_closes_it_and_opens_nothing(window: MainWindow, workspace: Workspace, qtbot):
    welcome = welcomed(window, qtbot)
    with qtbot.waitSignal(welcome.rejected):
        qtbot.keyClick(welcome, Qt.Key.Key_Escape)
    assert workspace.document.path is None


def test_chosen_pictures_become_the_picture_folder_and_are_shown(
    window: MainWindow, workspace: Workspace, tmp_path: Path, monkeypatch, qtbot
):
    welcome = welcomed(window, qtbot)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    with qtbot.waitSignals([welcome.accepted, workspace.dock_wanted]):
        welcome.doors[PICTURES].click()
    value = partial(workspace.document.value, "dataset.train_data_dir")
    qtbot.waitUntil(lambda: value() == tmp_path.as_posix())
    assert not window.docks.widgets["dataset"].visibleRegion().isEmpty()


def test_a_chosen_file_is_opened(
    window: MainWindow, workspace: Workspace, run_file: Path, monkeypatch, qtbot
):
    welcome = welcomed(window, qtbot)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(run_file), ""))
    with qtbot.waitSignal(welcome.accepted):
        welcome.doors[FILE].click()
    assert workspace.document.path == run_file


@pytest.mark.parametrize("door", [PICTURES, FILE])
def test_it_stays_when_nothing_was_chosen(window: MainWindow, door: int, monkeypatch, qtbot):
    welcome = welcomed(window, qtbot)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    welcome.doors[door].click()
    assert welcome.isVisible()


def test_recent_files_are_offered(window: MainWindow, workspace: Workspace, run_file: Path, qtbot):
    workspace.preferences.remember_file(run_file)
    welcome = welcomed(window, qtbot)
    [link] = [b for b in welcome.findChildren(QPushButton) if b.text() == "mine.toml"]
    with qtbot.waitSignal(welcome.accepted):
        qtbot.keyClick(link, Qt.Key.Key_Return)
    assert workspace.document.path == run_file


def test_a_dropped_file_is_opened(window: MainWindow, workspace: Workspace, run_file: Path, qtbot):
    welcome = welcomed(window, qtbot)
    with qtbot.waitSignal(welcome.accepted):
        assert drop(welcome, run_file)
    qtbot.waitUntil(lambda: workspace.document.path == run_file)


def test_it_fits_a_small_screen(window: MainWindow, workspace: Workspace, qtbot):
    for number in range(10):
        workspace.preferences.remember_file(Path(f"/a/{'long ' * 20}/run {number}.toml"))
    welcome = welcomed(window, qtbot)
    assert welcome.width() <= 1000
    assert welcome.height() <= 600
