from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QLabel, QListView, QPushButton, QWidget

from desktop_app.docks.problems import ProblemsView
from desktop_app.models.problems_model import Column
from desktop_app.workspace import Workspace
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.texts import Text


@pytest.fixture
def view(workspace: Workspace, qtbot) -> QWidget:
    view = ProblemsView(workspace)
    qtbot.addWidget(view)
    view.resize(800, 200)
    view.show()
    return view


def select(view: QWidget, workspace: Workspace, path: str) -> QListView:
    """Make the row of a problem the current one."""
    rows = range(workspace.problems.rowCount())
    row = next(row for row in rows if workspace.problems.entry(row).path == path)
    [table] = view.findChildren(QListView)
    table.setCurrentIndex(workspace.problems.index(row, Column.MESSAGE))
    return table


def visible_buttons(view: QWidget) -> list[QPushButton]:
    return [button for button in view.findChildren(QPushButton) if button.isVisible()]


def test_a_click_leads_to_the_setting(view: QWidget, workspace: Workspace, qtbot):
    table = select(view, workspace, "dataset.train_data_dir")
    place = table.visualRect(table.currentIndex()).center()
    with qtbot.waitSignal(workspace.setting_wanted) as blocker:
        qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert blocker.args == ["dataset.train_data_dir"]


def test_a_suggestion_is_applied_from_here(view: QWidget, workspace: Workspace):
    workspace.document.apply({"adapter.netwrok_dim": 32}, "a typing mistake")
    select(view, workspace, "adapter.netwrok_dim")
    [button] = visible_buttons(view)
    button.click()
    assert workspace.document.value("adapter.network_dim") == 32


def test_a_problem_that_only_a_person_can_solve_has_no_button(view: QWidget, workspace: Workspace):
    select(view, workspace, "dataset.train_data_dir")
    assert visible_buttons(view) == []


@pytest.mark.parametrize("picture", ["", "/pictures/a.png"])  # which has a button too
def test_a_long_cause_and_its_remedy_are_wrapped_and_never_cut(
    view: QWidget, workspace: Workspace, picture: str
):
    long = Problem(
        "dataset.train_data_dir",
        Severity.ERROR,
        Text("Gone. " * 40),
        Suggestion(Text("Go. " * 40)),
        picture=picture,
    )
    workspace.problems.set_problems([long])
    [table] = view.findChildren(QListView)
    words = table.fontMetrics().horizontalAdvance("Gone. " * 40 + "Go. " * 40)
    for width in (1200, 600):
        view.resize(width, 400)
        area = table.visualRect(workspace.problems.index(0, 0))
        lines = words // min(table.viewport().width(), 900)
        assert area.height() >= lines * table.fontMetrics().height()


def test_the_button_of_a_row_that_is_not_the_current_one_works_too(
    view: QWidget, workspace: Workspace, qtbot
):
    workspace.document.apply({"adapter.netwrok_dim": 32}, "a typing mistake")
    select(view, workspace, "dataset.train_data_dir")
    [table] = view.findChildren(QListView)
    rows = range(workspace.problems.rowCount())
    row = next(r for r in rows if workspace.problems.entry(r).path == "adapter.netwrok_dim")
    index = workspace.problems.index(row, 0)
    [place] = table.itemDelegate().buttons(table.visualRect(index), index)
    assert place.left() < 100  # below the cause, not at the other end of a wide row
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place.center())
    assert workspace.document.value("adapter.network_dim") == 32


def test_every_way_out_has_a_button_in_its_row(view: QWidget, workspace: Workspace, qtbot):
    ways = [Suggestion(Text(f"Rank {n}"), {"adapter.network_dim": n}) for n in (16, 32)]
    which = Problem(
        "adapter.network_dim", Severity.ERROR, Text("Which?"), ways[0], other_ways=(ways[1],)
    )
    workspace.problems.set_problems([which])
    [table] = view.findChildren(QListView)
    index = workspace.problems.index(0, 0)
    area = table.visualRect(index)
    first, second = table.itemDelegate().buttons(area, index)
    assert area.contains(first)
    assert area.contains(second)
    assert not first.intersects(second)
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=second.center())
    assert workspace.document.value("adapter.network_dim") == 32


def test_pictures_that_cannot_be_used_are_left_out_one_by_one_or_all_at_once(
    view: QWidget, workspace: Workspace, qtbot
):
    paths = ["/pictures/a.png", "/pictures/b.png", "/pictures/c.png"]
    found = [
        Problem("dataset.train_data_dir", Severity.ERROR, Text(path), picture=path)
        for path in paths
    ]
    workspace.problems.set_problems(found)
    [one, all_at_once] = sorted(visible_buttons(view), key=lambda button: len(button.text()))
    one.click()
    assert workspace.document.value("dataset.left_out") == paths[:1]
    workspace.problems.set_problems(found[1:])
    all_at_once.click()
    assert workspace.document.value("dataset.left_out") == paths
    workspace.problems.set_problems([])
    assert not all_at_once.parentWidget().isVisibleTo(view)  # nor does it take room


def test_without_problems_it_says_so(
    view: QWidget, workspace: Workspace, ready_values: dict[str, object]
):
    [table] = view.findChildren(QListView)
    assert table.isVisible()
    workspace.document.apply(ready_values, "made ready")
    assert not table.isVisible()


def test_it_says_ready_to_start_only_while_nothing_runs(
    view: QWidget, workspace: Workspace, use_trainer: Callable[..., None], tmp_path: Path, qtbot
):
    [label] = view.findChildren(QLabel)
    assert label.text() == "No problems. Ready to start."
    use_trainer(workspace, steps=2)
    with qtbot.waitSignal(workspace.run.ended, timeout=20_000):
        workspace.run.start(tmp_path / "run.toml")
        assert label.text() == "No problems."
    assert label.text() == "No problems. Ready to start."


def test_words_in_a_script_that_is_higher_have_room_beside_the_button(
    view: QWidget, workspace: Workspace
):
    words = "一只红色的猫坐在窗边"
    problem = Problem("", Severity.ERROR, Text("Gone."), picture=f"/pictures/{words}.png")
    workspace.problems.set_problems([problem])
    [table] = view.findChildren(QListView)
    row, entry = table.visualRect(workspace.problems.index(0, 0)), workspace.problems.entry(0)
    hint = replace(entry, place=f"{words}.png")
    needed = table.fontMetrics().boundingRect(QRect(0, 0, 700, 0), 0, hint.place).height()
    parts = table.itemDelegate()._parts(row, hint)
    assert parts.remedy.left() > parts.buttons[-1].right()
    assert parts.remedy.height() >= needed
