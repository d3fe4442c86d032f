from PySide6.QtCore import QMimeData, QUrl

from desktop_app.widgets.drop_area import DropArea, dropped_paths


def dropped(*urls: QUrl) -> QMimeData:
    data = QMimeData()
    data.setUrls(list(urls))
    return data


def test_a_folder_is_itself_and_a_file_its_folder(tmp_path):
    file = tmp_path / "ü a.png"
    file.write_bytes(b"")
    assert dropped_paths(dropped(QUrl.fromLocalFile(str(tmp_path)))) == tmp_path
    assert dropped_paths(dropped(QUrl.fromLocalFile(str(file)))) == tmp_path


def test_what_is_not_on_this_machine_is_no_folder():
    assert dropped_paths(dropped(QUrl("https://example.org/pictures"))) is None
    assert dropped_paths(QMimeData()) is None


def test_the_button_gives_way_to_what_is_dragged(qtbot):
    area = DropArea("Choose")
    qtbot.addWidget(area)
    area.say("Headline", "")
    area.show()
    assert area.button.isVisible()
    area.set_target(True)
    assert not area.button.isVisible()
