"""What no text holds is found, with its line."""

from __future__ import annotations

import unicodedata

import pytest

from trainer_core.files.plain_text import ControlCharacter, find_control, find_half, lines_of


@pytest.mark.parametrize(
    "text", ["", "a cat, 猫 🐈\u200d⬛", "one\ttwo\r\nthree\n", "\ufeffa", "\u2028"]
)
def test_tabs_line_ends_and_marks_of_unicode_are_text(text: str) -> None:
    assert find_control(text) is None


def test_every_other_control_character_is_found() -> None:
    controls = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) == "Cc"]
    for character in set(controls) - set("\t\r\n"):
        assert find_control(f"a{character}") == ControlCharacter(1, f"U+{ord(character):04X}")


def test_the_first_one_is_told_with_its_line() -> None:
    found = find_control("one\ntwo\nthr\x07ee\0")

    assert found == ControlCharacter(3, "U+0007")
    assert not found.is_null
    assert ControlCharacter(1, "U+0000").is_null


@pytest.mark.parametrize("code", [0xD800, 0xD83D, 0xDE00, 0xDFFF])
def test_half_a_character_is_found(code: int) -> None:
    assert find_half(f"a{chr(code)}") == f"U+{code:04X}"


def test_whole_characters_are_no_halves() -> None:
    assert find_half("a 🐈 \ud7ff\ue000") is None


def test_lines_end_where_editors_end_them() -> None:
    assert lines_of("a\nb\r\nc\rd\u2028\u2029\x0b\x0c\x85\x1ce") == [
        *("a", "b", "c"),
        "d\u2028\u2029\x0b\x0c\x85\x1ce",
    ]
