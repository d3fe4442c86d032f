"""Rules of subsets: what they name, and what their own settings are with those of the run."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.errors import DatasetError
from trainer_core.settings.document import to_raw
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.rules import augmentation, buckets, captions
from trainer_core.settings.schema import TRAIN, Facts, Rules, TrainSettings
from trainer_core.settings.subsets import OWN, SubsetSettings
from trainer_core.texts import T, Text, text

_PATH = "dataset.subsets"


def subset_places(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse a subset without pictures, and one that stands there twice."""
    seen: dict[str, int] = {}
    for number, table in enumerate(settings.dataset.subsets, start=1):
        if not table.has_pictures:
            message = text(T("Problems", "subsets[{number}] names no pictures."), number=number)
            yield _removable(settings, number, message)
            continue
        if table == type(table)(image_dir=settings.dataset.train_data_dir):
            template = T("Problems", "subsets[{number}] is the picture folder once more.")
            yield _removable(settings, number, text(template, number=number))
        first = seen.setdefault(repr(table), number)
        if first != number:
            template = T("Problems", "subsets[{first}] and subsets[{number}] are the same.")
            yield _removable(settings, number, text(template, first=first, number=number))


def own_settings(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Ask the rules of what a subset may have of its own, with its own values."""
    rules = (*augmentation.RULES, *buckets.RULES, *captions.RULES)
    of_run = {str(problem.message) for rule in rules for problem in rule(settings, facts)}
    for number, table in enumerate(settings.dataset.subsets, start=1):
        if not table.own:
            continue
        whole = with_own(settings, table)
        for problem in (found for rule in rules for found in rule(whole, facts)):
            if str(problem.message) not in of_run:
                template = T("Problems", "subsets[{number}]: {message}")
                message = text(template, number=number, message=str(problem.message))
                yield Problem(_PATH, problem.severity, message, kind=problem.kind)


def with_own(settings: TrainSettings, table: SubsetSettings) -> TrainSettings:
    """Return the settings as they act for a subset."""
    sections: dict[str, dict[str, object]] = {}
    for name, value in table.own.items():
        sections.setdefault(OWN[name].section, {})[name] = value
    changed = {
        name: getattr(settings, name).model_copy(update=values) for name, values in sections.items()
    }
    return settings.model_copy(update=changed)


def _removable(settings: TrainSettings, number: int, message: Text) -> Problem:
    tables = settings.dataset.subsets
    rest = (*tables[: number - 1], *tables[number:])
    changes = {_PATH: to_raw(TRAIN.params()[_PATH], rest)}
    hint = Suggestion(text(T("Problems", "Remove it.")), changes)
    return Problem(_PATH, Severity.ERROR, message, hint, kind=DatasetError)


RULES: Rules = (subset_places, own_settings)
