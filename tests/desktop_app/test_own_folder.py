from pathlib import Path

import pytest

from desktop_app.own_folder import OwnFolder


@pytest.fixture
def obstacle(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("where a folder belongs", encoding="utf-8")
    return path


def test_a_folder_that_cannot_be_written_is_told_with_its_reason(obstacle: Path, qtbot) -> None:
    folder = OwnFolder(obstacle / "data")
    with qtbot.waitSignal(folder.announced) as told:
        folder.check()
    folder.close()
    kind, message, details = told.args
    assert kind == "warning"
    assert str(obstacle) in message
    assert "Training works" in details


def test_a_good_folder_is_left_empty_and_nothing_is_told(tmp_path: Path, qtbot) -> None:
    folder = OwnFolder(tmp_path / "data")
    told: list[object] = []
    folder.announced.connect(lambda *words: told.append(words))
    with qtbot.waitSignal(folder._trying.finished):
        folder.check()
    folder.close()
    assert told == []
    assert list((tmp_path / "data").iterdir()) == []
