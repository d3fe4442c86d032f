"""What many captions become, and how bytes of another encoding read."""

from __future__ import annotations

import codecs

import pytest

from desktop_app.captions_view.edits import readings, with_replaced, with_trigger_word


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a cat, sitting", "zxq, a cat, sitting"),
        ("", "zxq"),
        ("zxq, a cat", "zxq, a cat"),
        ("a cat, ZXQ", "a cat, ZXQ"),  # it is there, though not in front
        ("zxqq, a cat", "zxq, zxqq, a cat"),
        ("a cat\nsecond line", "zxq, a cat\nsecond line"),
    ],
)
def test_a_trigger_word_comes_in_front_once(before: str, after: str) -> None:
    assert with_trigger_word(before, " zxq, ") == after


@pytest.mark.parametrize(
    ("before", "find", "replacement", "after"),
    [
        ("a red cat, red", "red", "blue", "a blue cat, blue"),
        ("Red cat", "red", "blue", "blue cat"),
        ("a (cat)", "(cat)", r"\1", r"a \1"),  # signs mean themselves
        ("1girl, solo, smile", "solo", "", "1girl, smile"),
        ("solo, smile", "solo", "", "smile"),
        ("a red cat", "red ", "", "a cat"),
        ("a, b, c", ", ", " ", "a b c"),
        ("one\nred two", "red", "blue", "one\nblue two"),
        ("a cat", "", "x", "a cat"),
    ],
)
def test_one_wording_is_put_for_another(
    before: str, find: str, replacement: str, after: str
) -> None:
    assert with_replaced(before, find, replacement, match_case=False) == after


def test_capitals_can_matter() -> None:
    assert with_replaced("Red red", "red", "blue", match_case=True) == "Red blue"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("ein Café, große Bäume", "cp1252"),
        ("一只红色的猫坐在窗边", "gb18030"),
        ("赤い猫が窓辺に座っている、かわいい", "cp932"),
        ("a cat, sitting", "utf-16"),
        ("a cat, sitting", "utf-16-le"),
        ("a cat, sitting", "utf-16-be"),
        ("a cat", "utf-32"),
        ("кот сидит на окне", "cp1251"),
        ("창가에 앉은 빨간 고양이", "cp949"),
    ],
)
def test_the_right_reading_is_among_those_that_are_offered(text: str, encoding: str) -> None:
    assert text in [reading.text for reading in readings(text.encode(encoding))]


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_a_mark_leaves_no_choice(mark: bytes) -> None:
    end = "le" if mark == codecs.BOM_UTF16_LE else "be"
    (reading,) = readings(mark + "a cat".encode(f"utf-16-{end}"))
    assert reading.text == "a cat"


def test_the_likeliest_reading_comes_first() -> None:
    assert readings("ein Café".encode("cp1252"))[0].text == "ein Café"
    assert (
        readings("赤い猫が窓辺に座っている".encode("cp932"))[0].text == "赤い猫が窓辺に座っている"
    )


def test_what_would_be_control_characters_is_no_reading() -> None:
    assert readings(b"a\x01cat\xff") == []
