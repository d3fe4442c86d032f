from pathlib import Path

import pytest
from helpers.pictures import write_dataset, write_picture
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QFileDialog,
    QLabel,
    QListView,
    QPlainTextEdit,
    QPushButton,
    QTreeView,
)

from desktop_app.dataset_view.side import DatasetSide
from desktop_app.docks.dataset import DatasetDock
from desktop_app.widgets.bar_list import BarList
from desktop_app.widgets.drop_area import DropArea
from desktop_app.widgets.stat_row import StatRow
from desktop_app.widgets.thumbnail_grid import ThumbnailGrid

COPY = Qt.DropAction.CopyAction


@pytest.fixture
def folder(tmp_path) -> Path:
    folders = {
        "10_zxq cat": {
            "a.png": None,
            "a.txt": "zxq cat, sitting",
            "b.png": None,
            "b.txt": "zxq cat, asleep",
            "broken.png": b"nothing",
        },
        "3_style": {"c.png": None},
    }
    return write_dataset(tmp_path / "pictures", folders, size=(512, 512))


@pytest.fixture
def view(workspace, qtbot):
    view = DatasetDock().build(workspace)
    qtbot.addWidget(view)
    view.resize(900, 600)
    view.show()
    return view


@pytest.fixture
def filled(view, workspace, folder, qtbot):
    """The view of a folder that was looked at."""
    workspace.document.set_value("dataset.train_data_dir", folder.as_posix())
    qtbot.waitUntil(lambda: names(view) == ["a.png", "b.png", "broken.png", "c.png"])
    return view


def grid(view) -> ThumbnailGrid:
    return view.findChild(ThumbnailGrid)


def names(view) -> list[str]:
    model = grid(view).model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def words(widget) -> str:
    """Return everything that labels inside a widget say."""
    return "\n".join(label.text() for label in widget.findChildren(QLabel))


def data_of(path: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    return data


def drag_in(view, data: QMimeData) -> None:
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(view, QDragEnterEvent(QPoint(50, 50), COPY, data, buttons, keys))


def drop(view, path: Path) -> None:
    data = data_of(path)
    drag_in(view, data)
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(view, QDropEvent(QPointF(50, 50), COPY, data, buttons, keys))


def test_an_empty_view_invites_a_folder(view):
    area = view.findChild(DropArea)
    assert area.isVisible()
    assert "Drop a folder of pictures here" in words(area)


def test_a_dropped_folder_becomes_the_setting_in_one_step_of_undo(view, workspace, folder, qtbot):
    drop(view, folder)
    assert workspace.document.value("dataset.train_data_dir") == folder.as_posix()
    qtbot.waitUntil(lambda: len(names(view)) == 4)
    workspace.document.undo_stack.undo()
    assert view.findChild(DropArea).isVisible()


def test_a_dropped_picture_stands_for_its_folder(view, workspace, folder):
    drop(view, folder / "3_style" / "c.png")
    value = workspace.document.value("dataset.train_data_dir")
    assert value == (folder / "3_style").as_posix()


def test_a_folder_held_over_the_pictures_is_invited(filled, folder):
    drag_in(filled, data_of(folder))
    assert filled.findChild(DropArea).isVisible()
    QApplication.sendEvent(filled, QDragLeaveEvent())
    assert not filled.findChild(DropArea).isVisible()


def test_text_that_is_dragged_over_is_no_folder(view):
    data = QMimeData()
    data.setText("hello")
    drag_in(view, data)
    assert "Drop it" not in words(view.findChild(DropArea))


def test_the_button_asks_for_a_folder(view, workspace, folder, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    view.findChild(DropArea).findChild(QPushButton).click()
    assert workspace.document.value("dataset.train_data_dir") == folder.as_posix()


def test_figures_follow_the_settings(filled, workspace, qtbot):
    row = filled.findChild(StatRow)
    assert "Pictures\n4\nPer epoch\n23\nBuckets\n1\nBatches\n23\nSteps\n23" in words(row)
    workspace.document.set_value("dataset.train_batch_size", 4)
    qtbot.waitUntil(lambda: "Batches\n6\nSteps\n6" in words(row))


@pytest.mark.parametrize(
    ("path", "value", "figures"),
    [
        ("optimizer.epoch", 3, "Batches\n23\nSteps\n69"),
        ("optimizer.gradient_accumulation_steps", 4, "Batches\n23\nSteps\n6"),
        ("optimizer.max_train_steps", 100, "Batches\n23\nSteps\n100"),
    ],
)
def test_the_step_plan_follows_the_pace(filled, workspace, path, value, figures, qtbot):
    # 2 pictures ten times and one three times, one at a time: 23 batches an epoch.
    workspace.document.set_value(path, value)
    qtbot.waitUntil(lambda: figures in words(filled.findChild(StatRow)))


def test_concepts_show_pictures_and_repeats(filled):
    model = filled.findChild(DatasetSide).findChild(QTreeView).model()
    rows = range(model.rowCount())
    cells = [[model.index(row, column).data() for column in range(2)] for row in rows]
    assert cells == [["All pictures", "4"], ["10_zxq cat", "3 × 10"], ["3_style", "1 × 3"]]


def test_a_chosen_concept_shows_its_pictures(filled):
    tree = filled.findChild(DatasetSide).findChild(QTreeView)
    tree.setCurrentIndex(tree.model().index(2, 0))
    assert names(filled) == ["c.png"]
    tree.setCurrentIndex(tree.model().index(0, 0))
    assert len(names(filled)) == 4


def test_only_pictures_with_problems_can_be_shown(filled):
    box = filled.findChild(QCheckBox)
    assert box.text() == "With problems (1)"
    box.click()
    assert names(filled) == ["broken.png"]


def test_a_selected_picture_shows_its_caption_and_sizes(filled):
    grid(filled).setCurrentIndex(grid(filled).model().index(0, 0))
    caption = filled.findChild(QPlainTextEdit)
    assert caption.isVisible()
    assert caption.toPlainText() == "zxq cat, sitting"
    assert "512 × 512 px, trained at 512 × 512, 10 times per epoch" in words(filled.browser.details)


def test_a_finding_leads_to_its_picture_even_if_it_is_filtered_out(filled):
    tree = filled.findChild(DatasetSide).findChild(QTreeView)
    tree.setCurrentIndex(tree.model().index(2, 0))
    [findings] = [
        view
        for view in filled.findChild(DatasetSide).findChildren(QListView)
        if not isinstance(view, ThumbnailGrid | BarList)
    ]
    first = findings.model().index(0, 0)
    assert first.data().startswith("10_zxq cat/broken.png")
    findings.clicked.emit(first)
    assert grid(filled).currentIndex().data() == "broken.png"


def test_a_wanted_picture_is_shown(filled, workspace, folder):
    workspace.picture_wanted.emit(folder / "3_style" / "c.png")
    assert grid(filled).currentIndex().data() == "c.png"


def test_a_wanted_folder_shows_its_pictures(filled, workspace, folder):
    workspace.picture_wanted.emit(folder / "3_style")
    assert names(filled) == ["c.png"]


def test_a_chosen_concept_stays_chosen_when_a_picture_is_added(filled, workspace, folder, qtbot):
    workspace.picture_wanted.emit(folder / "3_style")
    write_picture(folder / "3_style" / "d.png", (512, 512))
    qtbot.waitUntil(lambda: names(filled) == ["c.png", "d.png"])


def test_a_selection_survives_new_figures(filled, workspace, qtbot):
    grid(filled).setCurrentIndex(grid(filled).model().index(1, 0))
    workspace.document.set_value("dataset.train_batch_size", 2)
    qtbot.waitUntil(lambda: not workspace.dataset.is_busy)
    assert grid(filled).currentIndex().data() == "b.png"


def test_a_missing_folder_is_named(view, workspace, tmp_path, qtbot):
    workspace.document.set_value("dataset.train_data_dir", str(tmp_path / "missing"))
    qtbot.waitUntil(lambda: "missing" in words(view.findChild(DropArea)))
    qtbot.waitUntil(lambda: "does not exist" in words(view.findChild(DropArea)))


def test_a_folder_without_pictures_says_how_folders_look(view, workspace, tmp_path, qtbot):
    (tmp_path / "empty").mkdir()
    workspace.document.set_value("dataset.train_data_dir", str(tmp_path / "empty"))
    qtbot.waitUntil(lambda: "There are no pictures" in words(view.findChild(DropArea)))
