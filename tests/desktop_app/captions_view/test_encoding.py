"""A caption that is not UTF-8 is converted as people say it reads, and back by undo."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QMenu, QPushButton

from desktop_app.captions_view.encoding import captions_to_convert, conversions
from desktop_app.dataset_view.view import DatasetView

LATIN = "ein Café".encode("cp1252")


def entries(menu: QMenu) -> dict[str, object]:
    return {action.text(): action for action in menu.actions() if action.text()}


def test_the_editor_offers_a_conversion(view: DatasetView, cats: Path, qtbot):
    view.reveal(cats / "c.png")
    editor = view.browser.details.caption
    [offer] = [b for b in editor.findChildren(QPushButton) if "UTF-8" in b.text()]
    view.browser.details.caption.reading_wanted.disconnect()
    with qtbot.waitSignal(editor.reading_wanted) as wanted:
        offer.click()
    row, file = wanted.args
    assert (row.path, file.data) == (cats / "c.png", LATIN)


def test_a_reading_is_chosen_by_its_words(view, workspace, cats: Path, qtbot):
    view.reveal(cats / "c.png")
    row = next(row for row in workspace.dataset.rows if row.path.name == "c.png")
    [(_, file)] = captions_to_convert([row])
    menu = view.captions.encodings(row, file)
    choice = entries(menu)["Western (Windows-1252): ein Café"]
    with qtbot.waitSignal(workspace.captions.batch.finished):
        choice.trigger()
    menu.close()
    assert (cats / "c.txt").read_bytes() == "ein Café".encode()
    qtbot.waitUntil(lambda: view.browser.details.caption.field.toPlainText() == "ein Café")
    qtbot.waitUntil(lambda: workspace.problems.unusable == ())

    with qtbot.waitSignal(workspace.captions.batch.finished):
        workspace.document.undo_stack.undo()
    assert (cats / "c.txt").read_bytes() == LATIN


def test_all_that_are_not_utf_8_can_be_converted_together(view, workspace, cats: Path, qtbot):
    (cats / "d.txt").write_bytes("Bäume".encode("cp1252"))
    workspace.dataset.rescan()
    qtbot.waitUntil(lambda: len(workspace.problems.unusable) == 2)
    found = list(captions_to_convert(workspace.dataset.rows))
    assert [row.path.name for row, _ in found] == ["c.png", "d.png"]
    menu = view.captions.encodings(*found[0])
    assert "All 2 captions that are not UTF-8" in entries(menu)
    menu.close()


def test_a_file_that_cannot_be_in_the_encoding_is_left_alone(view, workspace, cats: Path):
    found = list(captions_to_convert(workspace.dataset.rows))
    assert conversions(found, "utf-16") == []
