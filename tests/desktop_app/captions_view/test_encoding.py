"""A caption that is not UTF-8 is converted as people say it reads, and back by undo."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QWidget

from desktop_app.captions_view.encoding import captions_to_convert, conversions
from desktop_app.dataset_view.view import DatasetView
from desktop_app.docks.problem_list import ProblemList
from desktop_app.docks.problems import ProblemsView
from desktop_app.run_view.start_sheet import StartSheet

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


def convert_by_menu(qtbot, workspace, press) -> None:
    """Press what offers the conversion and choose the words that read right."""
    press()
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    with qtbot.waitSignal(workspace.captions.batch.finished):
        entries(menu)["Western (Windows-1252): ein Café"].trigger()
    menu.close()


def visible(widget: QWidget, text: str) -> list[QPushButton]:
    return [b for b in widget.findChildren(QPushButton) if b.isVisible() and b.text() == text]


@pytest.fixture
def problems(view, workspace, qtbot) -> ProblemsView:
    made = ProblemsView(workspace)
    qtbot.addWidget(made)
    made.show()
    return made


def row_of(workspace, picture: Path) -> QModelIndex:
    model = workspace.problems
    rows = range(model.rowCount())
    return model.index(next(row for row in rows if model.entry(row).picture == picture), 0)


def test_the_list_of_problems_offers_the_conversion_too(problems, workspace, cats: Path, qtbot):
    row = row_of(workspace, cats / "c.png")
    problems.findChild(ProblemList).setCurrentIndex(row)
    assert "text editor" not in workspace.problems.entry(row.row()).hint
    [offer] = visible(problems, "Convert it to UTF-8…")
    convert_by_menu(qtbot, workspace, offer.click)
    assert (cats / "c.txt").read_bytes() == "ein Café".encode()
    qtbot.waitUntil(lambda: workspace.problems.unusable == ())
    with qtbot.waitSignal(workspace.captions.batch.finished):
        workspace.document.undo_stack.undo()
    assert (cats / "c.txt").read_bytes() == LATIN


def test_the_menu_of_the_problem_leaves_the_picture_out(problems, workspace, cats: Path):
    area = problems.findChild(ProblemList)
    place = area.visualRect(row_of(workspace, cats / "c.png")).center()
    mouse = QContextMenuEvent.Reason.Mouse
    asked = QContextMenuEvent(mouse, place, area.viewport().mapToGlobal(place))
    QApplication.sendEvent(area.viewport(), asked)
    menu = QApplication.activePopupWidget()
    assert list(entries(menu)) == ["Convert it to UTF-8…", "Leave out of this run"]
    entries(menu)["Leave out of this run"].trigger()
    menu.close()
    assert workspace.document.value("dataset.left_out") == [(cats / "c.png").as_posix()]


def test_the_start_sheet_offers_both(view, workspace, cats: Path, qtbot):
    sheet = StartSheet(workspace, view)
    sheet.setModal(True)
    with qtbot.waitExposed(sheet):
        sheet.show()
    [offer] = visible(sheet, "Convert it to UTF-8…")
    assert len(visible(offer.parentWidget(), "Leave out of this run")) == 1  # in the same row
    convert_by_menu(qtbot, workspace, offer.click)
    assert (cats / "c.txt").read_bytes() == "ein Café".encode()
    qtbot.waitUntil(lambda: not visible(sheet, "Convert it to UTF-8…"))
    sheet.reject()
    sheet.let_go()


def test_a_file_that_cannot_be_in_the_encoding_is_left_alone(view, workspace, cats: Path):
    found = list(captions_to_convert(workspace.dataset.rows))
    assert conversions(found, "utf-16") == []
