from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from desktop_app.widgets.squeezed import Squeezed


def test_it_asks_for_the_width_that_its_content_needs_now(qtbot):
    content = QWidget()
    label = QLabel("short", content)
    QVBoxLayout(content).addWidget(label)
    squeezed = Squeezed(content)
    qtbot.addWidget(squeezed)
    squeezed.show()
    before = squeezed.minimumWidth()
    assert before == content.minimumSizeHint().width()
    label.setText("as long as it gets when something is shown")
    qtbot.waitUntil(lambda: squeezed.minimumWidth() == content.minimumSizeHint().width() > before)


def test_it_leaves_the_height_to_others(qtbot):
    content = QWidget()
    content.setMinimumHeight(900)
    squeezed = Squeezed(content)
    qtbot.addWidget(squeezed)
    assert squeezed.minimumSizeHint().height() < content.minimumHeight()
