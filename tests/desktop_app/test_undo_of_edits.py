"""Every way to change a setting in the window is one step of undo, seen in the field."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.answers import Answers
from helpers.drops import drop
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from desktop_app.editors.page import SettingsPage
from desktop_app.editors.problem_line import ProblemLine
from desktop_app.editors.row import Row
from desktop_app.widgets.icon_button import IconButton
from desktop_app.window.main_window import MainWindow
from desktop_app.workspace import Workspace

OPENED = """\
format = "loom/2"
[adapter]
network_dim = "many"
network_alhpa = 4.0
[output]
save_precision = "bf16"
"""

Rows = Callable[[str], Row]
Edit = Callable[[Rows, MainWindow, QtBot, Path], None]


@pytest.fixture
def window(
    workspace: Workspace, answers: Answers, tmp_path: Path, qtbot: QtBot
) -> Iterator[MainWindow]:
    """The window of a file with mistakes and a setting that is not the default."""
    path = tmp_path / "mine.toml"
    path.write_text(OPENED, encoding="utf-8")
    made = MainWindow(workspace, ask=answers, leave=lambda _: None)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    made.docks.late.complete()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    workspace.document.load(path)
    yield made
    workspace.document.new()


@pytest.fixture
def rows(window: MainWindow, workspace: Workspace, qtbot: QtBot) -> Rows:
    """Bring a setting to the front, and return its row."""

    def bring(path: str) -> Row:
        workspace.setting_wanted.emit(path)
        forms = [form for page in window.findChildren(SettingsPage) for form in page.forms]
        [row] = [form.rows[path] for form in forms if path in form.rows]
        qtbot.waitUntil(row.editor.fields()[0].hasFocus)
        return row

    return bring


def type_line(rows: Rows, window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    field = rows("output.output_name").editor.fields()[0]
    field.selectAll()  # type: ignore[attr-defined]
    qtbot.keyClicks(field, "cat")
    qtbot.keyClick(field, Qt.Key.Key_Return)


def type_lines(rows: Rows, window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    field = rows("output.training_comment").editor.fields()[0]
    qtbot.keyClicks(field, "the one with the scarf")
    qtbot.keyClick(field, Qt.Key.Key_Tab)


def type_number(rows: Rows, window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    field = rows("adapter.network_alpha").editor.fields()[0]
    field.selectAll()  # type: ignore[attr-defined]
    qtbot.keyClicks(field, "2,5")
    qtbot.keyClick(field, Qt.Key.Key_Return)


def step_number(rows: Rows, window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    field = rows("model.clip_skip").editor.fields()[0]
    qtbot.keyClick(field, Qt.Key.Key_Up)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def choose(rows: Rows, window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    field = rows("output.save_precision").editor.fields()[0]
    qtbot.keyClick(field, Qt.Key.Key_Up)


def tick(rows: Rows, window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    qtbot.keyClick(rows("output.save_state").editor.fields()[0], Qt.Key.Key_Space)


def drop_path(rows: Rows, window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    drop(rows("output.output_dir").editor, folder)


def drop_on_window(rows: Rows, window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    drop(window, folder)


def reset(rows: Rows, window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    words = "Reset to the default"
    buttons = rows("output.save_precision").findChildren(IconButton)
    [button] = [b for b in buttons if b.accessibleName() == words]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def take_suggestion(rows: Rows, window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    [line] = rows("adapter.network_dim").findChildren(ProblemLine)
    [link] = line.findChildren(QPushButton)
    qtbot.mouseClick(link, Qt.MouseButton.LeftButton)


def take_listed_suggestion(rows: Rows, window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    buttons = window.docks.widgets["problems"].findChildren(QPushButton)
    [button] = [b for b in buttons if b.text() == "Did you mean network_alpha in [adapter]?"]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


FOLDER = object()  # stands for the folder of the test


@pytest.mark.parametrize(
    ("edit", "path", "value"),
    [
        (type_line, "output.output_name", "cat"),
        (type_lines, "output.training_comment", "the one with the scarf"),
        (type_number, "adapter.network_alpha", 2.5),
        (step_number, "model.clip_skip", 2),
        (choose, "output.save_precision", "fp16"),
        (tick, "output.save_state", True),
        (drop_path, "output.output_dir", FOLDER),
        (drop_on_window, "dataset.train_data_dir", FOLDER),
        (reset, "output.save_precision", "fp16"),
        (take_suggestion, "adapter.network_dim", 8),
        (take_listed_suggestion, "adapter.network_alpha", 4.0),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_edit_is_one_step_that_can_be_undone_and_redone(
    window: MainWindow,
    workspace: Workspace,
    rows: Rows,
    tmp_path: Path,
    qtbot,
    edit: Edit,
    path: str,
    value: object,
):
    document = workspace.document
    wanted = tmp_path.as_posix() if value is FOLDER else value
    before, raw_before = document.value(path), document.raw
    assert before != wanted
    edit(rows, window, qtbot, tmp_path)
    qtbot.waitUntil(lambda: document.value(path) == wanted)  # folders are read in a thread
    window.commands["undo"].trigger()
    assert document.value(path) == before
    assert document.raw == raw_before
    assert not document.undo_stack.canUndo()
    assert not document.is_dirty
    window.commands["redo"].trigger()
    assert document.value(path) == wanted
    assert document.is_dirty
    assert rows(path).editor.raw() == wanted
    document.undo_stack.undo()
    assert rows(path).editor.raw() == before


def test_the_keys_of_undo_work_in_the_field_itself(
    window: MainWindow, workspace: Workspace, rows: Rows, tmp_path: Path, qtbot
):
    type_line(rows, window, qtbot, tmp_path)
    field = rows("output.output_name").editor.fields()[0]
    QTest.keySequence(field, QKeySequence(QKeySequence.StandardKey.Undo))
    assert workspace.document.is_default("output.output_name")
    QTest.keySequence(field, QKeySequence(QKeySequence.StandardKey.Redo))
    assert workspace.document.value("output.output_name") == "cat"


def test_the_problems_of_a_broken_file_stand_beside_their_fields(window: MainWindow, rows: Rows):
    row = rows("adapter.network_dim")
    assert row.has_error
    assert row.editor.raw() == "many"
    assert QApplication.focusWidget() is not None
    assert row.findChildren(ProblemLine)[0].isVisibleTo(row)


@pytest.mark.parametrize(
    ("content", "path", "way_out", "value"),
    [
        ("[adapter]\nnetwork_dim = 0", "adapter.network_dim", "Use the default, 8", 8),
        ("[adapter]\nnetwork_dim = true", "adapter.network_dim", "Use the default, 8", 8),
        ('[output]\nsave_state = "yes"', "output.save_state", "Use the default, false", False),
        ('[output]\nsave_precision = "bf-16"', "output.save_precision", "Did you mean", "bf16"),
        ("[adaptor]\nnetwork_dim = 4", "adapter.network_dim", "Did you mean [adapter]?", 4),
        ("[model]\nnetwork_dim = 4", "adapter.network_dim", "It belongs to [adapter]", 4),
        ("[[adapter]]\nnetwork_dim = 4", "adapter.network_dim", "Remove it", 8),
        ("[adapter]\nodd = 4", "adapter.network_dim", "Remove it", 8),
    ],
    ids=["bounds", "kind", "switch", "choice", "section", "misplaced", "no table", "unknown"],
)
def test_every_mistake_of_a_file_has_a_button_that_mends_it(
    window: MainWindow, workspace: Workspace, tmp_path: Path, content, path, way_out, value
):
    run_file = tmp_path / "broken.toml"
    run_file.write_text(f'format = "loom/2"\n{content}\n', encoding="utf-8")
    assert window.files.open_path(run_file)
    links = window.findChildren(QPushButton)
    found = [b for b in links if b.text().startswith(way_out) and not b.isHidden()]
    found[0].click()
    assert workspace.document.value(path) == value
    unset = {"model.pretrained_model_name_or_path", "dataset.train_data_dir", "output.output_dir"}
    assert {problem.path for problem in workspace.document.errors} <= unset
