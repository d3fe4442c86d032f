from pathlib import Path

from desktop_app.words.paths import breakable, from_home, places


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


def test_a_long_name_may_be_broken_where_nothing_else_breaks_it():
    name = "a_very_long_name_that_nobody_reads_to_its_end.png"
    pieces = breakable(f"The end of {name} is missing.").split("\u200b")
    assert "".join(pieces) == f"The end of {name} is missing."
    assert max(len(word) for piece in pieces for word in piece.split()) <= 32


def test_a_path_of_short_names_stays_as_it_can_be_copied():
    path = "/home/somebody/pictures of a cat/10_zxq-cat/the first of them.png"
    assert breakable(path) == path
