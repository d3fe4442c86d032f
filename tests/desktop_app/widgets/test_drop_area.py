from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from desktop_app.widgets.drop_area import DropArea, accept_copy, dropped_paths


def dropped(*urls: QUrl) -> QMimeData:
    data = QMimeData()
    data.setUrls(list(urls))
    return data


def test_files_and_folders_are_taken_as_they_come(tmp_path):
    file = tmp_path / "ü a.png"
    file.write_bytes(b"")
    urls = [QUrl.fromLocalFile(str(path)) for path in (file, tmp_path)]
    assert dropped_paths(dropped(*urls)) == [file, tmp_path]


def test_what_is_not_on_this_machine_is_not_taken():
    assert dropped_paths(dropped(QUrl("https://example.org/pictures"))) == []
    assert dropped_paths(QMimeData()) == []


def test_what_is_moved_here_is_copied_so_that_nobody_deletes_it():
    both = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
    keys = Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPointF(1, 1), both, QMimeData(), Qt.MouseButton.LeftButton, keys)
    event.setDropAction(Qt.DropAction.MoveAction)
    accept_copy(event)
    assert event.isAccepted()
    assert event.dropAction() == Qt.DropAction.CopyAction


def test_the_button_gives_way_to_what_is_dragged(qtbot):
    area = DropArea("Choose", "Choose others")
    qtbot.addWidget(area)
    area.say("Headline", "")
    area.show()
    assert area.button.isVisible()
    assert area.other_button.isVisible()
    area.set_target(True)
    assert not area.button.isVisible()
    assert not area.other_button.isVisible()
