from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QWidget

from desktop_app.questions import CANCEL, Answer, Question, ask, report
from trainer_core.errors import DatasetError

QUESTION = Question(
    "The name is taken",
    "There is a run called mine already.",
    "Its files are in /out.",
    (Answer("rename", "Start as mine-2"), Answer("replace", "Replace its files", True)),
)


@pytest.fixture
def window(qtbot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    return window


def when_asked(act: Callable[[QMessageBox], None]) -> None:
    """Act on the next box as soon as it is open."""

    def look() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            act(box)
        else:
            QTimer.singleShot(10, look)

    QTimer.singleShot(0, look)


def press(label: str) -> Callable[[QMessageBox], None]:
    return lambda box: next(b for b in box.buttons() if b.text() == label).click()


def test_the_pressed_button_is_the_answer(window: QWidget):
    when_asked(press("Replace its files"))
    assert ask(window, QUESTION) == "replace"


def test_return_destroys_nothing(window: QWidget, qtbot):
    when_asked(lambda box: qtbot.keyClick(box, Qt.Key.Key_Return))
    only = Question("Sure?", "It is lost.", answers=(Answer("lose", "Discard", True),))
    assert ask(window, only) == CANCEL


def test_the_first_answer_is_the_default(window: QWidget, qtbot):
    when_asked(lambda box: qtbot.keyClick(box, Qt.Key.Key_Return))
    assert ask(window, QUESTION) == "rename"


def test_escape_cancels(window: QWidget, qtbot):
    when_asked(lambda box: qtbot.keyClick(box, Qt.Key.Key_Escape))
    assert ask(window, QUESTION) == CANCEL


def test_an_error_is_reported_with_its_way_out(window: QWidget):
    seen = []

    def read(box: QMessageBox) -> None:
        seen.append((box.text(), box.informativeText()))
        press("Close")(box)

    when_asked(read)
    report(window, DatasetError("{path} is no picture.", "Remove {path}.", path="/a.txt"))
    assert seen == [("/a.txt is no picture.", "Remove /a.txt.")]


def test_a_name_that_looks_like_html_is_shown_as_it_is(window: QWidget):
    formats = []

    def look(box: QMessageBox) -> None:
        words = [each for each in box.findChildren(QLabel) if "<b>" in each.text()]
        formats.extend(each.textFormat() for each in words)
        box.reject()

    when_asked(look)
    ask(window, Question("Title", "a<b>.toml is gone", "It was in /a<b>/c.", QUESTION.answers))
    assert formats == [Qt.TextFormat.PlainText] * 2
