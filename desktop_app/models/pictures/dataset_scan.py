"""One look at the pictures, and the full check that follows; plain functions for a thread."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from desktop_app.background import Job
from desktop_app.models.pictures.picture_row import PictureRow, picture_rows
from trainer_core.dataset.audit import Audit, Finding, decode_fully, quick_audit
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.index import DatasetIndex, Root, build_index
from trainer_core.dataset.plan import Pace, Plan, make_plan
from trainer_core.errors import DatasetError, SettingsError
from trainer_core.preflight import bucket_rules, finding_problem, pace
from trainer_core.settings.problems import Problem
from trainer_core.settings.schema import TrainSettings
from trainer_core.texts import T

_REPORT_INTERVAL_S = 0.1


@dataclass(frozen=True, slots=True)
class Request:
    """The settings that decide what a scan finds.

    Attributes:
        folder: The picture folder, if there is one.
        more: Further folders and single pictures.
    """

    folder: Path | None
    more: tuple[Path, ...]
    repeats: int
    caption_extension: str
    rules: BucketRules | None  # None while the settings contradict each other
    resolution: tuple[int, int]
    pace: Pace

    @classmethod
    def of(cls, settings: TrainSettings) -> Request | None:
        """Return what ``settings`` ask for, None if they name no pictures."""
        pictures = settings.dataset
        if pictures.train_data_dir is None and not pictures.more_pictures:
            return None
        try:
            rules = bucket_rules(pictures)
        except SettingsError:
            rules = None
        return cls(
            pictures.train_data_dir,
            pictures.more_pictures,
            pictures.dataset_repeats,
            pictures.caption_extension,
            rules,
            pictures.resolution,
            pace(pictures.train_batch_size, settings.optimizer),
        )

    @property
    def places(self) -> tuple[Path, ...]:
        """Everything that was asked for."""
        return (*([] if self.folder is None else [self.folder]), *self.more)

    def sees_like(self, other: Request) -> bool:
        """Tell whether the other request differs in nothing but the pace."""
        return replace(self, pace=other.pace) == other


@dataclass(frozen=True, slots=True)
class Scan:
    """What one look at the pictures found.

    Attributes:
        request: What was asked.
        index: The pictures; none if no place can be read.
        audit: What is wrong with them, their sizes and captions; None likewise.
        plan: What a run would do with the usable ones; None if nothing can be planned.
        rows: Every picture with what is known of it.
        failure: Why nothing can be read.
    """

    request: Request
    index: DatasetIndex
    audit: Audit | None = None
    plan: Plan | None = None
    rows: tuple[PictureRow, ...] = ()
    failure: DatasetError | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A picture that was decoded whole, as the file was then, and what came of it."""

    path: Path
    stamp: tuple[int, int]
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """How far the full check is, with what it did since the last report."""

    done: int
    total: int
    checked: tuple[Checked, ...]


def look(request: Request, known: Scan | None = None) -> Scan:
    """Scan the places; of ``known``, if it saw the same, only the plan is made anew."""
    if known is not None and known.audit is not None and request.sees_like(known.request):
        return replace(known, request=request, plan=_plan(request, known.index, known.audit))
    # Contradicting limits hide the plan, not the pictures.
    rules = request.rules or BucketRules(request.resolution, enable_bucket=False)
    try:
        index = build_index(request.folder, request.more, plain_repeats=request.repeats)
    except DatasetError as error:
        return _nothing(request, error)
    audit = quick_audit(index, rules=rules, caption_extension=request.caption_extension)
    plan = _plan(request, index, audit)
    return Scan(request, index, audit, plan, picture_rows(index, audit, plan))


def broken_off(request: Request) -> Scan:
    """Return what is known after a look that met with a defect of this program."""
    message = T("App", "The pictures could not be looked at: a defect in this program.")
    hint = T("App", "Please report it, with what the program wrote to the terminal.")
    return _nothing(request, DatasetError(message, hint))


def _nothing(request: Request, error: DatasetError) -> Scan:
    roots = tuple(Root(place, failure=error) for place in request.places)
    return Scan(request, DatasetIndex(roots), failure=error)


def place_problems(scan: Scan | None) -> list[Problem]:
    """Return what keeps a whole place from being trained; what is wrong in it are findings."""
    if scan is None:
        return []
    settings = {
        root.path: "dataset.train_data_dir"
        if root.path == scan.request.folder
        else "dataset.more_pictures"
        for root in scan.index.roots
    }
    findings = () if scan.audit is None else scan.audit.errors
    return [
        *(
            Problem.of(root.failure, setting=settings[root.path])
            for root in scan.index.roots
            if root.failure is not None
        ),
        *(
            finding_problem(finding, setting=settings[finding.path])
            for finding in findings
            if finding.path in settings
        ),
    ]


def _plan(request: Request, index: DatasetIndex, audit: Audit) -> Plan | None:
    usable = index.without(audit.unusable)
    if request.rules is None or not usable.concepts:
        return None
    return make_plan(usable, audit.sizes, request.rules, request.pace)


def check_fully(job: Job, paths: Iterable[Path], known: Mapping[Path, Checked]) -> None:
    """Decode every picture that was not checked as it is now, and report on the way."""
    stamps = {path: _stamp(path) for path in paths}
    new = [path for path in stamps if path not in known or known[path].stamp != stamps[path]]
    reported_at = time.monotonic()
    checked: list[Checked] = []
    for done, path in enumerate(new, start=1):
        if job.is_cancelled:
            return
        checked.append(Checked(path, stamps[path], decode_fully(path)))
        if done == len(new) or time.monotonic() - reported_at > _REPORT_INTERVAL_S:
            job.report(CheckProgress(done, len(new), tuple(checked)))
            checked, reported_at = [], time.monotonic()


def _stamp(path: Path) -> tuple[int, int]:
    """Return size and time of the last change; zeros if the file is gone."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
