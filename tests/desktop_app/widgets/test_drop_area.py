from PySide6.QtCore import QMimeData, QUrl

from desktop_app.widgets.drop_area import DropArea, dropped_paths


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
