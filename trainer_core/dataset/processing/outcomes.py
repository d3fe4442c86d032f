"""What can become of a caption: which texts, and how long."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from trainer_core.dataset.processing.captions import (
    Moment,
    process_caption,
    taken_apart,
    with_ends,
    with_one_separator,
)
from trainer_core.dataset.processing.wildcards import (
    has_choices,
    lines_of_caption,
    without_wildcards,
)
from trainer_core.dataset.subsets import CaptionRules
from trainer_core.tokens.prompt_weights import count_read_tokens


def texts_of(caption: str, rules: CaptionRules) -> tuple[str, ...] | None:
    """Return every text that a caption is trained as; None where that is drawn each time anew."""
    if rules.takes_apart or (rules.enable_wildcard and _is_drawn(with_ends(caption, rules))):
        return None
    whole = replace(rules, caption_dropout_rate=0.0, caption_dropout_every_n_epochs=None)
    text = process_caption(caption, whole, Moment(), random.Random(0))  # nothing is drawn
    return (text, "") if rules.may_drop else (text,)


def lines_in_full(caption: str, rules: CaptionRules) -> list[str]:
    """Return what is trained of a caption of which nothing is dropped, in its own order.

    With wildcards for each of its lines, with its longest options.
    """
    whole = with_ends(caption, rules)
    if not rules.enable_wildcard:
        return [_in_full(lines_of_caption(whole)[0], rules)]
    longest = partial(max, key=_counting(rules))
    lines = (without_wildcards(line, longest) for line in lines_of_caption(whole))
    return [_in_full(line, rules) for line in lines]


def count_most_tokens(caption: str, rules: CaptionRules) -> int:
    """Return how many tokens a caption has at most, those that are not read included."""
    return max(map(_counting(rules), lines_in_full(caption, rules)))


def _is_drawn(caption: str) -> bool:
    lines = lines_of_caption(caption)
    return len(lines) > 1 or has_choices(lines[0])


def _in_full(line: str, rules: CaptionRules) -> str:
    text = taken_apart(line, rules).joined() if rules.takes_apart else line
    return with_one_separator(text, rules)


def _counting(rules: CaptionRules) -> Callable[[str], int]:
    return partial(count_read_tokens, is_weighted=rules.weighted_captions)
