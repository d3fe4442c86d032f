"""Texts keep template and values apart, and hold plain data only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainer_core.texts import T, Text, filled, numbers_in, size_text, text, visible


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


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 captions are cut"),
        (1, "1 caption is cut"),
        (2, "2 captions are cut"),
        ("1", "1 caption is cut"),  # set out for people already
        ("1\u202f000", "1\u202f000 captions are cut"),
        (1.0, "1.0 captions are cut"),
        (11, "11 captions are cut"),
    ],
)
def test_words_have_the_form_of_their_number(count: object, words: str) -> None:
    assert str(text("{count} [count:caption is|captions are] cut", count=count)) == words


def test_each_number_decides_about_its_own_words() -> None:
    template = "{a} [a:step|steps] in {b} [b:epoch|epochs]"

    assert filled(template, {"a": 1, "b": 3}) == "1 step in 3 epochs"
    assert numbers_in(template) == {"a", "b"}


def test_a_language_without_forms_writes_one_or_none() -> None:
    assert filled("{count}[count:枚]", {"count": 1}) == "1枚"
    assert filled("{count}枚", {"count": 1}) == "1枚"


def test_brackets_of_other_kinds_stay() -> None:
    template = "[{section}] holds [a|b] and {path}, [see this]"
    values = {"section": "model", "path": "[count:x|y]", "count": 1}

    assert filled(template, values) == "[model] holds [a|b] and [count:x|y], [see this]"
    assert numbers_in(template) == set()


def test_a_form_may_hold_the_number_itself() -> None:
    template = "every [count:epoch|{count} epochs]"

    assert [filled(template, {"count": n}) for n in (1, 2)] == ["every epoch", "every 2 epochs"]


def test_a_number_that_is_not_there_is_an_error() -> None:
    with pytest.raises(LookupError):
        filled("[count:file|files]", {})


@pytest.mark.parametrize(
    ("num_bytes", "words"),
    [(0, "0 KiB"), (1023, "1 KiB"), (1.5 * 2**20, "1.5 MiB"), (300 * 2**30, "300 GiB")],
)
def test_sizes_are_told_in_the_unit_that_fits(num_bytes: float, words: str) -> None:
    assert size_text(round(num_bytes)) == words
