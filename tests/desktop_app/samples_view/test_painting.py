from pathlib import Path

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap

from desktop_app.samples_view.painting import draw_picture, missing_words


def painted(pixmap: QPixmap | None, path: Path = Path("/nowhere/a.png")) -> QImage:
    image = QImage(100, 100, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    draw_picture(painter, QRect(0, 0, 100, 100), path, pixmap)
    painter.end()
    return image


@pytest.fixture
def wide(qapp) -> QPixmap:
    pixmap = QPixmap(20, 10)
    pixmap.fill(QColor("red"))
    return pixmap


def test_a_picture_is_as_large_as_fits_and_keeps_its_shape(wide):
    image = painted(wide)
    red = QColor("red")
    assert [image.pixelColor(x, 50) for x in (1, 98)] == [red, red]
    assert [image.pixelColor(50, y) for y in (27, 72)] == [red, red]
    assert [image.pixelColor(50, y) for y in (22, 77)] == [QColor("white")] * 2


def test_one_that_cannot_be_shown_differs_from_one_that_is_being_read(qapp):
    assert painted(None) != painted(QPixmap())


def test_a_file_that_vanished_and_one_that_is_no_picture_are_told_apart(qapp, tmp_path):
    broken = tmp_path / "a.png"
    broken.write_bytes(b"nothing")
    assert missing_words(broken) == "Cannot be read"
    assert missing_words(tmp_path / "b.png") == "The file is gone"
    assert painted(QPixmap(), broken) != painted(QPixmap(), tmp_path / "b.png")
