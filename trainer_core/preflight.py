"""Everything that can be said of a run before a model is loaded: every problem, and the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer_core.catalogue.entry import missing_packages
from trainer_core.catalogue.families import TRAINABLE
from trainer_core.dataset.audit import Audit, Finding, quick_audit
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.index import DatasetIndex, build_index
from trainer_core.dataset.pictures import FORMAT_OF_EXTENSION
from trainer_core.dataset.plan import Pace, Plan, make_plan
from trainer_core.errors import DatasetError, StateError, TrainerError
from trainer_core.files.run_folder import state_step
from trainer_core.model_files.recognise import inspect_model, require_base_model
from trainer_core.prompts.file import PromptFile, load_prompts
from trainer_core.settings.dataset import DatasetSettings
from trainer_core.settings.optimizer import OptimizerSettings
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.rules.check import check
from trainer_core.settings.rules.places import check_places
from trainer_core.settings.schema import TRAIN, Facts, TrainSettings
from trainer_core.texts import T, text

_MODEL = "model.pretrained_model_name_or_path"
_PROMPTS = "sampling.sample_prompts"
_STATE = "output.resume"


@dataclass(slots=True)
class Preflight:
    """What was found; a later part is None where an earlier error hides it."""

    problems: list[Problem] = field(default_factory=list)
    facts: Facts = field(default_factory=dict)
    settings: TrainSettings | None = None
    index: DatasetIndex | None = None
    audit: Audit | None = None
    plan: Plan | None = None
    prompts: PromptFile | None = None

    @property
    def errors(self) -> list[Problem]:
        """The problems that make the run refuse."""
        return [p for p in self.problems if p.severity is Severity.ERROR]


@dataclass(slots=True)
class FilesLook:
    """What the files that the settings name say of themselves.

    Attributes:
        problems: What is wrong inside them.
        facts: What "auto" comes to with them: the ``family`` of the base model and, if the file
            says so, its ``prediction_type``.
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
    files = look_into_files(found.settings)
    found.facts = files.facts
    found.problems += check(found.settings, files.facts)
    found.problems += package_problems(found.settings, files.facts)
    found.problems += files.problems
    if not _has_error(found, "dataset.train_data_dir", "dataset.more_pictures"):
        _examine_pictures(found, found.settings)
    found.prompts = files.prompts
    return found


def look_into_files(settings: TrainSettings) -> FilesLook:
    """Return what is in the model, the prompt file and the state that are there.

    That they are there is for the rules to say. Reads headers and one short file.
    """
    absent = {problem.path for problem in check_places(settings)}
    found = FilesLook()
    if _MODEL not in absent:
        _look_at_model(found, settings)
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


def finding_problem(finding: Finding, *, setting: str) -> Problem:
    """Return what an audit found as a problem of the setting that led to it."""
    is_picture = finding.path.suffix.lower() in FORMAT_OF_EXTENSION  # else it is a folder
    return Problem(
        setting,
        finding.severity,
        finding.message,
        Suggestion(finding.suggestion) if finding.suggestion else None,
        picture=str(finding.path) if is_picture else "",
        kind=DatasetError,
    )


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
    facts = {"family": report.kind.value, "prediction_type": report.prediction_type}
    found.facts = {name: fact for name, fact in facts.items() if fact is not None}


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
            finding_problem(finding, setting=_setting_of(finding.path, pictures))
            for finding in found.audit.findings
        ]
        if not found.audit.errors:
            length = pace(pictures.train_batch_size, settings.optimizer)
            found.plan = make_plan(found.index, found.audit.sizes, bucketing, length)
            found.problems += _plan_problems(found.plan)
    except TrainerError as error:
        place = Path(error.picture or str(error.message.values.get("path", "")))
        found.problems.append(Problem.of(error, setting=_setting_of(place, pictures)))


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


def _read_prompts(found: FilesLook, settings: TrainSettings) -> None:
    path = settings.sampling.sample_prompts
    if path is None:
        return
    try:
        found.prompts = load_prompts(path)
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
