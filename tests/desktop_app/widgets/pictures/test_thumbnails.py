import pytest
import shiboken6
from helpers.pictures import gradient, write_picture
from PySide6.QtGui import QColor

from desktop_app.widgets.pictures.thumbnails import ThumbnailLoader, read_thumbnail
from trainer_core.settings.picture_kinds import FORMAT_OF_EXTENSION


@pytest.fixture
def loader(qapp):
    loader = ThumbnailLoader()
    loader.set_side(64)
    yield loader
    if shiboken6.isValid(loader):
        loader.close()


@pytest.fixture
def pictures(tmp_path):
    return [write_picture(tmp_path / f"{number:02}.png", (100, 50)) for number in range(20)]


def load(loader, paths, qtbot):
    loader.want(paths)
    qtbot.waitUntil(lambda: loader.is_idle)


@pytest.mark.parametrize("extension", FORMAT_OF_EXTENSION)
def test_a_large_picture_of_any_kind_is_scaled_into_the_square(tmp_path, extension):
    if extension == ".jxl":
        pytest.importorskip("pillow_jxl")
    image = read_thumbnail(write_picture(tmp_path / f"a{extension}", (400, 200)), 100)
    assert (image.width(), image.height()) == (100, 50)


def test_a_small_picture_keeps_its_size(tmp_path):
    image = read_thumbnail(write_picture(tmp_path / "a.png", (40, 20)), 100)
    assert (image.width(), image.height()) == (40, 20)


def test_a_very_thin_picture_keeps_a_pixel(tmp_path):
    image = read_thumbnail(write_picture(tmp_path / "a.png", (2000, 3)), 100)
    assert (image.width(), image.height()) == (100, 1)


def test_a_picture_that_lies_is_turned_upright(tmp_path):
    path = tmp_path / "a.jpg"
    picture = gradient((400, 200))
    exif = picture.getexif()
    exif[0x112] = 6  # a quarter turn clockwise makes it upright
    picture.save(path, exif=exif, quality=95)
    image = read_thumbnail(path, 100)
    assert (image.width(), image.height()) == (50, 100)
    # Red grew rightwards, so now downwards; green grew downwards, so now leftwards.
    top_right, bottom_left = QColor(image.pixel(45, 5)), QColor(image.pixel(5, 95))
    assert top_right.red() < 60 < 180 < bottom_left.red()
    assert top_right.green() < 60 < 180 < bottom_left.green()


def test_a_kind_that_its_name_hides_is_read(tmp_path):
    path = tmp_path / "a.png"
    gradient((300, 150)).save(path, "AVIF")
    image = read_thumbnail(path, 100)
    assert (image.width(), image.height()) == (100, 50)


def test_a_file_that_is_no_picture_gives_a_null_thumbnail(tmp_path, loader, qtbot):
    path = tmp_path / "a.png"
    path.write_bytes(b"nothing")
    load(loader, [path], qtbot)
    assert loader.thumbnail(path).isNull()


def test_a_cut_picture_gives_a_null_thumbnail(tmp_path):
    path = write_picture(tmp_path / "a.jpg", (600, 600))
    path.write_bytes(path.read_bytes()[:3000])
    assert read_thumbnail(path, 100).isNull()


def test_wanted_pictures_are_loaded_once(loader, pictures, qtbot):
    loaded = []
    loader.loaded.connect(loaded.append)
    load(loader, pictures, qtbot)
    load(loader, pictures, qtbot)
    assert sorted(loaded) == pictures
    assert loader.thumbnail(pictures[0]).width() == 64


def test_what_is_asked_for_last_comes_first(loader, pictures, qtbot):
    loaded = []
    loader.loaded.connect(loaded.append)
    loader.want(pictures)
    loader.want(pictures[15:])
    qtbot.waitUntil(lambda: loader.is_idle)
    dropped = set(pictures) - set(loaded)
    assert set(loaded[-5:]) >= set(pictures[16:])
    assert len(dropped) >= 10, "the first ones were scrolled past and are not decoded"


def test_memory_is_bounded_and_the_newest_are_kept(qapp, pictures, qtbot):
    loader = ThumbnailLoader(memory_bytes=3 * 64 * 32 * 4)
    loader.set_side(64)
    for path in pictures:
        load(loader, [path], qtbot)
    kept = [path for path in pictures if loader.thumbnail(path) is not None]
    assert kept == pictures[-3:]
    loader.close()


def test_another_size_is_loaded_anew(loader, pictures, qtbot):
    load(loader, pictures[:1], qtbot)
    loader.set_side(32)
    assert loader.thumbnail(pictures[0]) is None
    load(loader, pictures[:1], qtbot)
    assert loader.thumbnail(pictures[0]).width() == 32


def test_it_can_be_destroyed_while_it_works(loader, pictures):
    loader.want(pictures)
    shiboken6.delete(loader)
