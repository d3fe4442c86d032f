"""What is wrong with the words of a caption: too many of them, odd weights, choices not drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from trainer_core.dataset.findings import Finding
from trainer_core.dataset.processing.outcomes import count_most_tokens
from trainer_core.dataset.processing.wildcards import has_choices, lines_of_caption
from trainer_core.dataset.subsets import CaptionRules
from trainer_core.errors import DatasetError
from trainer_core.settings.problems import Severity
from trainer_core.settings.token_lengths import more_tokens
from trainer_core.texts import T, text
from trainer_core.tokens.prompt_weights import WeightedText, read_weights

_NUMBERED = re.compile(r"\([^()]*:[+-]?\d*\.?\d+\)")  # brackets that are meant as a weight


def word_findings(path: Path, caption: str, rules: CaptionRules) -> Iterator[Finding]:
    """Yield what is wrong with the words of the caption of a picture or folder."""
    yield from _length(path, caption, rules)
    for line in lines_of_caption(caption):
        if rules.weighted_captions:
            yield from _weights(path, line, rules)
    yield from _plain(path, caption, rules)


def _length(path: Path, caption: str, rules: CaptionRules) -> Iterator[Finding]:
    count, limit = count_most_tokens(caption, rules), rules.max_token_length
    if count > limit:
        template = T(
            "Problems",
            "The caption of {path} has {count} tokens; only the first {limit} are read.",
        )
        message = text(template, path=path, count=count, limit=limit)
        more = more_tokens(count)
        yield Finding(path, Severity.WARNING, message, more.message, changes=more.changes)


def _weights(path: Path, line: str, rules: CaptionRules) -> Iterator[Finding]:
    try:
        found = read_weights(line)
    except DatasetError as error:
        template = T(
            "Problems", "In the caption of {path} the weight {weight} is no number: {piece}"
        )
        message = text(template, path=path, **error.message.values)
        yield Finding(path, Severity.ERROR, message, error.hint)
        return
    if found.unclosed:
        template = T(
            "Problems",
            "The caption of {path} opens {bracket} and does not close it; it weighs "
            "everything behind it.",
        )
        yield _odd(path, template, found.unclosed[0])
    elif found.unopened:
        template = T(
            "Problems",
            "The caption of {path} closes {bracket} without opening it; it is trained as text.",
        )
        yield _odd(path, template, found.unopened[0])
    if rules.takes_apart and _tears(found, rules):
        template = T(
            "Problems",
            "The caption of {path} weighs several tags at once, which shuffling and dropping tear "
            "apart.",
        )
        hint = text(T("Problems", "Put brackets around each tag."))
        yield Finding(path, Severity.WARNING, text(template, path=path), hint)


def _odd(path: Path, template: str, bracket: str) -> Finding:
    message = text(template, path=path, bracket=bracket)
    hint = T("Problems", "Add the other one, or write \\{bracket} if it is only text.")
    return Finding(path, Severity.WARNING, message, text(hint, bracket=bracket))


def _tears(found: WeightedText, rules: CaptionRules) -> bool:
    return any(rules.caption_separator in words for words in found.bracketed)


def _plain(path: Path, caption: str, rules: CaptionRules) -> Iterator[Finding]:
    """Tell of what looks meant otherwise than it is trained."""
    if not rules.weighted_captions and _NUMBERED.search(caption):
        template = T("Problems", "The caption of {path} holds weights, which are trained as words.")
        hint = T("Problems", "Turn on weighted captions.")
        yield _unread(path, template, hint, {"captions.weighted_captions": True})
    if not rules.enable_wildcard and has_choices(lines_of_caption(caption)[0]):
        template = T("Problems", "The caption of {path} holds options, which are trained as words.")
        hint = T("Problems", "Turn on wildcards.")
        yield _unread(path, template, hint, {"captions.enable_wildcard": True})


def _unread(path: Path, template: str, hint: str, changes: Mapping[str, object]) -> Finding:
    return Finding(path, Severity.NOTICE, text(template, path=path), text(hint), changes=changes)
