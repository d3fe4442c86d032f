"""Many captions are changed as the preview says, in one step of undo."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel

from desktop_app.captions_view.dialog import CaptionsDialog
from desktop_app.captions_view.forms import ReplaceForm, TriggerWordForm
from desktop_app.dataset_view.view import DatasetView
from desktop_app.workspace import Workspace

A_CAT = "a red cat, sitting"
TWO_LINES = b"a cat\r\nred notes\r\n"


@pytest.fixture
def ask(view: DatasetView, qtbot):
    def show(form) -> CaptionsDialog:
        dialog = view.captions.ask(form)
        qtbot.waitUntil(lambda: dialog._read is not None)
        return dialog

    return show


def shown_changes(dialog: CaptionsDialog) -> list[tuple[str, str, str]]:
    table = dialog.table
    return [
        tuple(table.index(row, column).data() for column in range(3))
        for row in range(table.rowCount())
    ]


def apply(dialog: CaptionsDialog, workspace: Workspace, qtbot) -> None:
    with qtbot.waitSignal(workspace.captions.batch.finished):
        dialog.apply.click()


def test_the_preview_shows_what_changes_and_nothing_is_written_before(ask, cats: Path, qtbot):
    form = ReplaceForm()
    dialog = ask(form)
    form.wanted.setText("red")
    form.replacement.setText("blue")
    qtbot.waitUntil(lambda: len(dialog.changes) == 2)
    assert shown_changes(dialog) == [
        ("a.png", A_CAT, "a blue cat, sitting"),
        ("b.png", "a cat\nred notes", "a cat\nblue notes"),
    ]
    assert (cats / "a.txt").read_text() == A_CAT
    dialog.reject()
    assert (cats / "a.txt").read_text() == A_CAT


def test_replacing_is_one_step_of_undo_and_redo(ask, cats: Path, workspace: Workspace, qtbot):
    form = ReplaceForm()
    dialog = ask(form)
    form.wanted.setText("red")
    form.replacement.setText("blue")
    qtbot.waitUntil(lambda: len(dialog.changes) == 2)
    before = workspace.document.undo_stack.count()
    apply(dialog, workspace, qtbot)
    assert (cats / "a.txt").read_text() == "a blue cat, sitting"
    assert (cats / "b.txt").read_bytes() == b"a cat\r\nblue notes\r\n"
    assert workspace.document.undo_stack.count() == before + 1

    with qtbot.waitSignal(workspace.captions.batch.finished):
        workspace.document.undo_stack.undo()
    assert (cats / "a.txt").read_text() == A_CAT
    assert (cats / "b.txt").read_bytes() == TWO_LINES
    with qtbot.waitSignal(workspace.captions.batch.finished):
        workspace.document.undo_stack.redo()
    assert (cats / "a.txt").read_text() == "a blue cat, sitting"


def test_a_trigger_word_is_added_to_captions_and_on_demand_makes_them(
    ask, cats: Path, workspace: Workspace, qtbot
):
    form = TriggerWordForm()
    dialog = ask(form)
    form.word.setText("zxq")
    qtbot.waitUntil(lambda: [c.picture.stem for c in dialog.changes] == ["a", "b"])
    form.makes_files.setChecked(True)
    qtbot.waitUntil(lambda: [c.picture.stem for c in dialog.changes] == ["a", "b", "d"])
    apply(dialog, workspace, qtbot)
    assert (cats / "a.txt").read_text() == "zxq, a red cat, sitting"
    assert (cats / "d.txt").read_text() == "zxq, zxq cat", "the folder's words behind it"
    assert (cats / "c.txt").read_bytes() == "ein Café".encode("cp1252"), "left as it is"

    with qtbot.waitSignal(workspace.captions.batch.finished):
        workspace.document.undo_stack.undo()
    assert not (cats / "d.txt").exists()


def test_only_the_selected_pictures_can_be_changed(view, ask, cats: Path, workspace, qtbot):
    view.browser.grid.selectAll()
    index = view.browser.grid.model().index(0, 0)
    flags = view.browser.grid.selectionModel().SelectionFlag
    view.browser.grid.selectionModel().select(index, flags.Deselect)
    form = TriggerWordForm()
    dialog = ask(form)
    assert dialog.scope.itemText(1) == "Of the selected pictures (3)"
    dialog.scope.setCurrentIndex(1)
    form.word.setText("zxq")
    qtbot.waitUntil(lambda: [c.picture.stem for c in dialog.changes] == ["b"])


def test_a_caption_that_another_program_changed_is_named_and_kept(
    ask, cats: Path, workspace: Workspace, qtbot
):
    form = TriggerWordForm()
    dialog = ask(form)
    form.word.setText("zxq")
    qtbot.waitUntil(lambda: len(dialog.changes) == 2)
    (cats / "a.txt").write_text("mine")
    apply(dialog, workspace, qtbot)
    assert dialog.isVisible()
    assert "a.txt" in dialog.failure.text()
    assert (cats / "a.txt").read_text() == "mine"
    assert (cats / "b.txt").read_bytes().startswith(b"zxq, a cat")
    dialog.reject()


def test_what_undo_cannot_put_back_is_said_over_the_pictures(
    view, ask, cats: Path, workspace: Workspace, qtbot
):
    form = TriggerWordForm()
    dialog = ask(form)
    form.word.setText("zxq")
    qtbot.waitUntil(lambda: len(dialog.changes) == 2)
    apply(dialog, workspace, qtbot)
    (cats / "a.txt").write_text("mine")
    with qtbot.waitSignal(workspace.captions.batch.finished):
        workspace.document.undo_stack.undo()
    assert (cats / "a.txt").read_text() == "mine"
    assert (cats / "b.txt").read_bytes() == TWO_LINES
    assert any("a.txt" in label.text() for label in view.findChildren(QLabel))
