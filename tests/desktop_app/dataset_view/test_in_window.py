"""Captions in the whole window: who gets the keys, and what is written before a command."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.answers import Answers
from helpers.pictures import write_picture
from helpers.starts import Starts
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest

from desktop_app.dataset_view.caption_field import CaptionField
from desktop_app.widgets.pictures.framed_picture import FramedPicture
from desktop_app.window.main_window import MainWindow
from desktop_app.workspace import Workspace

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(
    workspace: Workspace,
    answers: Answers,
    starts: Starts,
    ready_values: dict[str, object],
    tmp_path: Path,
    qtbot,
) -> Iterator[MainWindow]:
    window = MainWindow(workspace, ask=answers, confirm=starts, leave=lambda _: None)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    write_picture(tmp_path / "pictures" / "10_zxq cat" / "a.png", (512, 512))
    workspace.document.apply(ready_values, "made ready")
    qtbot.waitUntil(lambda: len(workspace.dataset.rows) == 1)
    yield window
    for draft in workspace.captions.failed:
        workspace.captions.discard(draft.picture)
    workspace.document.new()  # closing asks nothing then


@pytest.fixture
def field(window: MainWindow, qtbot) -> CaptionField:
    field = window.findChild(CaptionField)
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    assert field.toPlainText() == "zxq cat"
    return field


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pictures" / "10_zxq cat" / "a.txt"


def test_the_picture_beside_its_caption_is_large_enough_to_judge(window, field, qtbot):
    assert (window.width(), window.height()) == (1280, 720)
    picture = window.findChild(FramedPicture)
    qtbot.waitUntil(lambda: min(picture.width(), picture.height()) >= 200)


def test_undo_in_a_saved_caption_is_the_document_s(field, file, workspace):
    QTest.keyClicks(field, "big ")
    QTest.keyClick(field, Qt.Key.Key_Return, CONTROL)
    assert file.read_text() == "big zxq cat"
    QTest.keySequence(field, QKeySequence(QKeySequence.StandardKey.Undo))
    assert file.read_text() == "zxq cat"
    assert field.toPlainText() == "zxq cat"
    QTest.keySequence(field, QKeySequence(QKeySequence.StandardKey.Redo))
    assert file.read_text() == "big zxq cat"


def test_a_caption_being_typed_is_written_before_the_start(window, field, file, workspace, qtbot):
    QTest.keyClicks(field, "big ")
    with qtbot.waitSignal(workspace.run.started):
        window.commands["start"].trigger()
    assert file.read_text() == "big zxq cat"


def test_a_caption_being_typed_is_written_when_the_window_closes(window, field, file, answers):
    answers.agreed.append("discard")
    QTest.keyClicks(field, "big ")
    window.close()
    assert file.read_text() == "big zxq cat"


def test_a_caption_does_not_make_the_run_file_unsaved(field, workspace, tmp_path):
    workspace.document.save(tmp_path / "run.toml")
    QTest.keyClicks(field, "big ")
    QTest.keyClick(field, Qt.Key.Key_Return, CONTROL)
    assert not workspace.document.is_dirty


def test_no_run_starts_over_a_caption_that_is_not_in_its_file(
    window, field, file, workspace, answers
):
    QTest.keyClicks(field, "big ")
    file.write_text("theirs")
    window.commands["start"].trigger()
    assert "Another program changed" in answers.questions[0].message
    assert not workspace.run.is_running
    assert file.read_text() == "theirs"
