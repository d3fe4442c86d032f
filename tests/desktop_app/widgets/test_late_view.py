from PySide6.QtWidgets import QLabel, QTabWidget

from desktop_app.widgets.late_view import LateView


def test_the_content_is_made_once_and_only_when_seen(qtbot):
    made: list[QLabel] = []

    def build() -> QLabel:
        made.append(QLabel("late"))
        return made[-1]

    tabs = QTabWidget()
    qtbot.addWidget(tabs)
    tabs.addTab(QLabel("first"), "first")
    tabs.addTab(LateView(build), "late")
    tabs.show()
    assert made == []
    for _ in range(2):
        tabs.setCurrentIndex(1)
        qtbot.waitUntil(lambda: [label.isVisible() for label in made] == [True])
        tabs.setCurrentIndex(0)
