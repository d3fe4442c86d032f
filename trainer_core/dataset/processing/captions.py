"""A caption as one sample of an epoch is trained with.

Source: captions.json, whose order of draws is kept.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from trainer_core.dataset.processing.wildcards import lines_of_caption, without_wildcards
from trainer_core.dataset.subsets import CaptionRules

_JOINT = ", "  # between tags that were taken apart, whatever stood there before


@dataclass(frozen=True, slots=True)
class Moment:
    """A place in the run.

    Attributes:
        epoch: Its number, from 1.
        step: Optimizer steps that are done.
        total_steps: Those of the whole run.
    """

    epoch: int = 1
    step: int = 0
    total_steps: int = 1


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a caption: those that stay in front, the others, those that stay at the end."""

    front: Sequence[str]
    free: Sequence[str]
    end: Sequence[str] = ()

    def joined(self) -> str:
        """Return them as one text."""
        return _JOINT.join((*self.front, *self.free, *self.end))


def process_caption(caption: str, rules: CaptionRules, moment: Moment, rng: random.Random) -> str:
    """Return the caption as one sample is trained with.

    Args:
        caption: As read; of several lines, wildcards draw one, else the first is used.
        rules: What is done with it.
        moment: When the sample is trained.
        rng: Drawn from for what is random of that, and for nothing else.
    """
    if is_dropped(rules, moment.epoch, rng):
        return ""
    caption = with_ends(caption, rules)
    if rules.enable_wildcard:
        lines = lines_of_caption(caption)
        line = rng.choice(lines) if len(lines) > 1 else caption
        caption = without_wildcards(line, rng.choice)
    else:
        caption = lines_of_caption(caption)[0]
    if rules.takes_apart:
        tags = taken_apart(caption, rules)
        caption = Tags(tags.front, _used(tags.free, rules, moment, rng), tags.end).joined()
    return with_one_separator(caption, rules)


def is_dropped(rules: CaptionRules, epoch: int, rng: random.Random) -> bool:
    """Tell whether a sample of an epoch, counted from 1, is trained without its caption."""
    by_chance = rules.caption_dropout_rate > 0 and rng.random() < rules.caption_dropout_rate
    every = rules.caption_dropout_every_n_epochs
    return by_chance or (every is not None and epoch % every == 0)


def with_ends(caption: str, rules: CaptionRules) -> str:
    """Return the caption between prefix and suffix: before its first line, after its last."""
    ends = (rules.caption_prefix, caption, rules.caption_suffix)
    return " ".join(part for part in ends if part is not None)


def taken_apart(caption: str, rules: CaptionRules) -> Tags:
    """Return the tags of a caption.

    Between marks empty tags are left out, where they are counted they stay.
    """
    mark = rules.keep_tokens_separator
    if mark and mark in caption:
        parts = (_tags(part, rules) for part in caption.split(mark, 2))
        return Tags(*([tag for tag in tags if tag] for tags in parts))
    tags = _tags(caption.strip(), rules)
    return Tags(tags[: rules.keep_tokens], tags[rules.keep_tokens :])


def with_one_separator(caption: str, rules: CaptionRules) -> str:
    """Return the caption with the caption separator in the place of the secondary one."""
    if not rules.secondary_separator:
        return caption
    return caption.replace(rules.secondary_separator, rules.caption_separator)


def _tags(text: str, rules: CaptionRules) -> list[str]:
    if not rules.caption_separator:  # which a rule refuses; captions are looked at all the same
        return [text.strip()]
    return [tag.strip() for tag in text.split(rules.caption_separator)]


def _used(
    free: Sequence[str], rules: CaptionRules, moment: Moment, rng: random.Random
) -> list[str]:
    """Return the free tags that a sample is trained with, in their order there."""
    tags = list(free[: _warmed_up(len(free), rules, moment)])
    if rules.shuffle_caption:
        rng.shuffle(tags)
    rate = rules.caption_tag_dropout_rate
    return [tag for tag in tags if rng.random() >= rate] if rate > 0 else tags


def _warmed_up(count: int, rules: CaptionRules, moment: Moment) -> int:
    """Return how many of the free tags are used so early."""
    steps = rules.token_warmup_step or 0
    if steps < 1:
        steps = math.floor(steps * moment.total_steps)
    if moment.step >= steps:
        return count
    least = rules.token_warmup_min
    return math.floor(moment.step * ((count - least) / steps)) + least
