"""Weights in texts, against the recorded ones."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import vectors

from trainer_core.errors import DatasetError
from trainer_core.tokens.prompt_weights import count_read_tokens, read_weights

RECORDED = vectors.load("prompt_weights.json")["parse_attention"]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["text"])
def test_pieces_and_their_weights_equal_the_recorded_ones(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(DatasetError, match=r"The weight 1\.2\.3 is no number: \(a:1\.2\.3\)"):
            read_weights(case["text"])
        return
    pieces = read_weights(case["text"]).pieces
    assert [piece.text for piece in pieces] == [words for words, _ in case["result"]]
    weights = [weight for _, weight in case["result"]]
    assert [piece.weight for piece in pieces] == pytest.approx(weights, rel=1e-6)


@pytest.mark.parametrize(
    ("text", "unclosed", "unopened"),
    [
        ("(a) [b] \\(c", [], []),
        ("((a)", ["("], []),
        ("[a) b", ["["], [")"]),
        ("a] b:1.2)", [], ["]", ")"]),
    ],
)
def test_brackets_without_their_other_one_are_told(
    text: str, unclosed: list[str], unopened: list[str]
) -> None:
    found = read_weights(text)
    assert (found.unclosed, found.unopened) == (unclosed, unopened)


def test_what_stands_in_brackets_is_told() -> None:
    assert read_weights("a, (b, [c]:1.2), [d], (e").bracketed == ["(b, [c]:1.2)", "[d]", "(e"]


def test_a_weight_beyond_every_number_is_refused() -> None:
    with pytest.raises(DatasetError, match="is no number"):
        read_weights(f"(a:{'9' * 400})")


def test_a_text_is_counted_without_its_weights() -> None:
    # Each word is one token, each piece is read by itself.
    assert count_read_tokens("(cat:1.3) and [dog]", is_weighted=True) == 3
    assert count_read_tokens("cat dog", is_weighted=True) == 2
    # Of a weight that is none the words are counted as they stand.
    text = "(a:1.2.3)"
    assert count_read_tokens(text, is_weighted=True) == count_read_tokens(text, is_weighted=False)
