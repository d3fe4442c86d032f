"""Rules of captions."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.settings.problems import Problem, better_value
from trainer_core.settings.schema import Facts, Rules, TrainSettings
from trainer_core.texts import T, text


def caption_extension(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse a caption extension that would lead to another folder."""
    extension = settings.captions.caption_extension
    if "/" in extension or "\\" in extension:
        template = T("Problems", "The caption extension {value} is a path.")
        yield better_value("captions.caption_extension", "auto", text(template, value=extension))


RULES: Rules = (caption_extension,)
