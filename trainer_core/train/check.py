"""The answer of ``check``: every problem and the whole plan, for people or as JSON.

torch is imported only where there is something to ask of it, so that mistakes are told at once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainer_core.dataset.plan import ConceptCount, Plan
from trainer_core.dataset.validation.split import HeldOut
from trainer_core.errors import OutputError, TrainerError
from trainer_core.files.replaced_run import ReplacedRun
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.writing import output_error
from trainer_core.preflight import Preflight, examine
from trainer_core.runtime.libraries import quick_imports
from trainer_core.settings.noise_words import noise_words
from trainer_core.settings.output import OutputSettings
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import TrainSettings
from trainer_core.texts import T, Text, filled, text, visible
from trainer_core.train.inputs import plan_event, run_inputs
from trainer_core.train.run_start import refuse_other_run

if TYPE_CHECKING:
    from trainer_core.checkpoints.state import SavedState
    from trainer_core.runtime.device import Machine


_STATE = "output.resume"


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
    _warn_of_taken_name(found, found.settings.output)
    _try_output_folder(found, found.settings.output)
    state = _state(found, found.settings)
    machine = _machine(found, found.settings)
    if machine is None:
        return Report(found, {})
    parameters: Mapping[str, int] = {}
    if not found.errors:
        _try_optimizer(found, found.settings, machine)
        parameters = _parameters(found, found.settings)
    if state is not None and not found.errors:
        _try_state(found, found.settings, state)
    return Report(found, parameters, machine.precision, machine.name)


def _warn_of_taken_name(found: Preflight, output: OutputSettings) -> None:
    """Say here already what `train` refuses unless it is told to go on or to overwrite."""
    paths = {"output.output_dir", "output.output_name"}
    if output.output_dir is None or any(problem.path in paths for problem in found.errors):
        return
    folder = RunFolder(output.output_dir, output.output_name)
    if output.resume is None and (folder.exists() or ReplacedRun(folder).is_any()):
        template = T("Problems", "{folder} already has a run called {name}.")
        message = text(template, folder=output.output_dir, name=output.output_name)
        hint = text(T("Problems", "Choose another output name, or train with --overwrite."))
        if folder.newest_state() is not None:  # perhaps all that was rescued of a run
            template = T("Problems", "Train with --continue, or choose another output name.")
            hint = text(template)
        path = "output.output_name"
        found.problems.append(Problem(path, Severity.WARNING, message, Suggestion(hint)))
    try:
        folder.refuse_obstacles()
    except OutputError as error:
        found.problems.append(Problem.of(error, setting="output.output_name"))


def _state(found: Preflight, settings: TrainSettings) -> SavedState | None:
    """Read the state to go on from; None if there is none that can go on here."""
    path, place = settings.output.resume, settings.output.output_dir
    if path is None or place is None or any(p.path == _STATE for p in found.errors):
        return None
    with quick_imports():
        from trainer_core.checkpoints.state import read_state

    try:
        state = read_state(path)
        folder = RunFolder(place, settings.output.output_name)
        refuse_other_run(folder, run_id=state.facts.run_id, name=state.facts.name)
    except TrainerError as error:
        found.problems.append(Problem.of(error, setting=_STATE))
        return None
    return state


def _try_state(found: Preflight, settings: TrainSettings, state: SavedState) -> None:
    """Put the state into what would be trained, without memory for any of it."""
    with quick_imports():
        from trainer_core.pipeline.sources import fingerprint, sources_of
        from trainer_core.train.building import try_state
        from trainer_core.train.resuming import refuse_position

    inputs = run_inputs(found)
    pictures = fingerprint(
        sources_of(inputs.index, inputs.audit, inputs.plan, inputs.subsets),
        batch_size=settings.dataset.train_batch_size,
        accumulation=settings.optimizer.gradient_accumulation_steps,
    )
    try:
        refuse_position(
            state,
            settings.optimizer,
            total_steps=inputs.plan.total_steps,
            batches_per_epoch=inputs.plan.batches_per_epoch,
            pictures=pictures,
        )
        try_state(settings, state)
    except TrainerError as error:
        found.problems.append(Problem.of(error, setting=_STATE))


def _try_output_folder(found: Preflight, output: OutputSettings) -> None:
    """Make and remove an empty folder there: some places refuse it whatever their rights say."""
    path = "output.output_dir"
    if output.output_dir is None or any(problem.path == path for problem in found.errors):
        return
    places = (output.output_dir, *output.output_dir.parents)
    try:
        with tempfile.TemporaryDirectory(dir=next(place for place in places if place.is_dir())):
            pass
    except OSError as error:
        found.problems.append(Problem.of(output_error(error, output.output_dir), setting=path))


def _machine(found: Preflight, settings: TrainSettings) -> Machine | None:
    with quick_imports():
        from trainer_core.runtime.device import find_machine

    try:
        return find_machine(settings.hardware.mixed_precision)
    except TrainerError as error:
        found.problems.append(Problem.of(error, setting="hardware.mixed_precision"))
        return None


def _try_optimizer(found: Preflight, settings: TrainSettings, machine: Machine) -> None:
    with quick_imports():
        from trainer_core.train.building import try_optimizer

    try:
        try_optimizer(settings.optimizer, machine.device)
    except TrainerError as error:
        found.problems.append(Problem.of(error, setting="optimizer.optimizer_args"))


def _parameters(found: Preflight, settings: TrainSettings) -> Mapping[str, int]:
    with quick_imports():
        from trainer_core.train.building import open_family, trainable_parameters

    def warn(message: Text) -> None:
        found.problems.append(Problem("", Severity.WARNING, message))

    try:
        return trainable_parameters(open_family(settings), settings, warn)
    except TrainerError as error:
        found.problems.append(Problem.of(error))
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
            held_out=checked.found.held_out,
        ).model_dump(exclude={"event", "time"}),
    }


def as_lines(checked: Report) -> Iterator[str]:
    """Yield the answer for people: problems first, then the plan term by term."""
    found = checked.found
    for problem in found.problems:
        place = f"{problem.path}: " if problem.path else ""
        yield f"{problem.severity.value}: {place}{problem.message}"
        for way in problem.ways_out:
            yield f"    {way.message}"
    if any(problem.picture and problem.severity is Severity.ERROR for problem in found.problems):
        yield "Pictures that cannot be used may be left out: name them in left_out of [dataset]."
    if found.plan is not None:
        yield from _plan_lines(found.plan, found.held_out)
        if found.settings is not None and "family" in found.facts:
            predicted = "; ".join(map(str, noise_words(found.settings, found.facts)))
            yield f"the base model predicts: {predicted}"
    for part, number in checked.parameters.items():
        yield f"trainable parameters, {part}: {number:,}"
    if checked.device:
        yield f"device: {checked.device}, precision: {checked.precision}"


def _plan_lines(plan: Plan, held_out: HeldOut | None) -> Iterator[str]:
    yield from map(_concept_line, plan.concepts)
    if held_out is not None:
        template = "held out for validation: {count} [count:picture|pictures]"
        yield filled(template, {"count": held_out.pictures})
    for bucket in plan.buckets:
        width, height = bucket.resolution
        words = filled("{count} [count:batch|batches]", {"count": bucket.batches})
        yield f"bucket {width} x {height}: {bucket.samples} in {words}"
    yield f"batches per epoch: {plan.batches_per_epoch}"
    yield f"optimizer steps: {plan.steps_per_epoch} per epoch, {plan.total_steps} in all"
    if plan.batches_in_last_step < plan.batches_in_full_step:
        yield (
            f"the last step of an epoch has {plan.batches_in_last_step} of "
            f"{plan.batches_in_full_step} batches; its loss is their mean"
        )
    yield f"epochs: {plan.epochs}, warm-up steps: {plan.warmup_steps}"


def _concept_line(concept: ConceptCount) -> str:
    template = "{name}: {pictures} [pictures:picture|pictures] x {repeats} = {asked} per epoch"
    if concept.is_reg:
        template = (
            "{name}: {pictures} regularisation [pictures:picture|pictures] x {repeats} = {asked}; "
            "{samples} per epoch"
        )
    facts = {"pictures": concept.pictures, "repeats": concept.repeats}
    facts |= {"asked": concept.asked, "samples": concept.samples}
    return filled(template, {"name": visible(concept.name), **facts})


def _plain(problem: Problem) -> dict[str, Any]:
    suggestion = problem.suggestion
    return {
        "path": problem.path,
        "severity": problem.severity.value,
        "message": str(problem.message),
        "suggestion": str(suggestion.message) if suggestion else None,
        "changes": dict(suggestion.changes) if suggestion else {},
    }
