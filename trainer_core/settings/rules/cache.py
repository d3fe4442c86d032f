"""Rules of caches: what is encoded once must stay the same."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.settings.document import to_raw
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import TRAIN, Facts, Rules, TrainSettings
from trainer_core.texts import T, Text, text

_TEXTS = "cache.cache_text_encoder_outputs"

# What changes a caption from one showing to the next. Dropping all of it is none of these: the
# empty caption is cached too.
_CHANGING = (
    "shuffle_caption",
    "caption_tag_dropout_rate",
    "token_warmup_step",
    "enable_wildcard",
)


def cached_texts_are_not_trained(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse to train the text encoders whose outputs are cached."""
    if not settings.cache.cache_text_encoder_outputs:
        return
    switch = settings.method.no_text_encoders
    for part in settings.trained_parts(settings.known_family(facts)):
        if part.is_text_encoder and settings.rate_of(part) > 0:
            message = text(T("Problems", "Text outputs cannot be cached while they are trained."))
            train_less = Suggestion(text(T("Problems", "Train the U-Net only.")), {switch: True})
            ways = [train_less, _without_cache()] if switch else [_without_cache()]
            yield _refused(message, ways)
            return


def cached_texts_stay_the_same(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse what changes captions while they are cached."""
    if not settings.cache.cache_text_encoder_outputs:
        return
    for name in _CHANGING:
        path = TRAIN.path_of(name)
        if path is None or not settings.get(path):
            continue
        param = TRAIN.params()[path]
        if TRAIN.idle(param, settings.get, facts):
            continue
        message = text(T("Problems", "{name} changes captions; they cannot be cached."), name=name)
        reset = Suggestion(
            text(T("Problems", "Reset {name}."), name=name), {path: to_raw(param, param.default)}
        )
        yield _refused(message, [reset, _without_cache()])


def _without_cache() -> Suggestion:
    return Suggestion(text(T("Problems", "Do not cache text outputs.")), {_TEXTS: False})


def _refused(message: Text, ways: list[Suggestion]) -> Problem:
    first, *others = ways
    return Problem(_TEXTS, Severity.ERROR, message, first, other_ways=tuple(others))


RULES: Rules = (cached_texts_are_not_trained, cached_texts_stay_the_same)
