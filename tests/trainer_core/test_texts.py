"""Texts keep template and values apart, and hold plain data only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainer_core.texts import T, Text, text, visible


def test_marking_a_template_leaves_it_as_it_is() -> None:
    assert T("Errors", "{path} is gone.") == "{path} is gone."


def test_a_text_reads_as_its_template_with_the_values() -> None:
    assert str(Text("{done} of {total}", {"done": 1, "total": 2})) == "1 of 2"


def test_a_value_is_not_itself_a_template() -> None:
    assert str(text("{name} is odd", name="{total}")) == "{total} is odd"


def test_template_and_values_stay_apart_for_the_translator() -> None:
    shown = text("{path} is gone.", path=Path("a"))

    assert (shown.template, shown.values) == ("{path} is gone.", {"path": "a"})


@pytest.mark.parametrize("value", ["a", 1, 0.5, True, None])
def test_plain_values_keep_their_type(value: object) -> None:
    assert text("{value}", value=value).values["value"] is value


@pytest.mark.parametrize(
    ("value", "words"),
    [(Path("a/b"), str(Path("a/b"))), (ValueError("bad"), "bad"), ((1, 2), "(1, 2)")],
)
def test_other_values_become_strings(value: object, words: str) -> None:
    assert text("{value}", value=value).values["value"] == words


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_does_not_know_become_strings(value: float) -> None:
    values = text("{value}", value=value).values

    assert json.loads(json.dumps(values, allow_nan=False)) == {"value": str(value)}


def test_equal_texts_are_equal() -> None:
    assert text("{a}", a=1) == text("{a}", a=1) != text("{a}", a=2)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\x1b[31mb.png", "a\\x1b[31mb.png"),
        ("two\nlines\t.txt", "two\\nlines\\t.txt"),
        ("bell\x07\x7f\x9b", "bell\\x07\\x7f\\x9b"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe", "\\u202egnp.exe"),
        ("no text \udcff", "no text \\udcff"),
        ("Füße 猫 👩\N{ZERO WIDTH JOINER}🔬 قط", "Füße 猫 👩\N{ZERO WIDTH JOINER}🔬 قط"),
    ],
)
def test_control_characters_of_a_name_are_shown_escaped(name: str, shown: str) -> None:
    assert visible(name) == shown
    assert str(text("{name}", name=name)) == str(text("{name}", name=Path(name))) == shown
    str(text("{name}", name=name)).encode()  # every log and event can carry it


def test_the_lines_of_an_exception_stay_lines() -> None:
    assert str(text("{reason}", reason=ValueError("one\n\x1btwo"))) == "one\n\\x1btwo"
