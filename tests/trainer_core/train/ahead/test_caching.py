"""Captions and prompts are known ahead where they can be."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.subsets import CaptionRules, SampleKey, SampleSettings
from trainer_core.prompts.file import SamplePrompt
from trainer_core.train.ahead.caching import captions_ahead
from trainer_core.train.inputs import RunInputs

RULES = BucketRules((64, 64))
PLAIN = CaptionRules()


def inputs(*captions: str, rules: CaptionRules = PLAIN) -> RunInputs:
    """Return a run's inputs as far as its texts go, with one prompt."""
    known = SimpleNamespace(
        subsets={0: SampleSettings(rules=RULES, captions=rules)},
        captions={
            SampleKey(0, Path(str(number))): caption for number, caption in enumerate(captions)
        },
        prompts=(SamplePrompt("a cat", "", seed=None),),
        held_out=None,
    )
    return cast(RunInputs, cast(Any, known))


def test_captions_and_prompts_are_known_ahead_each_once() -> None:
    assert captions_ahead(inputs("a dog", "a dog", "a cow")) == [
        "a dog",
        "a cow",
        "a cat",
        "",
    ]


def test_with_dropout_the_empty_caption_is_known_too() -> None:
    known = inputs("a dog", rules=CaptionRules(caption_dropout_rate=0.1))
    assert captions_ahead(known) == ["a dog", "", "a cat"]


def test_shuffled_captions_are_not_known_ahead() -> None:
    assert captions_ahead(inputs("a, b", rules=CaptionRules(shuffle_caption=True))) is None


def test_one_subset_whose_captions_are_drawn_is_enough() -> None:
    known = inputs("a, b")
    known.subsets[1] = SampleSettings(rules=RULES, captions=CaptionRules(shuffle_caption=True))
    known.captions[SampleKey(1, Path("x"))] = "a, b"
    assert captions_ahead(known) is None
