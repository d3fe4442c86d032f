"""Which texts come of a caption."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trainer_core.dataset.processing.outcomes import count_most_tokens, lines_in_full, texts_of
from trainer_core.dataset.subsets import CaptionRules

ALL_AT_ONCE = CaptionRules(
    caption_prefix="pre,",
    caption_suffix=", end",
    secondary_separator=";",
    keep_tokens_separator="|||",
)


@pytest.mark.parametrize(
    ("rules", "texts"),
    [
        (CaptionRules(), ("a, b",)),
        (CaptionRules(caption_prefix="p"), ("p a, b",)),
        (CaptionRules(enable_wildcard=True), ("a, b",)),
        (CaptionRules(caption_dropout_rate=0.1, caption_prefix="p"), ("p a, b", "")),
        (CaptionRules(caption_dropout_every_n_epochs=2), ("a, b", "")),
    ],
)
def test_a_caption_that_is_trained_whole_is_known(
    rules: CaptionRules, texts: tuple[str, ...]
) -> None:
    assert texts_of("a, b", rules) == texts


@pytest.mark.parametrize(
    "rules",
    [
        CaptionRules(shuffle_caption=True),
        CaptionRules(caption_tag_dropout_rate=0.1),
        CaptionRules(token_warmup_step=0.5),
        CaptionRules(enable_wildcard=True, caption_prefix="{x|y}"),
    ],
)
def test_a_caption_that_is_drawn_anew_each_time_is_not_known(rules: CaptionRules) -> None:
    assert texts_of("a, b", rules) is None


@pytest.mark.parametrize("caption", ["{a|b}", "a\nb"])
def test_a_choice_is_known_only_where_it_is_none(caption: str) -> None:
    assert texts_of(caption, CaptionRules(enable_wildcard=True)) is None
    assert texts_of(caption, CaptionRules()) == (caption.split("\n")[0],)


def test_a_caption_in_full_is_what_is_trained_without_dropping() -> None:
    assert lines_in_full("a ||| b;c", ALL_AT_ONCE) == ["pre, a ||| b,c , end"]
    shuffled = replace(ALL_AT_ONCE, shuffle_caption=True)
    assert lines_in_full("a ||| b;c", shuffled) == ["pre, a, b,c, end"]


def test_the_longest_option_of_the_longest_line_is_counted() -> None:
    rules = CaptionRules(enable_wildcard=True)
    # Each of these words, and a comma, is one token.
    assert count_most_tokens("cat\ndog, {red|red big|big} cat", rules) == 5
    assert count_most_tokens("cat\ndog, big cat", CaptionRules()) == 1


def test_weights_are_no_tokens_where_they_are_read() -> None:
    assert count_most_tokens("(cat:1.3)", CaptionRules(weighted_captions=True)) == 1
    assert count_most_tokens("(cat:1.3)", CaptionRules()) > 1
