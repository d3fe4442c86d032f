"""What people paste from other programs is told, not drawn in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer_core.prompts.file import load_prompts
from trainer_core.prompts.line import OPTIONS, parse_prompt_line


def told(line: str) -> list[str]:
    return [str(problem) for problem in parse_prompt_line(line, number=3)[1]]


@pytest.mark.parametrize(
    ("line", "part", "option"),
    [
        ("Negative prompt: lowres, bad hands", "“Negative prompt:”", "--n."),
        ("a cat Negative prompt: lowres", "“Negative prompt:”", "--n."),
        ("Steps: 28, Sampler: DPM++ 2M, Size: 512x768", "“Steps: 28, S”", "--s, --l, --d, --w"),
        ("a cat \u2013w 512", "\u2013w begins", "--w."),
        ("a cat \u2014n lowres", "\u2014n begins", "--n."),
        ("a cat \u2212ss ddim", "\u2212ss begins", "--ss."),
        ("a cat \u2013l7", "\u2013l begins", "--l."),
        ("a cat --w 64 \u2014h 512", "\u2014h begins", "--h."),
        ("fox, <lora:fox_v1:0.8>, tree", "<lora:fox_v1:0.8>", ""),
        ("a {red|blue} fox", "{red|blue}", ""),
        ("a __colour__ fox", "__colour__", ""),
    ],
)
def test_it_is_named_with_what_to_write(line: str, part: str, option: str) -> None:
    (sentence, *more) = [s for s in told(line) if "read as" not in s]

    assert not more
    assert sentence.startswith("Prompt 3: ")
    assert part in sentence
    assert option in sentence


@pytest.mark.parametrize(
    "line",
    [
        "a cat \u2013 a dog",
        "well\u2013known",
        "steps: many",
        "(smile:1.2), [a|b]",
        "a_b __ c",
        "1\u20132",
    ],
)
def test_plain_words_are_no_suspects(line: str) -> None:
    assert told(line) == []


@pytest.mark.parametrize("letters", OPTIONS)
def test_every_option_is_recognised_behind_a_long_dash(letters: str) -> None:
    assert f"--{letters}" in told(f"a cat \u2013{letters} 1")[0]


def test_the_texts_of_json_and_toml_are_looked_at_too(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text('[{"prompt": "a \u2014w 512"}]', encoding="utf-8")

    (problem,) = load_prompts(path).problems

    assert "--w" in str(problem)
