from typing import Any

import pytest
from helpers import vectors

from trainer_core.prompts.line import parse_prompt_line, prompt_line

FILE = "sampling_prompts.json"
CASES = vectors.load(FILE)["lines"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["line"])
def test_values_equal_the_recorded_ones(case: dict[str, Any]) -> None:
    values, _ = parse_prompt_line(case["line"])

    vectors.check(FILE, case["line"], actual=values, recorded=case["result"])


def test_every_listed_deviation_is_a_recorded_case() -> None:
    vectors.check_listing(FILE, [case["line"] for case in CASES])


@pytest.mark.parametrize(
    "line", ["x --w 512", "x --w512", "x --w  512", "x  --w 512", "x\t--w 512", "x --w=512",
             "x -- w 512", "x --W 512", "x --w 512px"],
)  # fmt: skip
def test_a_badly_written_size_is_understood(line: str) -> None:
    values, problems = parse_prompt_line(line)

    assert values == {"prompt": "x", "width": 512}
    assert problems == []


def test_a_prompt_that_looks_like_an_option_stays_a_prompt() -> None:
    assert parse_prompt_line("w 512 h 3") == ({"prompt": "w 512 h 3"}, [])


def test_a_line_of_options_alone_has_an_empty_prompt() -> None:
    assert parse_prompt_line("--w 512") == ({"prompt": "", "width": 512}, [])


def test_blanks_around_a_text_do_not_matter() -> None:
    values, _ = parse_prompt_line("x  --n   bad hands,  worn  --ss ddim ")

    assert values == {
        "prompt": "x",
        "negative_prompt": "bad hands,  worn",
        "sample_sampler": "ddim",
    }


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("x --q 3", "--q 3"),
        ("x --two three", "--two three"),
        ("x --n", "--n"),
        ("x --l abc", "--l abc"),
        ("x --l 1.2.3", "--l 1.2.3"),
        ("x --d -1", "--d -1"),
        ("x --w 512.5", "--w 512.5 is read as 512"),
        ("x --l 7,5", "--l 7,5 is read as 7.0"),
        ("x--w 512", "no blank before -- in x--w 512"),
        ("# x", "only a # in the first column"),
    ],
)
def test_what_is_not_understood_is_named(line: str, part: str) -> None:
    _, problems = parse_prompt_line(line, number=4)

    assert len(problems) == 1
    assert str(problems[0]).startswith("Prompt 4: ")
    assert part in str(problems[0])


@pytest.mark.parametrize("line", ["a cat--dog", "well-known --w 64", "a -- b"])
def test_dashes_inside_words_are_no_options(line: str) -> None:
    values, _ = parse_prompt_line(line)

    assert values["prompt"] == line.split(" --")[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["line"])
def test_a_written_line_is_read_as_the_same_values(case: dict[str, Any]) -> None:
    values, _ = parse_prompt_line(case["line"])

    assert parse_prompt_line(prompt_line(values))[0] == values


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"prompt": "a cat"}, "a cat"),
        ({"scale": 7.0, "prompt": "a cat", "seed": 5}, "a cat --d 5 --l 7"),
        ({"prompt": "", "width": 64}, "--w 64"),
        (
            {"prompt": "a", "negative_prompt": "b, c", "sample_sampler": "ddim"},
            "a --n b, c --ss ddim",
        ),
    ],
)
def test_values_are_written_as_a_person_would(values: dict[str, Any], line: str) -> None:
    assert prompt_line(values) == line
