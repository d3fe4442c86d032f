from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QTreeView, QWidget

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


def select(view: QWidget, workspace: Workspace, path: str) -> QTreeView:
    """Make the row of a problem the current one."""
    rows = range(workspace.problems.rowCount())
    row = next(row for row in rows if workspace.problems.entry(row).path == path)
    [table] = view.findChildren(QTreeView)
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


@pytest.mark.parametrize("width", [1200, 600])
def test_a_long_way_out_leaves_the_room_to_the_message(
    view: QWidget, workspace: Workspace, width: int
):
    view.resize(width, 200)
    long = Problem(
        "dataset.train_data_dir", Severity.ERROR, Text("It is gone."), Suggestion(Text("Go. " * 90))
    )
    workspace.problems.set_problems([long])
    [table] = view.findChildren(QTreeView)
    assert table.columnWidth(Column.MESSAGE) >= width / 3
    assert table.columnWidth(Column.MESSAGE) > table.columnWidth(Column.WAY_OUT)


def test_without_problems_it_says_so(
    view: QWidget, workspace: Workspace, ready_values: dict[str, object]
):
    [table] = view.findChildren(QTreeView)
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
