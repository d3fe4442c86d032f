from pathlib import Path

import pytest
from helpers.answers import Answers
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QWidget

import desktop_app.captions
from desktop_app.captions import Captions
from desktop_app.commands.captions import CaptionCommands
from trainer_core.dataset.caption_files import CaptionFile, seen
from trainer_core.errors import OutputError


@pytest.fixture
def stack(qapp) -> QUndoStack:
    return QUndoStack()


@pytest.fixture
def captions(stack) -> Captions:
    return Captions(stack)


@pytest.fixture
def picture(tmp_path) -> Path:
    (tmp_path / "01.txt").write_bytes(b"a cat\r\nsecond\r\n")
    return tmp_path / "01.png"


def file_of(picture: Path) -> CaptionFile:
    return seen(picture.with_suffix(".txt"))


def type_and_commit(captions: Captions, picture: Path, text: str) -> bool:
    captions.edit(picture, file_of(picture), text)
    return captions.commit()


def fail_to_write(monkeypatch) -> None:
    def refuse(wanted: CaptionFile, instead_of: CaptionFile) -> None:
        raise OutputError("There is no space for {path}.", "Free some.", path=wanted.path)

    monkeypatch.setattr(desktop_app.captions, "put", refuse)


def test_a_caption_is_written_when_it_is_committed_and_not_before(captions, picture, qtbot):
    captions.edit(picture, file_of(picture), "a dog\nsecond")
    assert file_of(picture).text == "a cat\nsecond"
    with qtbot.waitSignal(captions.written) as written:
        assert captions.commit()
    assert file_of(picture).data == b"a dog\r\nsecond\r\n"
    assert written.args == [picture, file_of(picture)]


def test_a_commit_is_one_step_that_names_the_picture(captions, picture, stack):
    type_and_commit(captions, picture, "a dog")
    assert stack.count() == 1
    assert stack.undoText() == "change of caption of 01.png"


def test_undo_and_redo_give_back_the_very_bytes(captions, picture, stack, qtbot):
    before = file_of(picture)
    type_and_commit(captions, picture, "a dog")
    after = file_of(picture)
    with qtbot.waitSignal(captions.restored) as restored:
        stack.undo()
    assert restored.args == [picture]
    assert file_of(picture) == before
    stack.redo()
    assert file_of(picture) == after


def test_a_text_that_is_the_same_again_is_no_step(captions, picture, stack):
    captions.edit(picture, file_of(picture), "a dog")
    type_and_commit(captions, picture, "a cat\nsecond")
    assert stack.count() == 0


def test_a_picture_without_a_caption_gets_a_file_that_undo_removes(captions, picture, stack):
    path = picture.with_suffix(".txt")
    path.unlink()
    type_and_commit(captions, picture, "a cat")
    assert path.read_bytes() == b"a cat"
    stack.undo()
    assert not path.exists()


def test_an_emptied_caption_is_removed_and_undo_brings_it_back(captions, picture, stack):
    before = file_of(picture)
    type_and_commit(captions, picture, " \n")
    assert not before.path.exists()
    stack.undo()
    assert file_of(picture) == before


def test_what_another_program_wrote_meanwhile_stays(captions, picture, stack, qtbot):
    captions.edit(picture, file_of(picture), "mine")
    picture.with_suffix(".txt").write_bytes(b"theirs")
    with qtbot.waitSignal(captions.drafts_changed):
        assert not captions.commit()
    assert file_of(picture).data == b"theirs"
    assert stack.count() == 0
    draft = captions.draft(picture)
    assert draft.is_contested
    assert (draft.text, draft.file.text) == ("mine", "theirs")


def test_a_contested_text_is_not_written_until_the_user_puts_it_back(captions, picture):
    captions.edit(picture, file_of(picture), "mine")
    picture.with_suffix(".txt").write_bytes(b"theirs")
    captions.commit()
    assert not captions.commit()
    assert file_of(picture).data == b"theirs"
    captions.edit(picture, captions.draft(picture).file, "mine")
    assert captions.commit()
    assert file_of(picture).data == b"mine"


def test_undo_does_not_remove_a_file_that_another_program_wrote(captions, picture, stack):
    path = picture.with_suffix(".txt")
    path.unlink()
    type_and_commit(captions, picture, "mine")
    path.write_bytes(b"theirs")
    stack.undo()
    assert path.read_bytes() == b"theirs"
    assert captions.draft(picture).is_contested
    assert not stack.canUndo(), "the step is gone: it is true no more"
    assert not stack.canRedo()


def test_a_text_that_cannot_be_written_is_kept_and_tried_again(captions, picture, monkeypatch):
    with monkeypatch.context() as patch:
        fail_to_write(patch)
        assert not type_and_commit(captions, picture, "a dog")
    assert captions.draft(picture).text == "a dog"
    assert "no space" in str(captions.failed[0].error)
    assert captions.commit()
    assert file_of(picture).text == "a dog"
    assert captions.failed == ()


def test_a_command_waits_while_a_caption_cannot_be_written(captions, picture, monkeypatch, qtbot):
    window, answers = QWidget(), Answers()
    qtbot.addWidget(window)
    commands = CaptionCommands(captions, window, ask=answers)
    fail_to_write(monkeypatch)
    captions.edit(picture, file_of(picture), "a dog")
    with qtbot.waitSignal(commands.picture_wanted) as wanted:
        assert not commands.settle()
    assert wanted.args == [picture]
    assert "no space" in answers.questions[0].message
    assert captions.draft(picture).text == "a dog"
    answers.agreed.append("discard")
    assert commands.settle()
    assert captions.draft(picture) is None
