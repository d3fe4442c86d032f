"""Everything that can be said of a run before a model is loaded: every problem, and the plan."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer_core.dataset.audit import Audit, quick_audit
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.index import DatasetIndex, build_index
from trainer_core.dataset.plan import Pace, Plan, make_plan
from trainer_core.errors import TrainerError
from trainer_core.files.run_folder import state_step
from trainer_core.model_files.recognise import ModelKind, inspect_model, require_base_model
from trainer_core.prompts.file import PromptFile, load_prompts
from trainer_core.settings import rules
from trainer_core.settings.dataset import DatasetSettings
from trainer_core.settings.document import parse
from trainer_core.settings.optimizer import OptimizerSettings
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
    index: DatasetIndex | None = None
    audit: Audit | None = None
    plan: Plan | None = None
    prompts: PromptFile | None = None

    @property
    def errors(self) -> list[Problem]:
        """The problems that make the run refuse."""
        return [p for p in self.problems if p.severity is Severity.ERROR]


def examine(raw: Mapping[str, Any]) -> Preflight:
    """Check a raw document with absolute paths and everything it names, without torch."""
    found = Preflight()
    found.settings, form_problems = parse(raw)
    found.problems += form_problems
    if found.settings is None:
        return found
    found.problems += [*rules.check(found.settings), *rules.check_places(found.settings)]
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


def file_problems(settings: TrainSettings, absent: Container[str]) -> list[Problem]:
    """Return what is wrong inside the model, the prompt file and the state that are there.

    Reads headers and one short file.

    Args:
        settings: Their paths are absolute.
        absent: The settings whose paths cannot be used, as `rules.check_places` says.
    """
    found = []
    if _MODEL not in absent:
        found += _model_problems(settings)
    if _PROMPTS not in absent:
        found += _read_prompts(settings)[1]
    if _STATE not in absent:
        found += _state_problems(settings)
    return found


def bucket_rules(pictures: DatasetSettings) -> BucketRules:
    """Return the bucket rules that the settings ask for.

    Raises:
        SettingsError: The limits contradict the resolution.
    """
    return BucketRules(
        resolution=pictures.resolution,
        enable_bucket=pictures.enable_bucket,
        min_bucket_reso=pictures.min_bucket_reso,
        max_bucket_reso=pictures.max_bucket_reso,
        bucket_reso_steps=pictures.bucket_reso_steps,
        bucket_no_upscale=pictures.bucket_no_upscale,
    )


def pace(batch_size: int, optimizer: OptimizerSettings) -> Pace:
    """Return the settings that decide a run's length."""
    return Pace(
        train_batch_size=batch_size,
        gradient_accumulation_steps=optimizer.gradient_accumulation_steps,
        epoch=optimizer.epoch,
        max_train_epochs=optimizer.max_train_epochs,
        max_train_steps=optimizer.max_train_steps,
        lr_scheduler=optimizer.lr_scheduler,
        lr_warmup=optimizer.lr_warmup,
        lr_warmup_steps=optimizer.lr_warmup_steps,
    )


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
    pictures = settings.dataset
    if _has_error(
        found, "dataset.min_bucket_reso", "dataset.max_bucket_reso", "dataset.bucket_reso_steps"
    ):
        return
    try:
        bucketing = bucket_rules(pictures)
        found.index = build_index(
            pictures.train_data_dir, pictures.more_pictures, plain_repeats=pictures.dataset_repeats
        )
        failures = [root.failure for root in found.index.roots if root.failure is not None]
        if failures:
            raise failures[0]
        found.audit = quick_audit(
            found.index, rules=bucketing, caption_extension=pictures.caption_extension
        )
        found.problems += [
            Problem(
                _setting_of(finding.path, pictures),
                finding.severity,
                finding.message,
                Suggestion(finding.suggestion) if finding.suggestion else None,
            )
            for finding in found.audit.findings
        ]
        if not found.audit.errors:
            length = pace(pictures.train_batch_size, settings.optimizer)
            found.plan = make_plan(found.index, found.audit.sizes, bucketing, length)
            found.problems += _plan_problems(found.plan)
    except TrainerError as error:
        place = Path(str(error.message.values.get("path", "")))
        found.problems.append(_error(_setting_of(place, pictures), error))


def _setting_of(path: Path, pictures: DatasetSettings) -> str:
    """Return the setting that led to a picture or folder."""
    folder = pictures.train_data_dir
    if folder is not None and (not pictures.more_pictures or path.is_relative_to(folder)):
        return "dataset.train_data_dir"
    return "dataset.more_pictures"


def _plan_problems(plan: Plan) -> list[Problem]:
    if plan.warmup_steps <= plan.total_steps:
        return []
    message = text(
        T("Problems", "The warm-up of {warmup} steps is longer than the run of {total} steps."),
        warmup=plan.warmup_steps,
        total=plan.total_steps,
    )
    hint = text(T("Problems", "Use the percentage instead."))
    return [
        Problem(
            "optimizer.lr_warmup_steps",
            Severity.WARNING,
            message,
            Suggestion(hint, {"optimizer.lr_warmup_steps": "unset"}),
        )
    ]


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
