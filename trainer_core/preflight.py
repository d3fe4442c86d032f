"""Everything that can be said of a run before a model is loaded: every problem, and the plan."""

from __future__ import annotations

import contextlib
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trainer_core.catalogue.entry import missing_packages
from trainer_core.catalogue.families import FAMILIES, TRAINABLE
from trainer_core.catalogue.predictions import switch_of
from trainer_core.dataset.audit import Audit
from trainer_core.dataset.index import DatasetIndex
from trainer_core.dataset.plan import Plan
from trainer_core.dataset.subsets import (
    IN_JSON,
    MASK_FOLDER,
    MORE_PICTURES,
    REG_DATA_DIR,
    SUBSETS,
    TRAIN_DATA_DIR,
)
from trainer_core.dataset.survey import Survey, SurveyRequest, take_survey
from trainer_core.dataset.validation.split import FOLDER, HeldOut
from trainer_core.disk_space.needs import BASE_OUTLINE, STARTING_SHAPES, needs
from trainer_core.disk_space.room import demands, space_problems, without_present
from trainer_core.errors import (
    DatasetError,
    ModelFileError,
    SettingsError,
    StateError,
    TrainerError,
)
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.state_manifest import looks_damaged, state_step
from trainer_core.model_files.base_outline import base_outline, starting_shapes
from trainer_core.model_files.recognise import inspect_model, require_base_model
from trainer_core.model_files.separate_vae import VAE_SETTING, open_separate_vae
from trainer_core.model_files.starting_weights import alphas_by_part
from trainer_core.model_files.stated_noise import StatedNoise
from trainer_core.prompts.file import PromptFile, SamplePrompt, load_prompts, prompts_of_lines
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.rules.adapter import STARTING_ALPHAS
from trainer_core.settings.rules.check import check
from trainer_core.settings.rules.model import (
    PREDICTION,
    PREDICTION_BY,
    ZERO_SNR,
    ZERO_SNR_BY,
)
from trainer_core.settings.rules.places import check_places
from trainer_core.settings.schema import TRAIN, Facts, TrainSettings
from trainer_core.settings.token_lengths import more_tokens
from trainer_core.texts import T, text
from trainer_core.tokens.clip import is_table_read
from trainer_core.tokens.prompt_weights import count_read_tokens, read_weights

_MODEL = "model.pretrained_model_name_or_path"
_PROMPTS, _LIST = "sampling.sample_prompts", "sampling.prompt_list"
_STATE = "output.resume"
_WEIGHTS = "adapter.network_weights"
_OUTPUT = "output.output_dir"

PROMPT_FILE = "prompt_file"
"""The name of a fact: what the prompt file asks for."""


@dataclass(slots=True)
class Preflight:
    """What was found; a later part is None where an earlier error hides it."""

    problems: list[Problem] = field(default_factory=list)
    facts: Facts = field(default_factory=dict)
    settings: TrainSettings | None = None
    survey: Survey | None = None
    prompts: PromptFile | None = None  # those of the settings and of their file

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
    def held_out(self) -> HeldOut | None:
        """The pictures for validation; None if there is to be none."""
        return None if self.survey is None else self.survey.held_out

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
            says so, of its noise (`noise_facts`); the `STARTING_ALPHAS`; and, to know how large
            files become, the `BASE_OUTLINE` and the `STARTING_SHAPES`; the `PROMPT_FILE`.
        prompts: What the prompt file asks for; None if there is none that can be read.
    """

    problems: list[Problem] = field(default_factory=list)
    facts: Facts = field(default_factory=dict)
    prompts: PromptFile | None = None


def examine(raw: Mapping[str, Any], *, goes_on: bool = False) -> Preflight:
    """Check a raw document with absolute paths and everything it names, without torch.

    For the Python that trains: what it has installed is checked too.

    Args:
        raw: The document.
        goes_on: Whether the run goes on from what is there of it, beside where its state says so.
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
    found.problems += prompt_problems(found.settings)
    found.problems += long_prompts(found.settings, found.facts)
    found.problems += wrong_weights(found.settings, found.facts)
    places = (TRAIN_DATA_DIR, MORE_PICTURES, REG_DATA_DIR, SUBSETS, IN_JSON, MASK_FOLDER)
    if not _has_error(found, *places):
        _examine_pictures(found, found.settings)
    found.prompts = all_prompts(found.settings, files.prompts)
    found.problems += _lacking_space(found, found.settings, goes_on=goes_on)
    return found


def _lacking_space(found: Preflight, settings: TrainSettings, *, goes_on: bool) -> list[Problem]:
    """Return what is said of disks that have too little room for the run."""
    if found.plan is None or _has_error(found, _OUTPUT):
        return []
    prompts = () if found.prompts is None else found.prompts.prompts
    needed = needs(settings, found.facts, found.survey, prompts)
    output = settings.output
    if output.output_dir is not None and (goes_on or output.resume is not None):
        needed = without_present(needed, RunFolder(output.output_dir, output.output_name))
    return space_problems(demands(needed))


def known_problems(settings: TrainSettings, facts: Facts) -> list[Problem]:
    """Return what can be said without a look at the disk: of settings and of listed prompts.

    Tokens are counted only where that takes no more than a blink.
    """
    long = long_prompts(settings, facts) if is_table_read() else ()
    wrong = wrong_weights(settings, facts)
    return [*check(settings, facts), *prompt_problems(settings), *long, *wrong]


def prompt_problems(settings: TrainSettings) -> list[Problem]:
    """Return what in the listed prompts is not understood or has no effect."""
    found = _listed_prompts(settings)
    return [Problem(_LIST, Severity.WARNING, message) for message in found.problems]


def _listed_prompts(settings: TrainSettings) -> PromptFile:
    sampling = settings.sampling
    return prompts_of_lines(sampling.prompt_list, max_side_px=sampling.sample_max_side)


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
    if VAE_SETTING not in absent:
        _look_at_vae(found, settings)
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
        family = settings.model.family
        require_base_model(report, [family] if family in TRAINABLE else TRAINABLE)
        found.facts = {**found.facts, "family": report.kind, **noise_facts(report.noise)}
        outline = base_outline(path, FAMILIES[report.kind])
        found.facts = {**found.facts, **({} if outline is None else {BASE_OUTLINE: outline})}
    except TrainerError as error:
        found.problems.append(Problem.of(error, setting=_MODEL))


def _look_at_vae(found: FilesLook, settings: TrainSettings) -> None:
    if settings.model.vae is not None:
        try:
            open_separate_vae(settings.model.vae)
        except TrainerError as error:
            found.problems.append(Problem.of(error, setting=VAE_SETTING))


def noise_facts(noise: StatedNoise) -> Facts:
    """Return what a model's files say of its noise, for the rules and what "auto" comes to."""
    facts: dict[str, object] = {}
    if noise.prediction is not None:
        stated, by = noise.prediction
        facts |= {PREDICTION: stated, PREDICTION_BY: by, "v_parameterization": switch_of(stated)}
    if noise.zero_snr is not None:
        facts |= {ZERO_SNR: noise.zero_snr.value, ZERO_SNR_BY: noise.zero_snr.by}
    return facts


def _look_at_starting_weights(found: FilesLook, settings: TrainSettings) -> None:
    """Note their alphas and shapes; what is wrong with the file is told by the kind of adapter."""
    path = settings.adapter.network_weights
    if path is not None:
        with contextlib.suppress(ModelFileError):
            read = {STARTING_ALPHAS: alphas_by_part(path), STARTING_SHAPES: starting_shapes(path)}
            found.facts = {**found.facts, **read}


def _examine_pictures(found: Preflight, settings: TrainSettings) -> None:
    if _has_error(
        found, "buckets.min_bucket_reso", "buckets.max_bucket_reso", "buckets.bucket_reso_steps"
    ):
        return
    request = SurveyRequest.of(settings)
    if request is not None:
        found.survey = take_survey(request)
        of_pictures = found.survey.problems
        if _has_error(found, FOLDER):  # that it is not there was told already
            of_pictures = [each for each in of_pictures if each.path != FOLDER]
        found.problems += of_pictures


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
    found.facts = {**found.facts, PROMPT_FILE: found.prompts}
    found.problems += [
        Problem(_PROMPTS, Severity.WARNING, message) for message in found.prompts.problems
    ]
    for prompt in found.prompts.prompts:  # remembered: what is asked in the app's window is quick
        _tokens_of(prompt)


def long_prompts(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Yield the prompts, of the list and of the file, whose end is not read."""
    captions = settings.captions
    for path, number, prompt in _numbered_prompts(settings, facts):
        count = _tokens_of(prompt, is_weighted=captions.weighted_captions)
        if count > captions.max_token_length:
            template = T(
                "Problems",
                "Prompt {number} has {count} tokens; only the first {limit} are read.",
            )
            message = text(template, number=number, count=count, limit=captions.max_token_length)
            yield Problem(path, Severity.WARNING, message, more_tokens(count))


def wrong_weights(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Yield what has a weight that is no number: prompts of list and file, prefix and suffix."""
    captions = settings.captions
    if not captions.weighted_captions:
        return
    try:  # as one text: brackets may begin before the caption and end after it
        read_weights(" ".join(filter(None, (captions.caption_prefix, captions.caption_suffix))))
    except DatasetError as error:
        name = "caption_suffix" if captions.caption_suffix else "caption_prefix"
        yield replace(Problem.of(error, setting=f"captions.{name}"), kind=SettingsError)
    for path, number, prompt in _numbered_prompts(settings, facts):
        try:
            for words in (prompt.prompt, prompt.negative_prompt):
                read_weights(words)
        except DatasetError as error:
            template = T("Problems", "In prompt {number} the weight {weight} is no number: {piece}")
            message = text(template, number=number, **error.message.values)
            hint = None if error.hint is None else Suggestion(error.hint)
            yield Problem(path, Severity.ERROR, message, hint)


def _numbered_prompts(
    settings: TrainSettings, facts: Facts
) -> Iterator[tuple[str, int, SamplePrompt]]:
    """Yield each prompt of list and file, with the setting it is from and its number there."""
    of_file = facts.get(PROMPT_FILE)
    files = {_LIST: _listed_prompts(settings), _PROMPTS: of_file}
    for path, file in files.items():
        prompts = file.prompts if isinstance(file, PromptFile) else ()
        for number, prompt in enumerate(prompts, start=1):
            yield path, number, prompt


def _tokens_of(prompt: SamplePrompt, *, is_weighted: bool = False) -> int:
    """Return how many tokens a prompt has, or its negative one if that has more."""
    words = (prompt.prompt, prompt.negative_prompt)
    return max(count_read_tokens(each, is_weighted=is_weighted) for each in words)


def all_prompts(settings: TrainSettings, of_file: PromptFile | None) -> PromptFile:
    """Return what is drawn: the listed prompts, then those of the file."""
    listed = _listed_prompts(settings)
    if of_file is None:
        return listed
    return PromptFile((*listed.prompts, *of_file.prompts), (*listed.problems, *of_file.problems))


def _state_problems(settings: TrainSettings) -> list[Problem]:
    state = settings.output.resume
    if state is None or state_step(state) >= 0:
        return []
    message = text(T("Problems", "{path} holds no complete state."), path=state)
    hint = Suggestion(text(T("Problems", "Choose a folder whose name ends in -state.")))
    if looks_damaged(state):
        message = text(T("Problems", "The state {path} is damaged."), path=state)
        hint = Suggestion(text(T("Problems", "Choose an older state beside it.")))
    return [Problem(_STATE, Severity.ERROR, message, hint, kind=StateError)]
