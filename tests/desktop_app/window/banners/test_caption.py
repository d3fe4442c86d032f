from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from desktop_app.window.banners.caption import CaptionBanner
from desktop_app.workspace import Workspace
from trainer_core.dataset.caption_files import seen


@pytest.fixture
def banner(workspace: Workspace, qtbot: QtBot) -> CaptionBanner:
    made = CaptionBanner(workspace)
    qtbot.addWidget(made)
    return made


@pytest.fixture
def picture(workspace: Workspace, tmp_path: Path) -> Path:
    """A picture whose caption was typed here and changed by another program meanwhile."""
    caption = tmp_path / "01.txt"
    caption.write_text("a cat", encoding="utf-8")
    workspace.captions.edit(tmp_path / "01.png", seen(caption), "mine")
    caption.write_text("theirs", encoding="utf-8")
    return tmp_path / "01.png"


def press(banner: CaptionBanner, label: str) -> None:
    next(b for b in banner.findChildren(QPushButton) if b.text() == label).click()


def test_a_picture_left_with_its_caption_unsaved_is_named(
    banner: CaptionBanner, workspace: Workspace, picture: Path
) -> None:
    workspace.captions.leave(picture)
    assert banner.message == "What you typed for 01.png is not saved."


def test_a_picture_left_with_its_caption_saved_is_not_spoken_of(
    banner: CaptionBanner, workspace: Workspace, tmp_path: Path
) -> None:
    workspace.captions.edit(tmp_path / "02.png", seen(tmp_path / "02.txt"), "a dog")
    workspace.captions.leave(tmp_path / "02.png")
    assert banner.message == ""


def test_the_picture_can_be_shown_again(
    banner: CaptionBanner, workspace: Workspace, picture: Path, qtbot: QtBot
) -> None:
    workspace.captions.leave(picture)
    with qtbot.waitSignal(workspace.picture_wanted) as wanted:
        press(banner, "Show picture")
    assert wanted.args == [picture]
    assert banner.message == ""


def test_the_message_goes_when_the_text_is_decided_about(
    banner: CaptionBanner, workspace: Workspace, picture: Path
) -> None:
    workspace.captions.leave(picture)
    workspace.captions.discard(picture)
    assert banner.message == ""


def test_the_message_goes_with_the_file(
    banner: CaptionBanner, workspace: Workspace, picture: Path
) -> None:
    workspace.captions.leave(picture)
    workspace.document.new()
    assert banner.message == ""
