"""Rules of captions."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.settings.document import to_raw
from trainer_core.settings.problems import Problem, Severity, Suggestion, better_value
from trainer_core.settings.schema import TRAIN, Facts, Rules, TrainSettings
from trainer_core.texts import T, text

_SECONDARY = (";;;", "&&&")
"""Secondary separators that hardly occur in words."""


def caption_extension(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse a caption extension that would lead to another folder."""
    extension = settings.captions.caption_extension
    if "/" in extension or "\\" in extension:
        template = T("Problems", "The caption extension {value} is a path.")
        yield better_value("captions.caption_extension", "auto", text(template, value=extension))


def separators(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse separators that part nothing, or part tags that should stay together."""
    captions = settings.captions
    if not captions.caption_separator:
        template = T("Problems", "The caption separator is empty.")
        yield better_value("captions.caption_separator", ",", text(template))
        return
    inner = captions.secondary_separator
    takes_apart = (
        captions.shuffle_caption or captions.caption_tag_dropout_rate or captions.token_warmup_step
    )
    if inner and takes_apart and captions.caption_separator in inner:
        template = T(
            "Problems", "The secondary separator {value} holds the caption separator {separator}."
        )
        message = text(template, value=inner, separator=captions.caption_separator)
        better = next(each for each in _SECONDARY if captions.caption_separator not in each)
        yield better_value("captions.secondary_separator", better, message)


def lines_without_prefix(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Tell which lines of a caption have neither prefix nor suffix."""
    captions = settings.captions
    for name in ("caption_prefix", "caption_suffix"):
        if captions.enable_wildcard and getattr(captions, name):
            template = T(
                "Problems",
                "Of a caption of several lines, the prefix is put before the first line only, and "
                "the suffix after the last.",
            )
            yield Problem(f"captions.{name}", Severity.NOTICE, text(template))
            return


def captions_that_are_always_dropped(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Warn of a run in which no caption is ever read."""
    captions = settings.captions
    values = {
        "caption_dropout_rate": captions.caption_dropout_rate == 1,
        "caption_dropout_every_n_epochs": captions.caption_dropout_every_n_epochs == 1,
    }
    for name in (name for name, is_always in values.items() if is_always):
        template = T("Problems", "{name} is 1: every picture is trained without its caption.")
        param = TRAIN.params()[f"captions.{name}"]
        changes = {param.path: to_raw(param, param.default)}
        hint = Suggestion(text(T("Problems", "Reset it.")), changes)
        yield Problem(param.path, Severity.WARNING, text(template, name=name), hint)


RULES: Rules = (
    caption_extension,
    separators,
    lines_without_prefix,
    captions_that_are_always_dropped,
)
