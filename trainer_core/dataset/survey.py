"""The one look at a run's pictures: what is there, what is wrong with it, what a run will do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

from trainer_core.dataset.audit import Audit, quick_audit
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.description.balance import balance_problems, balanced
from trainer_core.dataset.description.subsets import described_subsets
from trainer_core.dataset.findings import Finding
from trainer_core.dataset.index import DatasetIndex, Root, index_subsets
from trainer_core.dataset.listing import Reading, natural_key, read_by_nobody
from trainer_core.dataset.overrides import (
    leave_out,
    left_out_notice,
    unmatched_problems,
    with_repeats,
)
from trainer_core.dataset.plan import Pace, Plan, make_plan
from trainer_core.dataset.processing.timing import timing_problems
from trainer_core.dataset.subsets import (
    IN_JSON,
    TRAIN_DATA_DIR,
    CaptionRules,
    PictureRules,
    SampleSettings,
    SettingsBySubset,
    Subset,
    settings_by_subset,
)
from trainer_core.dataset.validation.problems import (
    empty_folder,
    leaves_nothing,
    split_problems,
)
from trainer_core.dataset.validation.split import (
    FOLDER,
    HeldOut,
    HoldOut,
    hold_out,
    look_at_held_out,
    validation_settings,
)
from trainer_core.environment.launch import process_count
from trainer_core.errors import DatasetError, SettingsError
from trainer_core.settings.buckets import BucketSettings
from trainer_core.settings.optimizer import OptimizerSettings
from trainer_core.settings.picture_kinds import FORMAT_OF_EXTENSION
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import TrainSettings
from trainer_core.texts import T, text

_SKIPPED = "buckets.skip_image_resolution"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyRequest:
    """The settings that decide what a survey finds.

    Attributes:
        subsets: The places with pictures; one subset at least.
        run: The settings of subsets that have no others.
        pace: What decides the length of the run.
        left_out: Pictures of the places that are not trained.
        folder_repeats: How often some folders are shown, as the settings have it.
        contradiction: Why the bucket settings cannot be used: there is no plan then.
        hold_out: Which pictures are for validation.
    """

    subsets: tuple[Subset, ...]
    run: SampleSettings
    pace: Pace
    left_out: tuple[Path, ...] = ()
    folder_repeats: tuple[str, ...] = ()
    contradiction: Problem | None = None
    hold_out: HoldOut | None = None

    @classmethod
    def of(cls, settings: TrainSettings) -> SurveyRequest | None:
        """Return what ``settings`` ask for, None if they name no pictures."""
        pictures = settings.dataset
        subsets = described_subsets(pictures, process_count())
        if not subsets:
            return None
        contradiction = None
        try:
            rules = bucket_rules(settings.buckets)
        except SettingsError as error:
            # Contradicting limits hide the plan, not the pictures.
            rules = BucketRules(settings.buckets.resolution, enable_bucket=False)
            contradiction = Problem.of(error, setting="buckets.resolution")
        run = SampleSettings(
            rules=rules,
            captions=CaptionRules.of(settings.captions),
            pictures=PictureRules.of(settings.augmentation, settings.buckets),
            dataset_repeats=pictures.dataset_repeats,
        )
        subsets, of_subset = _possible(subsets, run)
        contradiction = contradiction or of_subset
        length = pace(pictures.train_batch_size * process_count(), settings.optimizer)
        return cls(
            subsets=subsets,
            run=run,
            pace=length,
            left_out=pictures.left_out,
            folder_repeats=pictures.folder_repeats,
            contradiction=contradiction,
            hold_out=HoldOut.of(settings.validation),
        )

    @property
    def places(self) -> tuple[Path, ...]:
        """Everything that was asked for."""
        return tuple(place for subset in self.subsets for place in subset.places)

    @property
    def settings(self) -> SettingsBySubset:
        """The settings that act for each subset."""
        return settings_by_subset(self.subsets, self.run)

    def setting_of(self, path: Path) -> str:
        """Return the setting that led to a picture or folder: of several the nearest one's."""
        first, *others = self.subsets
        is_alone = not others and not first.more and first.folder is not None
        near = [found for each in self.subsets if (found := _nearness(each, path)) is not None]
        otherwise = first.setting if is_alone else first.setting_of_more
        return max(near, key=lambda found: found[0], default=(0, otherwise))[1]

    def has_same_pictures(self, other: SurveyRequest) -> bool:
        """Tell whether the other request differs in nothing but the pace."""
        return replace(self, pace=other.pace) == other


def _nearness(subset: Subset, path: Path) -> tuple[int, str] | None:
    """Return how deep in the file system the place is by which a subset leads to a path.

    With it comes the setting that names the place; None where there is none.
    """
    folder, more = subset.folder, [place for place in subset.more if path.is_relative_to(place)]
    if path == subset.metadata:
        is_of_run = subset.setting == TRAIN_DATA_DIR
        return len(path.parts), IN_JSON if is_of_run else subset.setting
    if folder is not None and path.is_relative_to(folder):
        return len(folder.parts), subset.setting
    return (len(more[0].parts), subset.setting_of_more) if more else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What one look at the pictures found.

    Attributes:
        request: What was asked.
        index: The pictures; none if no place can be read.
        audit: What is wrong with them, their sizes and captions; None likewise.
        plan: What a run would do with the usable ones; None if nothing can be planned.
        unmatched: What is wrong with the entries that say otherwise than the folders.
        failure: Why nothing can be read.
        held_out: The pictures for validation, which are in nothing of the above; None if there is
            to be none.
    """

    request: SurveyRequest
    index: DatasetIndex
    audit: Audit | None = None
    plan: Plan | None = None
    unmatched: tuple[Problem, ...] = ()
    failure: DatasetError | None = None
    held_out: HeldOut | None = None

    @property
    def problems(self) -> list[Problem]:
        """Everything that is wrong, by the setting that led to it."""
        if self.failure is not None:
            path = Path(self.failure.picture or str(self.failure.message.values.get("path", "")))
            return [Problem.of(self.failure, setting=self.request.setting_of(path))]
        found = self._failed_places()
        found += left_out_notice(self.index)
        found += self._skipped()
        found += self.unmatched
        found += balance_problems(self.index, self.request.settings, self.request.subsets)
        if self.audit is not None:
            found += [
                self._of_finding(f, self.request.setting_of(f.path))
                for f in self._of_places(self.audit.findings)
            ]
        if self.request.contradiction is not None:
            found.append(self.request.contradiction)
        if self.held_out is not None:
            known = {str(each.message) for each in found}  # a folder is told of once
            of_held_out = self._held_out_problems(self.held_out)
            found += [each for each in of_held_out if str(each.message) not in known]
        if self.plan is not None and all(each.severity is not Severity.ERROR for each in found):
            found += _plan_problems(self.plan)
            found += timing_problems(self.request.run.captions, self.plan)
        return found

    def _skipped(self) -> Iterator[Problem]:
        """Tell of pictures that are too small to be trained."""
        count = 0 if self.audit is None else len(self.audit.skipped)
        if not count:
            return
        if self.index.concepts:
            template = T(
                "Problems",
                "{count} [count:picture is|pictures are] skipped: no more pixels than asked for.",
            )
            yield Problem(_SKIPPED, Severity.NOTICE, text(template, count=count))
            return
        message = text(T("Problems", "All pictures are skipped: they are too small."))
        hint = Suggestion(text(T("Problems", "Skip none.")), {_SKIPPED: None})
        yield Problem(_SKIPPED, Severity.ERROR, message, hint)

    @property
    def place_problems(self) -> list[Problem]:
        """What is wrong with places and with what is left out of them; the rest are findings."""
        places = {root.path for root in self.index.roots}
        errors = () if self.audit is None else self.audit.errors
        whole = [
            self._of_finding(each, self.request.setting_of(each.path))
            for each in self._of_places(errors)
            if each.path in places
        ]
        if self.held_out is not None:
            whole += split_problems(self.index, self.held_out)
            empty = empty_folder(self.held_out, self._validation_folder)
            whole += [self._of_finding(each, FOLDER) for each in empty]
        balance = balance_problems(self.index, self.request.settings, self.request.subsets)
        return [*self._failed_places(), *whole, *self.unmatched, *balance]

    def _failed_places(self) -> list[Problem]:
        return [
            Problem.of(root.failure, setting=self._setting_of_root(root))
            for root in self.index.roots
            if root.failure is not None
        ]

    def _held_out_problems(self, held_out: HeldOut) -> Iterator[Problem]:
        yield from split_problems(self.index, held_out)
        for found in held_out.audit.findings:
            folder = self._validation_folder
            is_own = folder is not None and found.path.is_relative_to(folder)
            yield self._of_finding(found, FOLDER if is_own else self.request.setting_of(found.path))

    @property
    def _validation_folder(self) -> Path | None:
        return None if self.request.hold_out is None else self.request.hold_out.folder

    def _of_places(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Yield findings, but that there is nothing in places whose pictures are all held out."""
        places = {root.path for root in self.index.roots}
        is_explained = leaves_nothing(self.index, self.held_out)
        for found in findings:
            if not (is_explained and found.path in places and found.severity is Severity.ERROR):
                yield found

    @staticmethod
    def _of_finding(found: Finding, setting: str) -> Problem:
        is_picture = found.path.suffix.lower() in FORMAT_OF_EXTENSION  # else it is a folder
        return Problem(
            setting,
            found.severity,
            found.message,
            Suggestion(found.suggestion, found.changes) if found.suggestion else None,
            picture=str(found.path) if is_picture else "",
            kind=DatasetError,
        )

    def _setting_of_root(self, root: Root) -> str:
        subset = next(each for each in self.request.subsets if each.number == root.subset)
        if subset.setting == TRAIN_DATA_DIR and root.path == subset.metadata:
            return IN_JSON
        return subset.setting if root.path == subset.folder else subset.setting_of_more


def take_survey(
    request: SurveyRequest, known: Survey | None = None, reading: Reading = read_by_nobody
) -> Survey:
    """Look at the places; of ``known``, if it saw the same, only the plan is made anew.

    ``reading`` is told of every file and folder before it is looked at.
    """
    if known is not None and known.audit is not None and request.has_same_pictures(known.request):
        return replace(known, request=request, plan=_plan(request, known.index, known.audit))
    settings = request.settings
    repeats = {number: each.dataset_repeats for number, each in settings.items()}
    try:
        index = index_subsets(request.subsets, repeats, reading)
        index = leave_out(index, request.left_out, reading)
        index = with_repeats(index, request.folder_repeats)
        index, held_out = _split(request, index, reading)
        index = balanced(index, settings)
    except DatasetError as error:
        return failed_survey(request, error)
    beside = () if held_out is None else held_out.index.pictures
    audit = _in_order(quick_audit(index, settings, reading, beside))
    if audit.skipped:  # regularisation pictures are matched to what is left
        index = balanced(index.without(audit.skipped), settings)
    unmatched = unmatched_problems(index, request.left_out, request.folder_repeats, reading)
    return Survey(
        request=request,
        index=index,
        audit=audit,
        plan=_plan(request, index, audit),
        unmatched=tuple(unmatched),
        held_out=held_out,
    )


def _split(
    request: SurveyRequest, index: DatasetIndex, reading: Reading
) -> tuple[DatasetIndex, HeldOut | None]:
    """Return what is left for training, and what is held out for validation."""
    if request.hold_out is None:
        return index, None
    rest, held_out = hold_out(index, request.hold_out, request.settings, reading)
    settings = validation_settings(request.settings, request.run)
    trained = (*rest.pictures, *rest.left_out)
    found = look_at_held_out(held_out, settings, request.pace, reading, trained)
    is_split = any(not root.is_whole for root in held_out.roots)
    return rest, replace(found, is_short=request.hold_out.share > 0 and not is_split)


def _in_order(audit: Audit) -> Audit:
    """Return the audit with its findings as people read lists: p1, p2, p10."""
    findings = sorted(audit.findings, key=lambda found: natural_key(str(found.path)))
    return replace(audit, findings=tuple(findings))


def failed_survey(request: SurveyRequest, error: DatasetError) -> Survey:
    """Return what is known where no place could be read."""
    roots = tuple(
        Root(place, failure=error, subset=subset.number)
        for subset in request.subsets
        for place in subset.places
    )
    return Survey(request=request, index=DatasetIndex(roots), failure=error)


def _possible(
    subsets: tuple[Subset, ...], run: SampleSettings
) -> tuple[tuple[Subset, ...], Problem | None]:
    """Return the subsets without sizes that contradict one another, and what the first says."""
    problem, possible = None, []
    for subset in subsets:
        try:
            run.having(**subset.own)
            possible.append(subset)
        except SettingsError as error:
            problem = problem or replace(Problem.of(error), path=subset.setting)
            possible.append(replace(subset, own={"rules": run.rules, **_but_sizes(subset)}))
    return tuple(possible), problem


def _but_sizes(subset: Subset) -> dict[str, object]:
    sizes = {each.name for each in fields(BucketRules)}
    return {name: value for name, value in subset.own.items() if name not in sizes}


def _plan(request: SurveyRequest, index: DatasetIndex, audit: Audit) -> Plan | None:
    usable = balanced(index.without(audit.unusable), request.settings)
    if request.contradiction is not None or not usable.trained:
        return None
    return make_plan(usable, audit.sizes, request.settings, request.pace)


def bucket_rules(buckets: BucketSettings) -> BucketRules:
    """Return the bucket rules that the settings ask for.

    Raises:
        SettingsError: The limits contradict the resolution.
    """
    return BucketRules(
        resolution=buckets.resolution,
        enable_bucket=buckets.enable_bucket,
        min_bucket_reso=buckets.min_bucket_reso,
        max_bucket_reso=buckets.max_bucket_reso,
        bucket_reso_steps=buckets.bucket_reso_steps,
        bucket_no_upscale=buckets.bucket_no_upscale,
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


def _plan_problems(plan: Plan) -> Iterator[Problem]:
    if plan.warmup_steps > plan.total_steps:
        message = text(
            T(
                "Problems",
                "The warm-up of {warmup} [warmup:step|steps] is longer than the run of {total} "
                "[total:step|steps].",
            ),
            warmup=plan.warmup_steps,
            total=plan.total_steps,
        )
        hint = text(T("Problems", "Use the percentage instead."))
        way_out = Suggestion(hint, {"optimizer.lr_warmup_steps": "unset"})
        yield Problem("optimizer.lr_warmup_steps", Severity.WARNING, message, way_out)
