from collections.abc import Iterator

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel

from desktop_app.theme.icons import icon
from desktop_app.theme.style import apply_theme, style_sheet
from desktop_app.theme.tokens import DARK, LIGHT
from desktop_app.widgets.icon_button import IconButton
from trainer_core.files.resources import resource_path


@pytest.fixture
def app(qapp: QApplication) -> Iterator[QApplication]:
    """The application, whose look is put back afterwards."""
    style, palette = qapp.style().objectName(), qapp.palette()
    yield qapp
    qapp.setStyleSheet("")
    qapp.setPalette(palette)
    qapp.setStyle(style)


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_the_style_sheet_names_only_tokens_and_files_that_exist(look):
    sheet = style_sheet(look)
    assert "$" not in sheet
    for part in sheet.split("url(")[1:]:
        path = part.partition(")")[0]
        assert resource_path("styles", path.rpartition("/")[2]).is_file(), path


def test_a_theme_recolours_what_is_on_the_screen(app: QApplication, qtbot):
    label = QLabel("words")
    qtbot.addWidget(label)
    label.show()
    for name, look in (("light", LIGHT), ("dark", DARK)):
        apply_theme(app, name)
        qtbot.wait(1)
        assert label.grab().toImage().pixelColor(0, 0) == QColor(look.window)


def test_icons_follow_the_theme(app: QApplication, qtbot):
    apply_theme(app, "light")
    button = IconButton("close", "Close")
    qtbot.addWidget(button)
    light = button.icon().cacheKey()
    apply_theme(app, "dark")
    qtbot.waitUntil(lambda: button.icon().cacheKey() != light)


DRAWINGS = sorted(resource_path("icons").glob("*.svg"))


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_every_drawing_leaves_a_mark(path, qapp):
    image = icon(path.stem).pixmap(24, 24).toImage()
    pixels = (image.pixelColor(x, y).alpha() for x in range(24) for y in range(24))
    assert any(alpha > 128 for alpha in pixels)
