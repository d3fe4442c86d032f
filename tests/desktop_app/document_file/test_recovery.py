import datetime
from pathlib import Path

import pytest

from desktop_app.document_file.recovery import RecoveryFile, Unsaved, left_behind
from trainer_core.settings import files

RUN_FILE = """\
format = "loom/2"

# the one with the red scarf
[adapter]
network_dim = "a doz"  # not finished
network_alhpa = 2
"""
NOON = datetime.datetime(2026, 5, 1, 12, tzinfo=datetime.UTC)


@pytest.fixture
def folder(qapp: object, tmp_path: Path) -> Path:
    return tmp_path / "recovery"


def unsaved(path: Path | None = None, *, kept: datetime.datetime = NOON) -> Unsaved:
    return Unsaved(files.loads(RUN_FILE, "mine.toml"), path, "a stamp", kept)


def keep(folder: Path, what: Unsaved) -> RecoveryFile:
    """Write changes as a window does that is no more."""
    place = RecoveryFile.fresh(folder)
    place.write(what)
    place.release()
    return place


def test_everything_comes_back_comments_and_mistakes_included(folder: Path, tmp_path: Path):
    keep(folder, unsaved(tmp_path / "mine.toml"))
    [(_, found)] = left_behind(folder)
    assert found.file.raw["adapter"]["network_dim"] == "a doz"
    assert found.file.raw["adapter"]["network_alhpa"] == 2
    assert "# the one with the red scarf" in files.dumps(found.file)
    assert "# not finished" in files.dumps(found.file)
    assert (found.path, found.stamp, found.kept) == (tmp_path / "mine.toml", "a stamp", NOON)


def test_line_ends_come_back(folder: Path):
    what = unsaved()
    what.file.newline = "\r\n"
    keep(folder, what)
    [(_, found)] = left_behind(folder)
    assert found.file.newline == "\r\n"


def test_what_an_open_window_keeps_is_left_alone(folder: Path):
    place = RecoveryFile.fresh(folder)
    place.write(unsaved())
    assert left_behind(folder) == []
    place.release()
    assert len(left_behind(folder)) == 1


def test_what_is_being_asked_about_is_not_offered_a_second_time(folder: Path):
    keep(folder, unsaved())
    first = left_behind(folder)
    assert left_behind(folder) == []
    first[0][0].release()
    assert len(left_behind(folder)) == 1


def test_the_newest_comes_first(folder: Path):
    for hour in (1, 3, 2):
        keep(folder, unsaved(kept=NOON.replace(hour=hour)))
    assert [found.kept.hour for _, found in left_behind(folder)] == [3, 2, 1]


def test_a_later_write_replaces_the_one_before(folder: Path):
    place = RecoveryFile.fresh(folder)
    place.write(unsaved())
    place.write(unsaved(kept=NOON.replace(hour=13)))
    place.release()
    assert [found.kept.hour for _, found in left_behind(folder)] == [13]


def test_a_discarded_place_leaves_nothing_behind(folder: Path):
    place = RecoveryFile.fresh(folder)
    place.write(unsaved())
    place.discard()
    place.release()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": "loom-unsaved/2"}'])
def test_what_cannot_be_read_is_left_as_it_is(folder: Path, content: str):
    folder.mkdir()
    odd = folder / "odd.json"
    odd.write_text(content, encoding="utf-8")
    assert left_behind(folder) == []
    assert [path.name for path in folder.iterdir()] == ["odd.json"]


def test_a_write_that_was_cut_off_is_cleared_away(folder: Path):
    place = keep(folder, unsaved())
    [kept] = folder.glob("*.json")
    (folder / f".{kept.name}.0123abcd.part").write_text("half", encoding="utf-8")
    [(found, _)] = left_behind(folder)
    found.release()
    assert [path.name for path in folder.iterdir()] == [kept.name]
    assert place.read() is not None


def test_no_folder_means_nothing_was_left(folder: Path):
    assert left_behind(folder) == []
