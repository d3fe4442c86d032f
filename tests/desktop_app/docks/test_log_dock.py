import pytest
from PySide6.QtGui import QColor, QGuiApplication, QTextCursor
from PySide6.QtWidgets import QCheckBox, QComboBox, QPlainTextEdit

from desktop_app.docks.log import LogView
from desktop_app.models.runs.log_model import Level
from desktop_app.theme import tokens
from desktop_app.widgets.icon_button import IconButton
from trainer_core.texts import text


@pytest.fixture
def view(workspace, qtbot):
    view = LogView(workspace)
    qtbot.addWidget(view)
    view.resize(500, 150)
    view.show()
    return view


def lines(view):
    return view.findChild(QPlainTextEdit).toPlainText().splitlines()


def press(view, name):
    [button] = [b for b in view.findChildren(IconButton) if b.accessibleName().startswith(name)]
    button.click()


def test_lines_arrive_together_and_in_order(view, workspace, qtbot):
    for number in range(100):
        workspace.log.add_lines([f"INFO line {number}"])
    assert lines(view) == []
    qtbot.waitUntil(lambda: lines(view) == [f"INFO line {number}" for number in range(100)])


def test_levels_have_the_themes_colours(view, workspace, qtbot):
    workspace.log.add(Level.ERROR, text("Broken: {what}", what="all"))
    qtbot.waitUntil(lambda: [line[8:] for line in lines(view)] == ["  Broken: all"])
    cursor = QTextCursor(view.findChild(QPlainTextEdit).document())
    cursor.movePosition(QTextCursor.MoveOperation.Right)
    assert cursor.charFormat().foreground().color() == QColor(tokens.current().error)


def test_lesser_levels_can_be_left_out(view, workspace, qtbot):
    workspace.log.add_lines(["INFO a", "WARNING b", "ERROR c"])
    qtbot.waitUntil(lambda: len(lines(view)) == 3)
    view.findChild(QComboBox).setCurrentIndex(1)
    assert lines(view) == ["WARNING b", "ERROR c"]
    workspace.log.add_lines(["INFO d", "ERROR e"])
    qtbot.waitUntil(lambda: lines(view) == ["WARNING b", "ERROR c", "ERROR e"])
    view.findChild(QComboBox).setCurrentIndex(0)
    assert len(lines(view)) == 5


def test_the_newest_line_stays_in_sight_unless_one_reads(view, workspace, qtbot):
    bar = view.findChild(QPlainTextEdit).verticalScrollBar()
    workspace.log.add_lines(f"INFO {number}" for number in range(100))
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())
    view.findChild(QCheckBox).click()
    bar.setValue(3)
    workspace.log.add_lines(["INFO new"])
    qtbot.waitUntil(lambda: lines(view)[-1] == "INFO new")
    assert bar.value() == 3


def test_the_view_keeps_no_more_lines_than_the_model(view, workspace, qtbot):
    count = workspace.log.max_lines + 500
    workspace.log.add_lines(f"INFO {number}" for number in range(count))
    qtbot.waitUntil(lambda: lines(view)[-1:] == [f"INFO {count - 1}"])
    assert len(lines(view)) == workspace.log.max_lines


def test_everything_or_the_selection_is_copied(view, workspace, qtbot):
    workspace.log.add_lines(["INFO a", "INFO b"])
    qtbot.waitUntil(lambda: len(lines(view)) == 2)
    press(view, "Copy")
    assert QGuiApplication.clipboard().text() == "INFO a\nINFO b"
    edit = view.findChild(QPlainTextEdit)
    cursor = edit.textCursor()
    cursor.setPosition(5)
    cursor.setPosition(9, QTextCursor.MoveMode.KeepAnchor)
    edit.setTextCursor(cursor)
    press(view, "Copy")
    assert QGuiApplication.clipboard().text() == "a\nIN"


def test_clear_empties_model_and_view(view, workspace, qtbot):
    workspace.log.add_lines(["INFO a"])
    qtbot.waitUntil(lambda: lines(view) == ["INFO a"])
    press(view, "Clear")
    assert lines(view) == []
    assert workspace.log.lines == ()
