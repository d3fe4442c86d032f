from pathlib import Path

from desktop_app.words.findings import finding_words, way_out
from trainer_core.dataset.findings import Finding
from trainer_core.settings.problems import Severity
from trainer_core.texts import Text, text

ROOT = Path("/home/someone/pictures")


def finding(message: Text, suggestion: Text | None = None) -> Finding:
    return Finding(ROOT / "a.png", Severity.WARNING, message, suggestion)


def test_paths_begin_inside_the_folder():
    message = text("{path} and {other} differ.", path=ROOT / "1_x" / "a.png", other="a.jpg")
    expected = f"{Path('1_x') / 'a.png'} and a.jpg differ."
    assert finding_words(finding(message), ROOT) == expected


def test_the_folder_itself_keeps_its_name():
    message = text("There are no pictures in {path}.", path=ROOT)
    assert finding_words(finding(message), ROOT) == f"There are no pictures in {ROOT}."


def test_what_is_no_path_stays():
    message = text("{count} of {words}", count=3, words="home/x")
    assert finding_words(finding(message), ROOT) == "3 of home/x"


def test_there_may_be_nothing_to_do():
    assert way_out(finding(text("x"))) == ""
    assert way_out(finding(text("x"), text("Rename it to {name}.", name="1_x"))) == (
        "Rename it to 1_x."
    )


def test_of_several_folders_the_nearest_one_is_left_out(tmp_path):
    path = tmp_path / "sets" / "a" / "1_cat"
    odd = Finding(path, Severity.WARNING, text("{path} is odd.", path=path))
    assert finding_words(odd, tmp_path, tmp_path / "sets") == "a/1_cat is odd."
    assert finding_words(odd, tmp_path / "elsewhere") == f"{path} is odd."
