"""Rules of subsets: what they name, and what their own settings are with those of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trainer_core.errors import DatasetError
from trainer_core.settings.document import to_raw
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.rules import augmentation, buckets, cache, captions
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
    rules = (*buckets.RULES, *captions.RULES, *augmentation.RULES, *cache.RULES)
    tables = [table for table in settings.dataset.subsets if table.own]
    if not tables:
        return
    of_run = {str(problem.message) for rule in rules for problem in rule(settings, facts)}
    for number, table in enumerate(settings.dataset.subsets, start=1):
        whole = with_own(settings, table)
        for problem in (found for rule in rules for found in rule(whole, facts)):
            if table.own and str(problem.message) not in of_run:
                yield _of_subset(settings, number, problem)


def own_values_without_effect(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Name what a subset has of its own that does not act with the rest."""
    for number, table in enumerate(settings.dataset.subsets, start=1):
        whole = with_own(settings, table) if table.own else settings
        for name, value in table.own.items():
            is_set = value != OWN[name].default
            if is_set and TRAIN.idle(OWN[name], whole.get, facts) is not None:
                template = T("Problems", "subsets[{number}].{column} has no effect here.")
                message = text(template, number=number, column=name)
                changes = {_PATH: _changed(settings, number, {name: None})}
                hint = Suggestion(text(T("Problems", "Remove it.")), changes)
                yield Problem(_PATH, Severity.NOTICE, message, hint)


def _of_subset(settings: TrainSettings, number: int, problem: Problem) -> Problem:
    """Return a problem as one of a subset; its ways out change the subset."""
    template = T("Problems", "subsets[{number}]: {message}")
    message = text(template, number=number, message=str(problem.message))
    found = (_way_of_subset(settings, number, way) for way in problem.ways_out)
    ways = [way for way in found if way is not None]
    first = ways[0] if ways else None
    return Problem(
        _PATH, problem.severity, message, first, other_ways=tuple(ways[1:]), kind=problem.kind
    )


def _way_of_subset(settings: TrainSettings, number: int, way: Suggestion) -> Suggestion | None:
    own = {path.partition(".")[2]: value for path, value in way.changes.items()}
    if not own.keys() & OWN.keys():
        return way  # of the run, or in words
    if not own.keys() <= OWN.keys():
        return None
    return Suggestion(way.message, {_PATH: _changed(settings, number, own)})


def _changed(settings: TrainSettings, number: int, values: Mapping[str, object]) -> list[object]:
    """Return the raw tables with other values of one; None removes one."""
    tables = to_raw(TRAIN.params()[_PATH], settings.dataset.subsets)
    row = {**tables[number - 1], **values}
    tables[number - 1] = {name: value for name, value in row.items() if value is not None}
    return list(tables)


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


RULES: Rules = (subset_places, own_settings, own_values_without_effect)
