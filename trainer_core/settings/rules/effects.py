"""Values that were changed but do not act with the others as they are."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.settings.document import to_raw
from trainer_core.settings.param import ActsIf, Param
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import TRAIN, Facts, Rules, S, Schema, TrainSettings
from trainer_core.texts import T, text


def idle_values(schema: Schema[S], settings: S, facts: Facts) -> Iterator[Problem]:
    """Name every value of ``settings`` that was changed but does not act."""
    for path, param in schema.params().items():
        if settings.get(path) == param.default:
            continue
        missing = schema.idle(param, settings.get, facts)
        if missing is not None:
            yield _without_effect(param, missing)


def values_without_effect(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Name every value of a run that was changed but does not act with the other settings."""
    yield from idle_values(TRAIN, settings, facts)


def _without_effect(param: Param, condition: ActsIf) -> Problem:
    facts = {"name": param.name, "other": condition.name}
    if len(condition.or_set) > 1:
        template = T("Problems", "{name} has no effect because none of these is set: {others}.")
        others = ", ".join((condition.name, *condition.or_set))
        message = text(template, name=param.name, others=others)
    elif condition.or_set:
        template = T(
            "Problems", "{name} has no effect because neither {first} nor {second} is set."
        )
        first, second = condition.name, condition.or_set[0]
        message = text(template, name=param.name, first=first, second=second)
    elif not condition.values:
        message = text(T("Problems", "{name} has no effect because {other} is not set."), **facts)
    elif condition.values == (None,):
        message = text(T("Problems", "{name} has no effect because {other} is set."), **facts)
    else:
        wanted = ", ".join(condition.words)
        template = T("Problems", "{name} has no effect: it acts only if {other} is {wanted}.")
        message = text(template, wanted=wanted, **facts)
    hint = Suggestion(text(T("Problems", "Reset it.")), {param.path: to_raw(param, param.default)})
    return Problem(param.path, Severity.NOTICE, message, hint)


RULES: Rules = (values_without_effect,)
