import pytest
from PySide6.QtWidgets import QPushButton

from desktop_app.widgets.banner import Banner
from desktop_app.widgets.icon_button import IconButton


@pytest.fixture
def banner(qtbot) -> Banner:
    banner = Banner("Close")
    qtbot.addWidget(banner)
    banner.wanted.connect(banner.setVisible)
    return banner


def buttons(banner: Banner) -> list[QPushButton]:
    return [button for button in banner.findChildren(QPushButton) if not button.isHidden()]


def test_it_shows_when_there_is_something_to_say(banner: Banner):
    banner.tell("error", "It broke.", "Mend it.")
    assert banner.isVisible()
    assert banner.message == "It broke."


def test_the_cross_takes_it_away(banner: Banner):
    banner.tell("error", "It broke.")
    [cross] = banner.findChildren(IconButton)
    cross.click()
    assert not banner.isVisible()


def test_a_new_message_has_its_own_buttons(banner: Banner, qtbot):
    pressed = []
    banner.tell("error", "It broke.", buttons=[("Show log", lambda: pressed.append("log"))])
    banner.tell("success", "Done.", buttons=[("Open folder", lambda: pressed.append("folder"))])
    qtbot.waitUntil(lambda: [button.text() for button in buttons(banner)] == ["Open folder"])
    buttons(banner)[0].click()
    assert pressed == ["folder"]


def test_long_messages_get_the_height_they_need(banner: Banner, qtbot):
    banner.resize(400, 40)
    banner.tell("error", "short")
    low = banner.height()
    banner.tell("error", "many words " * 40)
    assert banner.height() > 2 * low
