"""Captions as samples are trained with, against the recorded ones."""

from __future__ import annotations

import random
from typing import Any

import pytest
from helpers import vectors

from trainer_core.dataset.processing.captions import Moment, process_caption
from trainer_core.dataset.subsets import CaptionRules

FILE = "captions.json"
RECORDED = vectors.load(FILE)


def rules_of(case: dict[str, Any]) -> CaptionRules:
    return CaptionRules(**case["options"])


def moment_of(case: dict[str, Any]) -> Moment:
    return Moment(case["current_epoch"], case["current_step"], case["max_train_steps"])


def name_of(case: dict[str, Any]) -> str:
    return f"{case['caption']!r} {case['options']} {case['current_step']}"


@pytest.mark.parametrize("case", RECORDED["deterministic"], ids=name_of)
def test_a_caption_is_processed_as_recorded(case: dict[str, Any]) -> None:
    result = process_caption(case["caption"], rules_of(case), moment_of(case), random.Random(0))

    vectors.check(FILE, case["caption"], actual=result, recorded=case["result"])


@pytest.mark.parametrize("case", RECORDED["random"], ids=name_of)
def test_what_is_drawn_is_drawn_as_recorded(case: dict[str, Any]) -> None:
    rng = random.Random(case["python_random_seed"])

    results = [
        process_caption(case["caption"], rules_of(case), moment_of(case), rng)
        for _ in case["results"]
    ]

    vectors.check(FILE, case["caption"], actual=results, recorded=case["results"])
    assert rng.random() == case["next_random_after"]


def test_every_listed_deviation_is_a_recorded_case() -> None:
    cases = [case["caption"] for group in ("deterministic", "random") for case in RECORDED[group]]
    vectors.check_listing(FILE, cases)


@pytest.mark.parametrize(
    "rules",
    [
        CaptionRules(),
        CaptionRules(caption_prefix="x", keep_tokens=1, secondary_separator=";"),
        CaptionRules(caption_dropout_every_n_epochs=2),
        CaptionRules(enable_wildcard=True),
        CaptionRules(token_warmup_step=5),
    ],
)
def test_nothing_is_drawn_where_nothing_is_random(rules: CaptionRules) -> None:
    rng = random.Random(1)
    process_caption("a, b, c", rules, Moment(), rng)
    assert rng.getstate() == random.Random(1).getstate()


def test_a_share_of_the_captions_is_dropped() -> None:
    # guide-facts 166: 50 x 20 showings at a rate of 0.2 are 200 without words, on average.
    rules, rng = CaptionRules(caption_dropout_rate=0.2), random.Random(5)
    captions = [process_caption("a, b", rules, Moment(), rng) for _ in range(50 * 20)]
    assert set(captions) == {"a, b", ""}
    assert captions.count("") == pytest.approx(200, abs=4 * (1000 * 0.2 * 0.8) ** 0.5)


def test_the_first_tags_stay_in_front_of_those_that_are_shuffled() -> None:
    # guide-facts 131: of "black cat, sitting, eat" one tag is kept.
    rng = random.Random(2)
    rules = CaptionRules(shuffle_caption=True, keep_tokens=1)
    draws = {process_caption("black cat, sitting, eat", rules, Moment(), rng) for _ in range(64)}
    assert draws == {"black cat, sitting, eat", "black cat, eat, sitting"}


def test_without_shuffling_all_tags_stay_where_they_are() -> None:
    rules, rng = CaptionRules(keep_tokens=1), random.Random(2)  # guide-facts 132
    assert process_caption("a, b, c", rules, Moment(), rng) == "a, b, c"


def test_a_share_of_the_tags_is_dropped_and_the_kept_ones_never() -> None:
    rules = CaptionRules(caption_tag_dropout_rate=0.25, keep_tokens=1)
    rng = random.Random(3)
    caption = "trigger, " + ", ".join(f"tag{number}" for number in range(100))

    counts = []
    for _ in range(100):
        tags = process_caption(caption, rules, Moment(), rng).split(", ")
        assert tags[0] == "trigger"
        counts.append(len(tags) - 1)

    # 10,000 draws of 0.75: the mean of 100 tags is 75, its deviation sqrt(0.75 * 0.25).
    assert sum(counts) / 100 == pytest.approx(75, abs=4 * 0.43)


def test_an_empty_separator_parts_nothing() -> None:
    rules = CaptionRules(caption_separator="", shuffle_caption=True)

    assert process_caption(" a, b ", rules, Moment(), random.Random(0)) == "a, b"
