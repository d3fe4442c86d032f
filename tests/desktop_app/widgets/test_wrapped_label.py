import pytest
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from desktop_app.widgets.wrapped_label import WrappedLabel

WORDS = "Another program changed the caption meanwhile, and nothing was overwritten. " * 3


@pytest.fixture
def label(qtbot):
    label = WrappedLabel()
    qtbot.addWidget(label)
    return label


def needed(label) -> int:
    """Return the height of the words at the label's width, by the font's own measure."""
    flags = 0x1000  # Qt.TextFlag.TextWordWrap
    metrics = label.fontMetrics()
    return metrics.boundingRect(0, 0, label.width(), 9999, flags, label.text()).height()


def test_it_is_as_high_as_its_words_at_any_width(label, qtbot):
    label.say(WORDS)
    label.show()
    for width in (200, 90, 400):
        label.resize(width, label.height())
        qtbot.waitUntil(lambda: label.height() == needed(label))


def test_fewer_words_give_the_room_back(label, qtbot):
    label.resize(200, 10)
    label.say(WORDS)
    label.show()
    label.say("Short.")
    qtbot.waitUntil(lambda: label.height() == needed(label))


def test_without_words_it_is_hidden(label):
    label.show()
    label.say("")
    assert not label.isVisible()


def test_a_splitter_cuts_no_line_off(qtbot):
    splitter, below, label = QSplitter(), QWidget(), WrappedLabel()
    qtbot.addWidget(splitter)
    column = QVBoxLayout(below)
    column.addWidget(label)
    column.addWidget(QWidget(), 1)
    splitter.addWidget(below)
    splitter.resize(200, 60)
    splitter.show()
    label.say(WORDS)
    qtbot.waitUntil(lambda: label.height() == needed(label))
    qtbot.waitUntil(lambda: splitter.height() > label.height())
