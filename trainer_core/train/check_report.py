"""The answer of ``check``: every problem and the whole plan, for people or as JSON.

torch is imported only where there is something to ask of it, so that mistakes are told at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trainer_core.errors import TrainerError
from trainer_core.preflight import Preflight, examine
from trainer_core.runtime.imports import quick_imports
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import TrainSettings
from trainer_core.train.inputs import plan_event


@dataclass(frozen=True, slots=True)
class Report:
    """What the checks found; what an error hides is empty."""

    found: Preflight
    parameters: Mapping[str, int]
    precision: str = ""
    device: str = ""


def report(raw: Mapping[str, Any]) -> Report:
    """Check a raw document with absolute paths, and count what would be trained."""
    found = examine(raw)
    if found.settings is None:
        return Report(found, {})
    precision, device = _machine(found, found.settings)
    parameters = {} if found.errors else _parameters(found, found.settings)
    return Report(found, parameters, precision, device)


def _machine(found: Preflight, settings: TrainSettings) -> tuple[str, str]:
    with quick_imports():
        from trainer_core.runtime.device import find_machine

    try:
        machine = find_machine(settings.hardware.mixed_precision)
    except TrainerError as error:
        found.problems.append(_problem("hardware.mixed_precision", error))
        return "", ""
    return machine.precision, machine.name


def _parameters(found: Preflight, settings: TrainSettings) -> Mapping[str, int]:
    with quick_imports():
        from trainer_core.train.building import trainable_parameters, try_optimizer

    try:
        try_optimizer(settings.optimizer)
    except TrainerError as error:
        found.problems.append(_problem("optimizer.optimizer_args", error))
    try:
        return trainable_parameters(settings)
    except TrainerError as error:
        found.problems.append(_problem("model.pretrained_model_name_or_path", error))
        return {}


def exit_code(checked: Report) -> int:
    """Return 0 if nothing is wrong, 1 for warnings, 2 if the run cannot start."""
    severities = {problem.severity for problem in checked.found.problems}
    if Severity.ERROR in severities:
        return 2
    return 1 if Severity.WARNING in severities else 0


def as_json(checked: Report) -> dict[str, Any]:
    """Return the answer as plain data."""
    plan = checked.found.plan
    return {
        "problems": [_plain(problem) for problem in checked.found.problems],
        "plan": None
        if plan is None
        else plan_event(
            plan,
            parameters=checked.parameters,
            precision=checked.precision,
            device=checked.device,
        ).model_dump(exclude={"event", "time"}),
    }


def as_lines(checked: Report) -> Iterator[str]:
    """Yield the answer for people: problems first, then the plan term by term."""
    found = checked.found
    for problem in found.problems:
        where = f"{problem.path}: " if problem.path else ""
        yield f"{problem.severity.value}: {where}{problem.message}"
        if problem.suggestion:
            yield f"    {problem.suggestion.message}"
    plan = found.plan
    if plan is None:
        return
    for concept in plan.concepts:
        yield (
            f"{concept.name}: {concept.pictures} pictures x {concept.repeats} = "
            f"{concept.samples} per epoch"
        )
    for bucket in plan.buckets:
        width, height = bucket.resolution
        yield f"bucket {width} x {height}: {bucket.samples} in {bucket.batches} batches"
    yield f"batches per epoch: {plan.batches_per_epoch}"
    yield f"optimizer steps: {plan.steps_per_epoch} per epoch, {plan.total_steps} in all"
    if plan.batches_in_last_step < plan.batches_in_full_step:
        yield (
            f"the last step of an epoch has {plan.batches_in_last_step} of "
            f"{plan.batches_in_full_step} batches; its loss is their mean"
        )
    yield f"epochs: {plan.epochs}, warm-up steps: {plan.warmup_steps}"
    for part, number in checked.parameters.items():
        yield f"trainable parameters, {part}: {number:,}"
    if checked.device:
        yield f"device: {checked.device}, precision: {checked.precision}"


def _problem(path: str, error: TrainerError) -> Problem:
    hint = Suggestion(error.hint) if error.hint else None
    return Problem(path, Severity.ERROR, error.message, hint)


def _plain(problem: Problem) -> dict[str, Any]:
    suggestion = problem.suggestion
    return {
        "path": problem.path,
        "severity": problem.severity.value,
        "message": str(problem.message),
        "suggestion": str(suggestion.message) if suggestion else None,
        "changes": dict(suggestion.changes) if suggestion else {},
    }
