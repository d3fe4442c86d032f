"""Everything that can be said of a run before a model is loaded: every problem, and the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trainer_core.dataset.audit import Audit
from trainer_core.dataset.index import DatasetIndex
from trainer_core.dataset.plan import Plan
from trainer_core.dataset.survey import Survey, SurveyRequest, take_survey
from trainer_core.errors import TrainerError
from trainer_core.files.run_folder import state_step
from trainer_core.model_files.recognise import ModelKind, inspect_model, require_base_model
from trainer_core.prompts.file import PromptFile, load_prompts
from trainer_core.settings import rules
from trainer_core.settings.document import parse
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import TrainSettings
from trainer_core.texts import T, text

SUPPORTED = (ModelKind.SD1,)

_MODEL = "model.pretrained_model_name_or_path"
_PROMPTS = "sampling.sample_prompts"
_STATE = "output.resume"


@dataclass(slots=True)
class Preflight:
    """What was found; a later part is None where an earlier error hides it."""

    problems: list[Problem] = field(default_factory=list)
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


def examine(raw: Mapping[str, Any]) -> Preflight:
    """Check a raw document with absolute paths and everything it names, without torch."""
    found = Preflight()
    found.settings, form_problems = parse(raw)
    found.problems += form_problems
    if found.settings is None:
        return found
    found.problems += rules.check(found.settings)
    if not _has_error(found, _MODEL):
        found.problems += _model_problems(found.settings)
    if not _has_error(found, "dataset.train_data_dir", "dataset.more_pictures"):
        _examine_pictures(found, found.settings)
    if not _has_error(found, _PROMPTS):
        found.prompts, problems = _read_prompts(found.settings)
        found.problems += problems
    if not _has_error(found, _STATE):
        found.problems += _state_problems(found.settings)
    return found


def file_problems(settings: TrainSettings) -> list[Problem]:
    """Return what is wrong inside the model, the prompt file and the state that are there.

    That they are there is for `rules.check` to say. Reads headers and one short file.
    """
    absent = {problem.path for problem in rules.existing_paths(settings)}
    found = []
    if _MODEL not in absent:
        found += _model_problems(settings)
    if _PROMPTS not in absent:
        found += _read_prompts(settings)[1]
    if _STATE not in absent:
        found += _state_problems(settings)
    return found


def _has_error(found: Preflight, *paths: str) -> bool:
    return any(problem.path in paths for problem in found.errors)


def _error(path: str, error: TrainerError) -> Problem:
    hint = Suggestion(error.hint) if error.hint else None
    return Problem(path, Severity.ERROR, error.message, hint)


def _model_problems(settings: TrainSettings) -> list[Problem]:
    path = settings.model.pretrained_model_name_or_path
    if path is None:
        return []
    try:
        require_base_model(inspect_model(path), SUPPORTED)
    except TrainerError as error:
        return [_error(_MODEL, error)]
    return []


def _examine_pictures(found: Preflight, settings: TrainSettings) -> None:
    if _has_error(
        found, "dataset.min_bucket_reso", "dataset.max_bucket_reso", "dataset.bucket_reso_steps"
    ):
        return
    request = SurveyRequest.of(settings)
    if request is not None:
        found.survey = take_survey(request)
        found.problems += found.survey.problems


def _read_prompts(settings: TrainSettings) -> tuple[PromptFile | None, list[Problem]]:
    path = settings.sampling.sample_prompts
    if path is None:
        return None, []
    try:
        prompts = load_prompts(path)
    except TrainerError as error:
        return None, [_error(_PROMPTS, error)]
    return prompts, [Problem(_PROMPTS, Severity.WARNING, message) for message in prompts.problems]


def _state_problems(settings: TrainSettings) -> list[Problem]:
    state = settings.output.resume
    if state is None or state_step(state) >= 0:
        return []
    message = text(T("Problems", "{path} holds no complete state."), path=state)
    hint = Suggestion(text(T("Problems", "Choose a folder whose name ends in -state.")))
    return [Problem(_STATE, Severity.ERROR, message, hint)]
