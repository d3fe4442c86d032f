"""Everything that can be said of a run before a model is loaded: every problem, and the plan."""

from __future__ import annotations

import contextlib
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from trainer_core.catalogue.entry import missing_packages
from trainer_core.catalogue.families import TRAINABLE
from trainer_core.dataset.audit import Audit
from trainer_core.dataset.index import DatasetIndex
from trainer_core.dataset.plan import Plan
from trainer_core.dataset.survey import Survey, SurveyRequest, take_survey
from trainer_core.errors import ModelFileError, StateError, TrainerError
from trainer_core.files.run_folder import state_step
from trainer_core.model_files.recognise import inspect_model, require_base_model
from trainer_core.model_files.starting_weights import alphas_by_part
from trainer_core.prompts.file import PromptFile, load_prompts
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.rules.adapter import STARTING_ALPHAS
from trainer_core.settings.rules.check import check
from trainer_core.settings.rules.places import check_places
from trainer_core.settings.schema import TRAIN, Facts, TrainSettings
from trainer_core.texts import T, text

_MODEL = "model.pretrained_model_name_or_path"
_PROMPTS = "sampling.sample_prompts"
_STATE = "output.resume"
_WEIGHTS = "adapter.network_weights"


@dataclass(slots=True)
class Preflight:
    """What was found; a later part is None where an earlier error hides it."""

    problems: list[Problem] = field(default_factory=list)
    facts: Facts = field(default_factory=dict)
    settings: TrainSettings | None = None
    survey: Survey | None = None
    prompts: PromptFile | None = None

    @property
    def errors(self) -> list[Problem]:
        """The problems that make the run refuse."""
        return [p for p in self.problems if p.severity is Severity.ERROR]

    @property
    def index(self) -> DatasetIndex | None:
        """The pictures."""
        return None if self.survey is None else self.survey.index

    @property
    def audit(self) -> Audit | None:
        """What is wrong with them, their sizes and captions."""
        return None if self.survey is None else self.survey.audit

    @property
    def plan(self) -> Plan | None:
        """What the run will do; None while a picture or a folder cannot be used."""
        if self.survey is None or any(
            problem.severity is Severity.ERROR for problem in self.survey.problems
        ):
            return None
        return self.survey.plan


@dataclass(slots=True)
class FilesLook:
    """What the files that the settings name say of themselves.

    Attributes:
        problems: What is wrong inside them.
        facts: What "auto" comes to with them: the ``family`` of the base model and, if the file
            says so, its ``prediction_type``; and the `STARTING_ALPHAS`.
        prompts: What the prompt file asks for; None if there is none that can be read.
    """

    problems: list[Problem] = field(default_factory=list)
    facts: Facts = field(default_factory=dict)
    prompts: PromptFile | None = None


def examine(raw: Mapping[str, Any]) -> Preflight:
    """Check a raw document with absolute paths and everything it names, without torch.

    For the Python that trains: what it has installed is checked too.
    """
    found = Preflight()
    found.settings, form_problems = TRAIN.parse(raw)
    found.problems += form_problems
    if found.settings is None:
        return found
    misplaced = check_places(found.settings)
    files = look_into_files(found.settings, {problem.path for problem in misplaced})
    found.facts = files.facts
    found.problems += [*check(found.settings, files.facts), *misplaced]
    found.problems += package_problems(found.settings, files.facts)
    found.problems += files.problems
    if not _has_error(found, "dataset.train_data_dir", "dataset.more_pictures"):
        _examine_pictures(found, found.settings)
    found.prompts = files.prompts
    return found


def look_into_files(settings: TrainSettings, absent: Container[str]) -> FilesLook:
    """Return what is in the model, starting weights, prompt file and state that are there.

    Reads headers and one short file.

    Args:
        settings: Their paths are absolute.
        absent: The settings whose paths cannot be used, as `check_places` says.
    """
    found = FilesLook()
    if _MODEL not in absent:
        _look_at_model(found, settings)
    if _WEIGHTS not in absent:
        _look_at_starting_weights(found, settings)
    if _PROMPTS not in absent:
        _read_prompts(found, settings)
    if _STATE not in absent:
        found.problems += _state_problems(settings)
    return found


def package_problems(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Yield the choices that need what this Python does not have.

    Only the trainer may ask: the app may run in another Python.
    """
    for path, param in TRAIN.params().items():
        entry = param.spec.choices.get(str(settings.get(path)))
        if entry is None or TRAIN.idle(param, settings.get, facts):
            continue
        for package in missing_packages(entry):
            template = T("Problems", "{choice} needs {package}, which is not installed.")
            message = text(template, choice=entry.label, package=package)
            template = T(
                "Problems",
                "Choose another one, or install it into the trainer's environment: "
                'pip install "{package}"',
            )
            hint = Suggestion(text(template, package=package))
            yield Problem(path, Severity.ERROR, message, hint)


def _has_error(found: Preflight, *paths: str) -> bool:
    return any(problem.path in paths for problem in found.errors)


def _look_at_model(found: FilesLook, settings: TrainSettings) -> None:
    path = settings.model.pretrained_model_name_or_path
    if path is None:
        return
    try:
        report = inspect_model(path)
        require_base_model(report, TRAINABLE)
    except TrainerError as error:
        found.problems.append(Problem.of(error, setting=_MODEL))
        return
    facts = {"family": report.kind, "prediction_type": report.prediction_type}
    known = {name: fact for name, fact in facts.items() if fact is not None}
    found.facts = {**found.facts, **known}


def _look_at_starting_weights(found: FilesLook, settings: TrainSettings) -> None:
    """Note their alphas; what is wrong with the file is told by the kind of adapter."""
    path = settings.adapter.network_weights
    if path is not None:
        with contextlib.suppress(ModelFileError):
            found.facts = {**found.facts, STARTING_ALPHAS: alphas_by_part(path)}


def _examine_pictures(found: Preflight, settings: TrainSettings) -> None:
    if _has_error(
        found, "dataset.min_bucket_reso", "dataset.max_bucket_reso", "dataset.bucket_reso_steps"
    ):
        return
    request = SurveyRequest.of(settings)
    if request is not None:
        found.survey = take_survey(request)
        found.problems += found.survey.problems


def _read_prompts(found: FilesLook, settings: TrainSettings) -> None:
    path = settings.sampling.sample_prompts
    if path is None:
        return
    try:
        limit_px = settings.sampling.sample_max_side
        found.prompts = load_prompts(path, max_side_px=limit_px)
    except TrainerError as error:
        found.problems.append(Problem.of(error, setting=_PROMPTS))
        return
    found.problems += [
        Problem(_PROMPTS, Severity.WARNING, message) for message in found.prompts.problems
    ]


def _state_problems(settings: TrainSettings) -> list[Problem]:
    state = settings.output.resume
    if state is None or state_step(state) >= 0:
        return []
    message = text(T("Problems", "{path} holds no complete state."), path=state)
    hint = Suggestion(text(T("Problems", "Choose a folder whose name ends in -state.")))
    return [Problem(_STATE, Severity.ERROR, message, hint, kind=StateError)]
