from pathlib import Path

import pytest
from helpers.drops import carried, drop, hold_over
from helpers.pictures import write_dataset, write_picture
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QDragLeaveEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QFileDialog,
    QLabel,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QTreeView,
)

from desktop_app.dataset_view.side import DatasetSide
from desktop_app.dataset_view.view import DatasetView
from desktop_app.models.pictures.picture_offer import Offer
from desktop_app.widgets.banner import Banner
from desktop_app.widgets.drop_area import DropArea
from desktop_app.widgets.pictures.thumbnail_grid import ThumbnailGrid
from desktop_app.widgets.stat_row import StatRow


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
    view = DatasetView(workspace)
    qtbot.addWidget(view)
    view.resize(900, 600)
    view.show()
    return view


@pytest.fixture
def filled(view, workspace, folder, qtbot):
    """The view of a folder that was looked at."""
    workspace.document.set_value("dataset.train_data_dir", folder.as_posix())
    qtbot.waitUntil(lambda: names(view) == ["c.png", "a.png", "b.png", "broken.png"])
    return view


def grid(view) -> ThumbnailGrid:
    return view.findChild(ThumbnailGrid)


def names(view) -> list[str]:
    model = grid(view).model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def words(widget) -> str:
    """Return everything that labels inside a widget say."""
    return "\n".join(label.text() for label in widget.findChildren(QLabel))


def chosen(workspace) -> tuple[object, object]:
    document = workspace.document
    return document.value("dataset.train_data_dir"), document.value("dataset.more_pictures")


def test_an_empty_view_invites_a_folder(view):
    area = view.findChild(DropArea)
    assert area.isVisible()
    assert "Drop folders or pictures here" in words(area)


def test_a_dropped_folder_becomes_the_setting_in_one_step_of_undo(view, workspace, folder, qtbot):
    drop(view, folder)
    qtbot.waitUntil(lambda: len(names(view)) == 4)
    assert workspace.document.value("dataset.train_data_dir") == folder.as_posix()
    workspace.document.undo_stack.undo()
    assert view.findChild(DropArea).isVisible()


def test_all_pictures_of_a_folder_stand_for_the_folder(view, workspace, folder, qtbot):
    drop(view, folder / "3_style" / "c.png")
    qtbot.waitUntil(lambda: chosen(workspace) == ((folder / "3_style").as_posix(), []))


def test_a_folder_held_over_the_pictures_is_invited(filled, folder):
    hold_over(filled, carried(folder))
    assert filled.findChild(DropArea).isVisible()
    QApplication.sendEvent(filled, QDragLeaveEvent())
    assert not filled.findChild(DropArea).isVisible()


def test_text_that_is_dragged_over_is_no_folder(view):
    data = QMimeData()
    data.setText("hello")
    hold_over(view, data)
    assert "Drop it" not in words(view.findChild(DropArea))


def test_the_button_asks_for_a_folder(view, workspace, folder, monkeypatch, qtbot):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    view.findChild(DropArea).button.click()
    qtbot.waitUntil(lambda: chosen(workspace) == (folder.as_posix(), []))


def test_figures_follow_the_settings(filled, workspace, qtbot):
    row = filled.findChild(StatRow)
    assert "Pictures\n3\nPer epoch\n23\nBuckets\n1\nBatches\n23\nSteps\n23" in words(row)
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
    cells = [[model.index(row, column).data() for column in range(3)] for row in rows]
    assert cells == [
        ["All pictures", "", "3"],
        ["3_style", "3 ×", "1"],
        ["10_zxq cat", "10 ×", "2"],
    ]


def test_a_chosen_concept_shows_its_pictures(filled):
    tree = filled.findChild(DatasetSide).findChild(QTreeView)
    tree.setCurrentIndex(tree.model().index(1, 0))
    assert names(filled) == ["c.png"]
    tree.setCurrentIndex(tree.model().index(0, 0))
    assert len(names(filled)) == 4


def test_only_pictures_with_problems_can_be_shown(filled):
    box = filled.findChild(QCheckBox)
    assert box.text() == "Problems (1)"
    box.click()
    assert names(filled) == ["broken.png"]


def test_a_selected_picture_shows_its_caption_and_sizes(filled):
    grid(filled).setCurrentIndex(grid(filled).model().index(1, 0))
    caption = filled.findChild(QPlainTextEdit)
    assert caption.isVisible()
    assert caption.toPlainText() == "zxq cat, sitting"
    assert "512 × 512 px, trained at 512 × 512, 10\u00a0× per epoch" in words(
        filled.browser.details
    )


def test_a_wanted_picture_is_shown_even_if_it_is_filtered_out(filled, workspace, folder):
    tree = filled.findChild(DatasetSide).findChild(QTreeView)
    tree.setCurrentIndex(tree.model().index(2, 0))
    workspace.picture_wanted.emit(folder / "10_zxq cat" / "broken.png")
    assert grid(filled).currentIndex().data() == "broken.png"


def test_the_names_of_folders_have_room_beside_their_figures(filled):
    filled.resize(840, 400)  # what a window of 1280 pixels leaves
    tree = filled.findChild(DatasetSide).findChild(QTreeView)
    place = tree.visualRect(tree.model().index(1, 0))
    assert place.width() > tree.fontMetrics().horizontalAdvance("10_zxq lantern")


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
    grid(filled).setCurrentIndex(grid(filled).model().index(2, 0))
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


# ------------------------------------------------------------------ several places


@pytest.fixture
def more(tmp_path) -> Path:
    """Another set with a concept of a known name, one of its own, and a file of another kind."""
    folders = {
        "10_zxq cat": {"x.png": None},
        "2_dog": {"y.png": None, "z.png": None, "film.gif": b"x"},
    }
    return write_dataset(tmp_path / "more", folders, size=(512, 512))


@pytest.fixture
def scattered(filled, workspace, more, qtbot):
    """The view of two sets and a single picture of a third folder."""
    picture = write_picture(more.parent / "loose" / "p.png", (512, 512))
    write_picture(more.parent / "loose" / "q.png", (512, 512))
    entries = [more.as_posix(), picture.as_posix()]
    workspace.document.set_value("dataset.more_pictures", entries)
    qtbot.waitUntil(lambda: len(names(filled)) == 8)
    return filled


def tree_of(view) -> QTreeView:
    return view.findChild(DatasetSide).findChild(QTreeView)


def lines(tree: QTreeView) -> list[list[str]]:
    """Return the cells of every line, concepts of a place behind its own line."""
    found, model = [], tree.model()
    for row in range(model.rowCount()):
        place = model.index(row, 0)
        found.append([model.index(row, column).data() for column in range(3)])
        found += [
            [model.index(child, column, place).data() for column in range(3)]
            for child in range(model.rowCount(place))
        ]
    return found


def test_a_narrow_tree_leaves_the_counts_to_the_tooltips(filled):
    side, tree = filled.findChild(DatasetSide), tree_of(filled)
    side.resize(140, 300)
    place = tree.visualRect(tree.model().index(1, 0))
    assert place.width() > tree.width() // 2
    assert "picture" in tree.model().index(1, 0).data(Qt.ItemDataRole.ToolTipRole)
    side.resize(300, 300)
    assert not tree.isColumnHidden(2)


def test_a_folder_that_is_left_out_whole_stays_and_is_put_back(filled, workspace, qtbot):
    tree = tree_of(filled)
    before = lines(tree)
    chosen = workspace.dataset.scan.index.concepts[0].pictures
    folder = chosen[0].path.parent
    workspace.left_out.leave_out([picture.path for picture in chosen])
    qtbot.waitUntil(lambda: [folder.name, "", "0"] in lines(tree))
    filled.reveal(folder)
    assert tree.currentIndex().data() == folder.name
    assert len(filled.browser.listed_rows) == len(chosen)
    [putting_back] = [action for action in tree.actions() if "Put back" in action.text()]
    assert putting_back.isVisible()
    putting_back.trigger()
    qtbot.waitUntil(lambda: lines(tree) == before)


def test_several_places_are_a_tree_with_sums(scattered):
    assert lines(tree_of(scattered)) == [
        ["All pictures", "", "7"],
        ["pictures", "", "3"],
        ["3_style", "3 ×", "1"],
        ["10_zxq cat", "10 ×", "2"],
        ["more", "", "3"],
        ["2_dog", "2 ×", "2"],
        ["10_zxq cat", "10 ×", "1"],
        ["loose", "1 ×", "1"],
    ]


def test_a_place_has_its_whole_path_as_tooltip(scattered, more):
    tree = tree_of(scattered)
    tooltip = tree.model().index(2, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert tooltip.splitlines() == [str(more), "3 pictures, 14 per epoch"]  # 1 * 10 + 2 * 2


def test_a_chosen_place_shows_its_pictures_and_its_concept_only_its_own(scattered):
    tree = tree_of(scattered)
    place = tree.model().index(2, 0)
    tree.setCurrentIndex(place)
    assert names(scattered) == ["y.png", "z.png", "x.png"]
    tree.setCurrentIndex(tree.model().index(0, 0, place))
    assert names(scattered) == ["y.png", "z.png"]


def test_delete_takes_a_place_out_of_the_settings_and_leaves_its_files(
    scattered, workspace, folder, more, qtbot
):
    tree = tree_of(scattered)
    tree.setCurrentIndex(tree.model().index(2, 0))
    tree.window().activateWindow()
    tree.setFocus()
    qtbot.waitUntil(tree.hasFocus)
    qtbot.keyClick(tree, Qt.Key.Key_Delete)
    loose = (more.parent / "loose" / "p.png").as_posix()
    assert chosen(workspace) == (folder.as_posix(), [loose])
    assert (more / "2_dog" / "y.png").exists()
    workspace.document.undo_stack.undo()
    assert chosen(workspace) == (folder.as_posix(), [more.as_posix(), loose])


def test_a_concept_of_a_place_cannot_be_removed_by_itself(scattered, workspace):
    tree = tree_of(scattered)
    before = chosen(workspace)
    [removal] = [action for action in tree.actions() if "Remove" in action.text()]
    tree.setCurrentIndex(tree.model().index(0, 0, tree.model().index(1, 0)))
    assert not removal.isEnabled()
    tree.setCurrentIndex(tree.model().index(1, 0))
    assert removal.isEnabled()
    assert chosen(workspace) == before


def test_a_chosen_place_stays_chosen_when_another_is_removed(scattered, workspace, folder, qtbot):
    tree = tree_of(scattered)
    tree.setCurrentIndex(tree.model().index(2, 0))
    workspace.document.set_value("dataset.train_data_dir", "unset")
    qtbot.waitUntil(lambda: tree.model().rowCount() == 3)
    assert tree.currentIndex().data() == "more"
    assert names(scattered) == ["y.png", "z.png", "x.png"]


def test_a_missing_place_is_marked_and_the_others_are_shown(filled, workspace, tmp_path, qtbot):
    workspace.document.set_value("dataset.more_pictures", [str(tmp_path / "gone")])
    tree = tree_of(filled)
    qtbot.waitUntil(lambda: [line[0] for line in lines(tree)][-1] == "gone")
    assert len(names(filled)) == 4
    tooltip = tree.model().index(2, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "gone does not exist" in tooltip


def test_pictures_stay_in_sight_while_more_are_looked_at(filled, workspace, more):
    workspace.document.set_value("dataset.more_pictures", [more.as_posix()])
    assert not filled.findChild(DropArea).isVisible()
    assert len(names(filled)) == 4


def test_the_invitation_counts_what_is_held_over_it(view, folder, more):
    area = view.findChild(DropArea)
    cats = folder / "10_zxq cat"
    for held, words_of in (
        ([folder], "Drop to train this folder"),
        ([folder, more], "Drop to train these 2 folders"),
        ([cats / "a.png"], "Drop to train this picture"),
        ([cats / "a.png", cats / "b.png"], "Drop to train these 2 pictures"),
        ([more, cats / "a.png", cats / "b.png"], "(folders: 1, pictures: 2)"),
        ([more / "2_dog" / "film.gif"], "This cannot be trained"),
    ):
        hold_over(view, carried(*held))
        assert words_of in words(area)


def test_a_run_file_held_over_it_is_left_to_the_window(view, tmp_path):
    run_file = tmp_path / "mine.toml"
    run_file.touch()
    hold_over(view, carried(run_file))
    assert "cannot be trained" not in words(view.findChild(DropArea))


def test_what_is_left_out_of_a_drop_is_named_until_it_is_closed(view, more, qtbot):
    drop(view, more / "2_dog" / "film.gif", more / "2_dog" / "y.png")
    qtbot.waitUntil(lambda: names(view) == ["y.png"])
    banner = view.findChild(Banner)
    assert banner.isVisible()
    assert banner.message.startswith("Left out: film.gif.")
    banner.dismiss()
    assert not banner.isVisible()


@pytest.mark.qt_log_ignore("This plugin does not support grabbing", extend=True)
@pytest.mark.parametrize("answer", ["Add to the pictures", "Use instead", "Cancel"])
def test_a_drop_on_pictures_asks_what_to_do(filled, workspace, folder, more, answer, qtbot):
    drop(filled, more)
    qtbot.waitUntil(lambda: any(menu.isVisible() for menu in filled.findChildren(QMenu)))
    [menu] = [menu for menu in filled.findChildren(QMenu) if menu.isVisible()]
    actions = {action.text().replace("&", ""): action for action in menu.actions()}
    before = chosen(workspace)
    actions[answer].trigger()
    menu.close()
    after = {
        "Add to the pictures": (folder.as_posix(), [more.as_posix()]),
        "Use instead": (more.as_posix(), []),
        "Cancel": before,
    }[answer]
    qtbot.waitUntil(lambda: chosen(workspace) == after)
    if after != before:
        workspace.document.undo_stack.undo()
        assert chosen(workspace) == before


def test_what_was_left_out_is_still_named_after_the_answer(filled, workspace, more, qtbot):
    workspace.pictures.offer(Offer.of([more / "2_dog" / "film.gif"]))
    filled.added.emit([more])
    qtbot.waitUntil(lambda: chosen(workspace)[1] == [more.as_posix()])
    assert filled.findChild(Banner).message.startswith("Left out: film.gif.")


def test_folders_and_pictures_can_be_added_by_menu(filled, workspace, more, monkeypatch, qtbot):
    dogs = [str(more / "2_dog" / "y.png")]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(more / "10_zxq cat"))
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (dogs, ""))
    [button] = [b for b in filled.findChildren(QPushButton) if b.text() == "Add"]
    folder_action, picture_action, *_ = button.menu().actions()
    folder_action.trigger()
    qtbot.waitUntil(lambda: chosen(workspace)[1] == [(more / "10_zxq cat").as_posix()])
    picture_action.trigger()
    qtbot.waitUntil(lambda: chosen(workspace)[1] == [(more / "10_zxq cat").as_posix(), *dogs])


def test_repeats_are_changed_in_the_tree_and_by_undo_back(filled, workspace, qtbot):
    tree = tree_of(filled)
    cell = tree.model().index(2, 1)
    assert cell.data(Qt.ItemDataRole.EditRole) == 10
    assert tree.model().setData(cell, 4, Qt.ItemDataRole.EditRole)
    assert workspace.document.value("dataset.folder_repeats") == ["10_zxq cat=4"]
    qtbot.waitUntil(lambda: lines(tree)[2] == ["10_zxq cat", "4 ×", "2"])
    assert "Per epoch\n11" in words(filled.findChild(StatRow))  # 2 * 4 + 3
    workspace.document.undo_stack.undo()
    qtbot.waitUntil(lambda: lines(tree)[2] == ["10_zxq cat", "10 ×", "2"])


def test_the_sum_of_all_pictures_has_no_repeats_to_change(filled):
    tree = tree_of(filled)
    assert not tree.model().flags(tree.model().index(0, 1)) & Qt.ItemFlag.ItemIsEditable


def test_f2_edits_the_repeats_of_the_chosen_folder(filled, workspace, qtbot):
    tree = tree_of(filled)
    tree.setCurrentIndex(tree.model().index(2, 0))
    tree.window().activateWindow()
    tree.setFocus()
    qtbot.waitUntil(tree.hasFocus)
    qtbot.keyClick(tree, Qt.Key.Key_F2)
    [field] = tree.findChildren(QSpinBox)
    field.setValue(4)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: workspace.document.value("dataset.folder_repeats") == ["10_zxq cat=4"])
