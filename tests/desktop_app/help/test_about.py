import platform
from pathlib import Path

import pytest
from helpers.answers import Answers
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QPushButton

from desktop_app.help.about import About
from trainer_core.version import __version__


@pytest.fixture
def about(tmp_path: Path, qtbot) -> About:
    made = About(tmp_path / "data", None)
    qtbot.addWidget(made)
    return made


def press(about: About, label: str) -> None:
    next(b for b in about.findChildren(QPushButton) if b.text() == label).click()


def test_its_facts_can_be_copied_for_a_report(about: About, tmp_path: Path):
    press(about, "Copy")
    copied = QApplication.clipboard().text()
    for fact in (__version__, platform.python_version(), "Apache 2.0", str(tmp_path / "data")):
        assert fact in copied


def test_the_folder_of_the_app_is_opened(about: About, tmp_path: Path, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: not opened.append(url))
    press(about, "Open folder")
    assert [Path(url.toLocalFile()) for url in opened] == [tmp_path / "data"]
    assert (tmp_path / "data").is_dir()


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path: Path, answers: Answers, qtbot):
    (tmp_path / "file").touch()
    about = About(tmp_path / "file" / "data", None, ask=answers)
    qtbot.addWidget(about)
    press(about, "Open folder")
    assert str(tmp_path / "file" / "data") in answers.questions[-1].message
