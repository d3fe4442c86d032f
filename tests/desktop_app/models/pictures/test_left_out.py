"""The list of what is left out changes by steps of undo, whatever way it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop_app.document import Document
from desktop_app.models.pictures.left_out import LeftOut

LIST = "dataset.left_out"
A, B = Path("/pictures/1_cat/a.png"), Path("/pictures/1_cat/b.png")


@pytest.fixture
def left_out(document: Document) -> LeftOut:
    return LeftOut(document)


def test_pictures_are_added_once_and_taken_back_by_undo(
    left_out: LeftOut, document: Document
) -> None:
    left_out.leave_out([A])
    left_out.leave_out([A, B, B])
    assert document.value(LIST) == [A.as_posix(), B.as_posix()]

    document.undo_stack.undo()
    assert document.value(LIST) == [A.as_posix()]
    document.undo_stack.undo()
    assert document.value(LIST) == []


def test_what_is_there_already_is_no_step(left_out: LeftOut, document: Document) -> None:
    left_out.leave_out([A])
    left_out.leave_out([A])

    assert document.undo_stack.count() == 1


def test_put_back_takes_the_picture_off_the_list(left_out: LeftOut, document: Document) -> None:
    left_out.leave_out([A, B])
    left_out.put_back([A])
    assert document.value(LIST) == [B.as_posix()]

    document.undo_stack.undo()
    assert document.value(LIST) == [A.as_posix(), B.as_posix()]


def test_put_back_finds_a_picture_whose_folder_is_listed_by_another_way(
    left_out: LeftOut, document: Document
) -> None:
    document.set_value(LIST, ["/link/1_cat/a.png", B.as_posix()])
    left_out.put_back([A])

    assert document.value(LIST) == [B.as_posix()]


def test_beside_a_relative_folder_names_are_relative_too(
    left_out: LeftOut, document: Document, tmp_path: Path
) -> None:
    document.save(tmp_path / "run.toml")
    document.set_value("dataset.train_data_dir", "pictures")
    left_out.leave_out([tmp_path / "pictures" / "1_cat" / "a.png", B])
    assert document.value(LIST) == ["pictures/1_cat/a.png", B.as_posix()]

    left_out.put_back([tmp_path / "pictures" / "1_cat" / "a.png"])
    assert document.value(LIST) == [B.as_posix()]
