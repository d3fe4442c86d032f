from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QApplication, QSplitter

from desktop_app.dataset_view.view import DatasetView


def sizes(view) -> list[list[int]]:
    return [splitter.sizes() for splitter in view.findChildren(QSplitter) if splitter.count() == 2]


def reopened(workspace, like, qtbot):
    """Return another view, as the next start builds it."""
    view = DatasetView(workspace)
    qtbot.addWidget(view)
    view.resize(like.size())
    with qtbot.waitExposed(view):
        view.show()
    return view


def drag(splitter, distance: int) -> None:
    splitter.handle(1).moveSplitter(splitter.sizes()[0] + distance)


def test_borders_and_the_size_of_thumbnails_are_kept_between_starts(view, workspace, qtbot):
    with qtbot.waitSignal(view.view_layout.changed):
        view.browser.bar.slider.setValue(96)
        for splitter in (view.browser, view.browser.details):
            drag(splitter, -30)
            QApplication.processEvents()  # words wrap anew, which moves other borders
    kept = sizes(view)
    again = reopened(workspace, view, qtbot)
    assert again.browser.bar.slider.value() == 96
    qtbot.waitUntil(lambda: sizes(again) == kept)


def test_a_layout_of_another_version_changes_nothing(view):
    before = sizes(view)
    view.view_layout.restore(QByteArray(b"\0\0\0\x63nonsense"))
    view.view_layout.restore(QByteArray())
    assert sizes(view) == before


def test_a_drag_is_kept_once_it_is_over_and_not_at_every_pixel(view, qtbot):
    kept = []
    view.view_layout.changed.connect(lambda: kept.append(1))
    with qtbot.waitSignal(view.view_layout.changed):
        for _ in range(5):
            drag(view.browser, -3)
            QApplication.processEvents()
    assert kept == [1]
