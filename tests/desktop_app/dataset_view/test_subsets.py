"""Subsets in the tree of folders: marked, resized, added and removed, each with undo."""

from pathlib import Path

import pytest
from helpers.pictures import write_dataset
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QFileDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSpinBox,
    QTreeView,
)

from desktop_app.dataset_view.side import DatasetSide
from desktop_app.dataset_view.view import DatasetView

FOLDER, MORE = "dataset.train_data_dir", "dataset.more_pictures"
REG, SUBSETS = "dataset.reg_data_dir", "dataset.subsets"
NAME, REPEATS, PICTURES, RESOLUTION = range(4)


@pytest.fixture
def cats(tmp_path) -> Path:
    return write_dataset(tmp_path / "cats", {"3_cat": {"a.png": None, "b.png": None}}, (512, 512))


@pytest.fixture
def dogs(tmp_path) -> Path:
    return write_dataset(tmp_path / "dogs", {".": {"c.png": None}}, (512, 512))


@pytest.fixture
def view(workspace, qtbot, cats, dogs):
    """The view of two places, looked at."""
    view = DatasetView(workspace)
    qtbot.addWidget(view)
    view.resize(1000, 600)
    view.show()
    qtbot.waitExposed(view)
    changes = {FOLDER: cats.as_posix(), MORE: [dogs.as_posix()]}
    workspace.document.apply(changes, "pictures")
    qtbot.waitUntil(lambda: line_names(view) == ["All pictures", "cats", "dogs"])
    return view


def tree(view) -> QTreeView:
    return view.findChild(DatasetSide).findChild(QTreeView)


def line_names(view) -> list[str]:
    model = tree(view).model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def choose(view, row: int) -> None:
    tree(view).setCurrentIndex(tree(view).model().index(row, 0))


def action(view, words: str) -> QAction:
    [found] = [each for each in tree(view).actions() if each.text().replace("&", "") == words]
    return found


def values(workspace) -> tuple[object, ...]:
    document = workspace.document
    return tuple(document.value(path) for path in (FOLDER, MORE, REG, SUBSETS))


def test_a_place_is_marked_as_regularisation_and_back(view, workspace, cats, dogs, qtbot):
    before = values(workspace)
    choose(view, 2)
    assert not action(view, "Regularisation").isChecked()
    action(view, "Regularisation").trigger()
    assert values(workspace) == (cats.as_posix(), [], dogs.as_posix(), [])
    last = tree(view).model().index
    qtbot.waitUntil(lambda: last(2, 0).data(Qt.ItemDataRole.DecorationRole) is not None)
    tooltip = last(2, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "Regularisation pictures" in tooltip
    # Two cats shown three times; the dog as often.
    assert "1 picture × 1 repeat; 6 per epoch, as many as training pictures" in tooltip
    choose(view, 2)
    assert action(view, "Regularisation").isChecked()
    action(view, "Regularisation").trigger()
    assert values(workspace) == before
    workspace.document.undo_stack.undo()
    workspace.document.undo_stack.undo()
    assert values(workspace) == before


def test_a_resolution_is_typed_in_the_tree(view, workspace, cats, dogs, qtbot):
    assert tree(view).isColumnHidden(RESOLUTION)
    choose(view, 2)
    action(view, "Change resolution").trigger()
    field = tree(view).findChild(QLineEdit)
    qtbot.keyClicks(field, "256 x 320")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    table = {"image_dir": dogs.as_posix(), "resolution": [256, 320]}
    qtbot.waitUntil(lambda: values(workspace) == (cats.as_posix(), [], "unset", [table]))
    qtbot.waitUntil(
        lambda: tree(view).model().index(2, RESOLUTION).data() == "256 × 320", timeout=5000
    )
    assert not tree(view).isColumnHidden(RESOLUTION)
    # Without a resolution of its own it is as the others again.
    tree(view).model().setData(tree(view).model().index(2, RESOLUTION), "")
    assert values(workspace) == (cats.as_posix(), [dogs.as_posix()], "unset", [])


def test_words_are_no_resolution(view, workspace):
    model = tree(view).model()
    assert not model.setData(model.index(2, RESOLUTION), "large")
    assert workspace.document.value(SUBSETS) == []


def test_a_place_is_trained_at_another_size_too(view, workspace, cats, dogs, qtbot):
    workspace.document.set_value("buckets.resolution", [512, 512])
    qtbot.waitUntil(lambda: not workspace.dataset.is_busy)
    choose(view, 1)
    action(view, "Train at another size too").trigger()
    table = {"image_dir": cats.as_posix(), "resolution": [256, 256]}
    assert values(workspace) == (cats.as_posix(), [dogs.as_posix()], "unset", [table])
    qtbot.waitUntil(lambda: len(line_names(view)) == 4)
    plan = workspace.dataset.scan.plan
    assert {each.resolution: each.samples for each in plan.buckets} == {
        (256, 256): 6,
        (512, 512): 7,
    }


def test_repeats_of_a_subset_are_its_own(view, workspace, dogs, qtbot):
    table = {"image_dir": dogs.as_posix(), "num_repeats": 2}
    workspace.document.apply({MORE: [], SUBSETS: [table]}, "subset")
    qtbot.waitUntil(lambda: tree(view).model().index(2, REPEATS).data() == "2 ×")
    choose(view, 2)
    action(view, "Change repeats").trigger()
    field = tree(view).findChild(QSpinBox)
    field.setValue(5)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(
        lambda: workspace.document.value(SUBSETS) == [{**table, "num_repeats": 5}], timeout=5000
    )


def test_a_subset_is_added_by_the_menu_and_removed_with_delete(
    view, workspace, tmp_path, monkeypatch, qtbot
):
    birds = write_dataset(tmp_path / "birds", {".": {"d.png": None}}, (512, 512))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(birds))
    [button] = [each for each in view.findChildren(QPushButton) if each.text() == "Add"]
    [adding] = [a for a in button.findChild(QMenu).actions() if "subset" in a.text()]
    adding.trigger()
    assert workspace.document.value(SUBSETS) == [{"image_dir": birds.as_posix()}]
    qtbot.waitUntil(lambda: line_names(view)[-1] == "birds")
    choose(view, 3)
    tree(view).setFocus()
    qtbot.keyClick(tree(view), Qt.Key.Key_Delete)
    assert workspace.document.value(SUBSETS) == []


def test_regularisation_pictures_are_added_by_the_menu(view, workspace, dogs, monkeypatch, qtbot):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(dogs))
    [button] = [each for each in view.findChildren(QPushButton) if each.text() == "Add"]
    [adding] = [a for a in button.findChild(QMenu).actions() if "regularisation" in a.text()]
    adding.trigger()
    assert workspace.document.value(REG) == dogs.as_posix()


def test_nothing_is_changed_where_the_settings_are_others_by_now(view, workspace):
    choose(view, 2)
    workspace.document.apply({MORE: []}, "gone")
    before = values(workspace)
    action(view, "Regularisation").trigger()
    assert values(workspace) == before


def test_a_chosen_subset_shows_its_pictures_alone(view, workspace, cats, qtbot):
    table = {"image_dir": cats.as_posix(), "resolution": [256, 256]}
    workspace.document.set_value(SUBSETS, [table])
    qtbot.waitUntil(lambda: len(line_names(view)) == 4)
    choose(view, 3)
    rows = view.browser.listed_rows
    assert [(row.path.name, row.bucket) for row in rows] == [
        ("a.png", (256, 256)),
        ("b.png", (256, 256)),
    ]


def test_what_is_dropped_beside_subsets_alone_is_asked_about(workspace, cats):
    workspace.document.set_value(SUBSETS, [{"image_dir": cats.as_posix()}])
    assert workspace.pictures.has_pictures


def test_what_a_subset_has_of_its_own_is_told(view, workspace, cats, qtbot):
    table = {"image_dir": cats.as_posix(), "keep_tokens": 2, "flip_aug": True}
    workspace.document.set_value(SUBSETS, [table])
    qtbot.waitUntil(lambda: len(line_names(view)) == 4)
    tooltip = tree(view).model().index(3, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "Of its own: Keep tokens: 2 tags; Flip: on" in tooltip


def test_a_caption_of_a_metadata_file_is_shown_and_edited_there(view, workspace, cats, qtbot):
    file = cats / "meta.json"
    file.write_text('{"3_cat/a": {"caption": "a red cat"}}')
    workspace.document.apply({MORE: [], "dataset.in_json": file.as_posix()}, "metadata")
    qtbot.waitUntil(lambda: [row.path.name for row in view.browser.listed_rows] == ["a.png"])
    view.browser.grid.setCurrentIndex(view.browser.grid.model().index(0, 0))
    said = "\n".join(label.text() for label in view.browser.details.findChildren(QLabel))
    assert f"The caption stands in {file}: “a red cat”" in said
