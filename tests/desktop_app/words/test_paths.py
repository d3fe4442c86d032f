from pathlib import Path

from desktop_app.words.paths import from_home, natural_key, places


def test_a_place_starts_at_home():
    assert places([Path.home() / "loras" / "mine.toml"]) == [str(Path("~/loras"))]


def test_a_path_elsewhere_stays_whole():
    path = Path.home().parent / "somebody-else" / "python"
    assert from_home(path) == str(path)


def test_long_places_are_short_but_tell_files_of_one_name_apart():
    start, end = "/" + "a" * 30, "z" * 40
    same = [Path(f"{start}/{middle}/{end}/mine.toml") for middle in ("one", "two")]
    other = Path(f"{start}/one/{end}/other.toml")
    first, second, third = places([*same, other])
    assert (first, second) == (str(same[0].parent), str(same[1].parent))
    assert len(third) <= 48
    assert third.endswith(end[:20])


def test_names_sort_by_their_numbers_and_without_regard_to_capitals() -> None:
    names = ["p10", "p2", "P1", "p01", "q", "2_b", "10_a", "é", "p1x"]
    assert sorted(names, key=natural_key) == [
        "2_b",
        "10_a",
        "P1",
        "p01",
        "p1x",
        "p2",
        "p10",
        "q",
        "é",
    ]
