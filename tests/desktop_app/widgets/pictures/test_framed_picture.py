import pytest
from helpers.pictures import write_picture
from PIL import Image
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPixmap

from desktop_app.widgets.pictures.framed_picture import FramedPicture

MIDDLE = QRectF(0.25, 0.0, 0.5, 1.0)


@pytest.fixture
def framed(qtbot):
    framed = FramedPicture()
    qtbot.addWidget(framed)
    framed.resize(400, 300)
    framed.show()
    return framed


@pytest.fixture
def white(tmp_path):
    path = tmp_path / "white.png"
    Image.new("RGB", (800, 400), (240, 240, 240)).save(path)
    return path


def show(framed, path, kept, qtbot) -> None:
    framed.show_picture(path, kept)
    qtbot.waitUntil(lambda: framed.loader.is_idle)


def colour(framed, x: float, y: float) -> QColor:
    return framed.grab().toImage().pixelColor(round(x), round(y))


def test_a_picture_fills_the_room_in_its_own_proportions(framed, white, qtbot):
    show(framed, white, QRectF(0, 0, 1, 1), qtbot)
    assert framed.place().getRect() == (0, 50, 400, 200)


def test_the_frame_is_a_share_of_the_picture_as_drawn(framed, white, qtbot):
    show(framed, white, MIDDLE, qtbot)
    assert framed.frame() == QRectF(100, 50, 200, 200)


@pytest.mark.parametrize("width", range(180, 300, 17))
def test_a_square_is_drawn_as_one_at_any_size(framed, tmp_path, width, qtbot):
    path = write_picture(tmp_path / "wide.png", (900, 512))
    framed.resize(width, 300)
    show(framed, path, QRectF(194 / 900, 0, 512 / 900, 1), qtbot)
    frame = framed.frame()
    assert abs(frame.width() - frame.height()) <= 1  # edges lie on whole pixels


def test_what_is_cut_off_is_dimmed_and_what_is_kept_is_not(framed, white, qtbot):
    show(framed, white, MIDDLE, qtbot)
    assert colour(framed, 50, 150).lightness() < 120
    assert colour(framed, 350, 150).lightness() < 120
    assert colour(framed, 200, 150) == QColor(240, 240, 240)


def test_the_frame_has_a_light_and_a_dark_line(framed, white, qtbot):
    show(framed, white, MIDDLE, qtbot)
    assert colour(framed, 100, 150) == QColor("white")
    assert colour(framed, 101, 150) == QColor("black")
    assert colour(framed, 299, 150) == QColor("white")


def test_a_picture_of_which_all_is_kept_has_no_frame(framed, white, qtbot):
    show(framed, white, QRectF(0, 0, 1, 1), qtbot)
    assert colour(framed, 1, 150) == QColor(240, 240, 240)


def test_the_preview_is_shown_until_the_file_is_decoded(framed, white, qtbot):
    preview = QPixmap(40, 20)
    preview.fill(QColor("red"))
    framed.show_picture(white, preview=preview)
    assert colour(framed, 200, 150) == QColor("red")
    qtbot.waitUntil(lambda: colour(framed, 200, 150) == QColor(240, 240, 240))


def test_the_likely_next_pictures_are_decoded_ahead(framed, white, tmp_path, qtbot):
    other = write_picture(tmp_path / "other.png")
    framed.show_picture(white, likely_next=(other,))
    qtbot.waitUntil(lambda: framed.loader.thumbnail(other) is not None)


def test_a_file_that_is_no_picture_leaves_a_sign(framed, tmp_path, qtbot):
    path = tmp_path / "a.png"
    path.write_bytes(b"nothing")
    show(framed, path, MIDDLE, qtbot)
    assert framed.place().isEmpty()
    image = framed.grab().toImage()
    middle = {image.pixel(x, 150) for x in range(170, 230)}
    assert len(middle) > 1
