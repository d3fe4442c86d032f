from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.answers import Answers
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QWidget

from desktop_app.outside import open_path


@pytest.fixture
def place(qtbot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], list[Path]]:
    """Stands in for the system, which can open what it is given or not."""

    def use(can_open: bool) -> list[Path]:
        asked: list[Path] = []

        def open_url(url: QUrl) -> bool:
            asked.append(Path(url.toLocalFile()))
            return can_open

        monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
        return asked

    return use


def test_what_the_system_opens_needs_no_words(
    place: QWidget, answers: Answers, system: Callable[[bool], list[Path]], tmp_path: Path
):
    asked = system(True)
    open_path(tmp_path, place, ask=answers)
    assert asked == [tmp_path]
    assert answers.questions == []


def test_a_folder_that_no_program_opens_is_named_and_can_be_copied(
    place: QWidget, answers: Answers, system: Callable[[bool], list[Path]], tmp_path: Path
):
    system(False)
    answers.agreed = ["copy"]
    open_path(tmp_path, place, ask=answers)
    [told] = answers.questions
    assert str(tmp_path) in told.message
    assert "program" in told.details
    assert QApplication.clipboard().text() == str(tmp_path)


def test_a_file_that_is_gone_is_named_and_not_asked_for(
    place: QWidget, answers: Answers, system: Callable[[bool], list[Path]], tmp_path: Path
):
    asked = system(True)
    open_path(tmp_path / "gone.log", place, ask=answers)
    assert asked == []
    [told] = answers.questions
    assert str(tmp_path / "gone.log") in told.message
    assert "no longer there" in told.details
    assert told.answers == ()


def test_a_folder_that_cannot_be_looked_for_is_told_as_gone(
    place: QWidget, answers: Answers, system: Callable[[bool], list[Path]], tmp_path: Path
):
    system(True)
    # Like a disk in the network that is away: the system refuses to tell what is there.
    open_path(tmp_path / ("n" * 300) / "out", place, ask=answers)
    assert "no longer there" in answers.questions[0].details
