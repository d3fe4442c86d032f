"""Rules of pictures and their repeats."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.settings.folder_repeats import parse_entry
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import Facts, Rules, TrainSettings
from trainer_core.texts import T, text

MANY_REPEATS = 10_000
"""Above it a number of repeats is told of."""


def folder_repeats(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse entries that do not say how often which folder is shown."""
    path, entries = "dataset.folder_repeats", settings.dataset.folder_repeats
    for entry in entries:
        if parse_entry(entry) is None:
            template = T("Problems", "{entry} does not say how often which folder is shown.")
            hint = text(T("Problems", "Write it as 10_cat=5, or remove it."))
            rest = [other for other in entries if other != entry]
            suggestion = Suggestion(hint, {path: rest})
            yield Problem(path, Severity.ERROR, text(template, entry=entry), suggestion)


def many_repeats(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Warn of a number of repeats that is more likely a slip than meant."""
    repeats = settings.dataset.dataset_repeats
    if repeats > MANY_REPEATS:
        message = text(
            T("Problems", "{repeats} [repeats:repeat makes|repeats make] a very long epoch."),
            repeats=repeats,
        )
        hint = Suggestion(text(T("Problems", "Use fewer repeats and more epochs.")))
        yield Problem("dataset.dataset_repeats", Severity.WARNING, message, hint)


RULES: Rules = (folder_repeats, many_repeats)
