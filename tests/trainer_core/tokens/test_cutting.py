"""Where a text is cut off."""

from __future__ import annotations

from functools import partial

import pytest

from trainer_core.tokens.clip import count_tokens
from trainer_core.tokens.cutting import cut_place
from trainer_core.tokens.prompt_weights import count_read_tokens


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("cat dog", 2, None),
        ("cat dog", 1, "cat"),
        ("cat, dog", 2, "cat,"),
        ("cat, " * 100, 75, "cat, " * 37 + "cat"),
        ("cat 12", 2, "cat"),  # a number has a token for each digit
        ("cat", 0, ""),
        ("🐈 cat dog", count_tokens("🐈 cat"), "🐈 cat"),
    ],
)
def test_a_text_is_cut_behind_the_last_word_that_fits(
    text: str, limit: int, kept: str | None
) -> None:
    place = cut_place(text, limit, count_tokens)
    assert (None if place is None else text[:place]) == kept


def test_a_weight_is_not_cut_from_its_words() -> None:
    text = "(cat:1.3) (dog:1.2)"
    count = partial(count_read_tokens, is_weighted=True)
    assert cut_place(text, 2, count) is None
    assert text[: cut_place(text, 1, count)] in ("(cat:1.3)", "(cat:1.3) (")
