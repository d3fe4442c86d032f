"""What can be done with pictures by their menus, keys and links."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox

from desktop_app.dataset_view.picture_commands import PictureCommands
from desktop_app.dataset_view.view import DatasetView
from desktop_app.models.pictures.picture_list import PictureRole
from desktop_app.workspace import Workspace

LIST = "dataset.left_out"


@pytest.fixture
def commands(view: DatasetView) -> PictureCommands:
    view.browser.grid.setFocus()
    return view.browser.commands


def pale(view: DatasetView) -> list[str]:
    model = view.browser.grid.model()
    cells = [model.index(row, 0) for row in range(model.rowCount())]
    return [cell.data() for cell in cells if cell.data(PictureRole.IS_LEFT_OUT)]


def entries(commands: PictureCommands) -> list[str]:
    menu = commands.menu()
    found = [action.text().replace("&", "") for action in menu.actions() if action.text()]
    menu.close()
    return found


def test_ctrl_a_selects_all_and_delete_leaves_them_out(view, commands, workspace, qtbot):
    grid = view.browser.grid
    QTest.keyClick(grid, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(view.browser.selected_rows()) == 4
    qtbot.waitUntil(grid.hasFocus)
    QTest.keyClick(grid, Qt.Key.Key_Delete)

    assert len(workspace.document.value(LIST)) == 4
    qtbot.waitUntil(lambda: len(pale(view)) == 4)
    assert len(view.browser.selected_rows()) == 4, "they can be put back at once"
    commands.put_back.trigger()
    assert workspace.document.value(LIST) == []


def test_a_picture_with_a_problem_is_left_out_and_put_back_by_its_link(
    view, cats, workspace, qtbot
):
    view.reveal(cats / "c.png")
    link = view.browser.details.way_out
    assert link.isVisible(), "it has no caption of its own"
    link.click()
    qtbot.waitUntil(lambda: pale(view) == ["c.png"])
    assert workspace.dataset.scan.plan.pictures == 3
    assert not [f for f in workspace.dataset.findings if f.path.name == "c.png"]

    view.reveal(cats / "c.png")
    link.click()
    qtbot.waitUntil(lambda: pale(view) == [])


def test_undo_puts_back(view, cats, workspace, qtbot):
    workspace.left_out.leave_out([cats / "a.png"])
    qtbot.waitUntil(lambda: pale(view) == ["a.png"])
    workspace.document.undo_stack.undo()
    qtbot.waitUntil(lambda: pale(view) == [])


def test_only_what_is_left_out_can_be_shown(view, cats, workspace, qtbot):
    workspace.left_out.leave_out([cats / "a.png"])
    boxes = {box.text(): box for box in view.browser.bar.findChildren(QCheckBox)}
    qtbot.waitUntil(lambda: pale(view) == ["a.png"])
    boxes = {box.text(): box for box in view.browser.bar.findChildren(QCheckBox)}
    boxes["Left out (1)"].click()
    assert [row.path.name for row in view.browser.listed_rows] == ["a.png"]


def test_the_menu_offers_what_fits_the_selection(view, commands, cats, workspace, qtbot):
    view.reveal(cats / "a.png")
    assert "Leave out of this run" in entries(commands)
    assert "Put back" not in entries(commands)
    workspace.left_out.leave_out([cats / "a.png"])
    qtbot.waitUntil(lambda: pale(view) == ["a.png"])
    assert "Put back" in entries(commands)
    assert "Leave out of this run" not in entries(commands)


def test_copies_go_to_the_clipboard_as_files_and_as_words(view, commands, cats: Path):
    view.reveal(cats / "a.png")
    commands.copy.trigger()
    data = QGuiApplication.clipboard().mimeData()
    assert [Path(url.toLocalFile()) for url in data.urls()] == [cats / "a.png"]
    assert data.text() == str(cats / "a.png")
    commands.copy_caption.trigger()
    assert QGuiApplication.clipboard().text() == "zxq cat, sitting"


def test_all_that_cannot_be_used_is_left_out_in_one_step(
    workspace: Workspace, view: DatasetView, cats: Path, qtbot
):
    (cats / "a.png").write_bytes(b"broken")
    (cats / "b.txt").write_bytes(b"caf\xe9")
    workspace.dataset.rescan()
    qtbot.waitUntil(lambda: len(workspace.problems.unusable) == 2)
    before = workspace.document.undo_stack.count()
    workspace.left_out.leave_out(workspace.problems.unusable)

    qtbot.waitUntil(lambda: pale(view) == ["a.png", "b.png"])
    assert workspace.problems.unusable == ()
    assert workspace.document.undo_stack.count() == before + 1
