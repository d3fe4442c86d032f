"""Repeats typed in the tree become entries of the settings, as few as say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop_app.document import Document
from desktop_app.models.pictures.folder_repeats import FolderRepeatsList

LIST = "dataset.folder_repeats"
CATS, DOGS, PLAIN = Path("/a/10_cat"), Path("/a/3_dog"), Path("/b/birds")
OTHER_CATS = Path("/b/10_cat")


@pytest.fixture
def repeats(document: Document) -> FolderRepeatsList:
    return FolderRepeatsList(document)


def test_a_folder_is_named_and_its_own_number_needs_no_entry(
    repeats: FolderRepeatsList, document: Document
) -> None:
    folders = [CATS, DOGS, PLAIN]
    repeats.set_repeats(CATS, 5, folders)
    repeats.set_repeats(PLAIN, 2, folders)
    assert document.value(LIST) == ["10_cat=5", "birds=2"]
    repeats.set_repeats(CATS, 6, folders)
    assert document.value(LIST) == ["birds=2", "10_cat=6"]
    repeats.set_repeats(CATS, 10, folders)
    repeats.set_repeats(PLAIN, 1, folders)
    assert document.value(LIST) == []
    document.undo_stack.undo()
    assert document.value(LIST) == ["birds=2"]


def test_of_two_folders_of_one_name_only_the_one_is_changed(
    repeats: FolderRepeatsList, document: Document
) -> None:
    repeats.set_repeats(OTHER_CATS, 5, [CATS, OTHER_CATS])
    assert document.value(LIST) == ["/b/10_cat=5"]


def test_an_entry_that_means_others_too_stays_and_is_overruled(
    repeats: FolderRepeatsList, document: Document
) -> None:
    document.set_value(LIST, ["10_cat=7"])
    repeats.set_repeats(CATS, 10, [CATS, OTHER_CATS])
    assert document.value(LIST) == ["10_cat=7", "/a/10_cat=10"]
