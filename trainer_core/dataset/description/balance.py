"""How often regularisation pictures are shown: as often as the training pictures they go with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from trainer_core.dataset.index import Concept, DatasetIndex, Root
from trainer_core.dataset.subsets import SampleKey, SettingsBySubset, Subset, data_sets
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.texts import T, text


def balanced(index: DatasetIndex, settings: SettingsBySubset) -> DatasetIndex:
    """Return the index with the repeats that regularisation pictures really have.

    They are matched to the training pictures of their data set; where it has none, to those of
    the whole run. Pictures that are not needed have no repeats.

    Args:
        index: With the repeats that the folders or the settings ask for.
        settings: Which subsets are regularisation, and which make a data set.
    """
    groups = data_sets(settings)
    wanted: defaultdict[int, int] = defaultdict(int)
    to_match: defaultdict[int, list[Concept]] = defaultdict(list)
    for concept in index.concepts:
        group = groups[concept.subset]
        if settings[concept.subset].is_reg:
            to_match[group].append(concept)
        else:
            wanted[group] += sum(picture.repeats for picture in concept.pictures)
    if not to_match:
        return index
    in_all = sum(wanted.values())
    repeats: dict[SampleKey, int] = {}
    for group, concepts in to_match.items():
        asked = [(each.key, c.repeats) for c in concepts for each in c.pictures]
        shown = matched([times for _, times in asked], wanted[group] or in_all)
        repeats |= {key: times for (key, _), times in zip(asked, shown, strict=True)}
    return DatasetIndex(tuple(_with_repeats(root, repeats) for root in index.roots))


def matched(repeats: Sequence[int], wanted: int) -> list[int]:
    """Return how often each picture is shown so that all together are shown ``wanted`` times.

    The first round takes every picture with its own repeats, which may overshoot; each later one
    adds 1. It stops as soon as the number is reached; 0 is a picture that was not come to.
    Source: sd-scripts, ``DreamBoothDataset``; steps.json.
    """
    shown = [0] * len(repeats)
    total, place = 0, 0
    while total < wanted and repeats:
        if place == len(repeats) and (rounds := (wanted - total) // len(repeats)) > 1:
            whole = rounds - 1  # at once: a million repeats are no million steps
            shown = [each + whole for each in shown]
            total += whole * len(repeats)
        number = place % len(repeats)
        times = repeats[number] if place < len(repeats) else 1
        shown[number] += times
        total += times
        place += 1
    return shown


def balance_problems(
    index: DatasetIndex, settings: SettingsBySubset, subsets: Iterable[Subset]
) -> Iterator[Problem]:
    """Tell of regularisation pictures that go with nothing, or are more than are needed.

    Args:
        index: As `balanced` returns it.
        settings: Which subsets are regularisation.
        subsets: Whose settings name them.
    """
    pictures = index.pictures
    reg = [picture for picture in pictures if settings[picture.subset].is_reg]
    if not reg:
        return
    place = next(each.setting for each in subsets if settings[each.number].is_reg)
    if len(reg) == len(pictures):
        template = T("Problems", "There are only regularisation pictures, none to learn.")
        hint = Suggestion(text(T("Problems", "Choose a picture folder too.")))
        yield Problem(place, Severity.ERROR, text(template), hint)
        return
    unused = sum(not picture.repeats for picture in reg)
    if unused:
        template = T(
            "Problems",
            "{unused} of {count} regularisation [count:picture|pictures] [unused:is|are] not "
            "used: as many are shown as training pictures.",
        )
        message = text(template, unused=unused, count=len(reg))
        yield Problem(place, Severity.NOTICE, message)


def _with_repeats(root: Root, repeats: Mapping[SampleKey, int]) -> Root:
    concepts = (
        replace(
            concept,
            pictures=tuple(
                replace(each, repeats=repeats.get(each.key, each.repeats))
                for each in concept.pictures
            ),
        )
        for concept in root.concepts
    )
    return replace(root, concepts=tuple(concepts))
