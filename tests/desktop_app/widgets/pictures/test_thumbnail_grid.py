import pytest
from helpers.pictures import write_picture
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QStandardItem, QStandardItemModel

from desktop_app.theme import tokens
from desktop_app.widgets.pictures.thumbnail_grid import ThumbnailGrid

PATH, CAPTION, BADGE, DIMMED = (Qt.ItemDataRole.UserRole + number for number in range(4))


@pytest.fixture
def paths(tmp_path):
    return [write_picture(tmp_path / f"{number:03}.png", (60, 40)) for number in range(60)]


@pytest.fixture
def grid(paths, qtbot):
    model = QStandardItemModel()
    for path in paths:
        item = QStandardItem(path.name)
        item.setData(path, PATH)
        item.setData("a caption that is too long for two lines of a cell " * 3, CAPTION)
        item.setData("warning", BADGE)
        model.appendRow(item)
    grid = ThumbnailGrid(path_role=PATH, caption_role=CAPTION, badge_role=BADGE, dimmed_role=DIMMED)
    model.setParent(grid)
    qtbot.addWidget(grid)
    grid.setModel(model)
    grid.resize(700, 400)
    grid.show()
    return grid


def loaded(grid, paths):
    return [number for number, path in enumerate(paths) if grid.loader.thumbnail(path) is not None]


def visible(grid):
    shown = grid.viewport().rect()
    model = grid.model()
    rows = range(model.rowCount())
    return [row for row in rows if grid.visualRect(model.index(row, 0)).intersects(shown)]


@pytest.mark.parametrize("width", [100, *range(300, 340), 437, 640, 1111])
def test_columns_are_as_many_as_really_stand_side_by_side(grid, width, qtbot):
    grid.resize(width, 400)
    wanted = (grid.viewport().width() - 1) // grid.columns
    qtbot.waitUntil(lambda: grid.gridSize().width() == wanted)
    tops = [grid.visualRect(grid.model().index(row, 0)).y() for row in range(30)]
    assert tops.count(tops[0]) == grid.columns


def test_what_can_be_seen_is_loaded_and_what_is_far_away_is_not(grid, paths, qtbot):
    qtbot.waitUntil(lambda: set(visible(grid)) <= set(loaded(grid, paths)))
    qtbot.waitUntil(lambda: grid.loader.is_idle)
    assert 59 not in loaded(grid, paths)


def test_scrolling_loads_what_comes_into_sight(grid, paths, qtbot):
    grid.scrollToBottom()
    qtbot.waitUntil(lambda: 59 in loaded(grid, paths))
    assert 59 in visible(grid)
    qtbot.waitUntil(lambda: set(visible(grid)) <= set(loaded(grid, paths)))


def test_larger_thumbnails_mean_fewer_columns(grid):
    before = grid.columns
    grid.set_side(256)
    assert grid.columns < before


def test_a_reload_reads_the_files_again(grid, paths, qtbot):
    qtbot.waitUntil(lambda: grid.loader.thumbnail(paths[0]) is not None)
    write_picture(paths[0], (20, 20))
    grid.reload()
    qtbot.waitUntil(lambda: grid.loader.thumbnail(paths[0]) is not None)
    assert grid.loader.thumbnail(paths[0]).width() == 20


def test_it_paints_pictures_words_and_marks(grid, paths, qtbot):
    qtbot.waitUntil(lambda: grid.loader.thumbnail(paths[0]) is not None)
    cell = grid.visualRect(grid.model().index(0, 0))
    image = grid.viewport().grab(cell).toImage()
    colours = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
    assert len(colours) > 200, "a gradient, not an empty cell"


def test_no_words_are_dim_on_the_ground_of_a_selection(grid, qtbot):
    index = grid.model().index(0, 0)

    def has_dim_words() -> bool:
        dim = QColor(tokens.current().text_dim)
        image = grid.viewport().grab(grid.visualRect(index)).toImage()
        return any(
            image.pixelColor(x, y) == dim
            for y in range(image.height())
            for x in range(image.width())
        )

    grid.clearSelection()
    qtbot.waitUntil(has_dim_words)
    grid.setCurrentIndex(index)
    qtbot.waitUntil(lambda: not has_dim_words())
