"""One look at the pictures, and the full check that follows; plain functions for a thread."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from desktop_app.background import Job
from desktop_app.models.pictures.picture_row import PictureRow, picture_rows, with_moments
from trainer_core.dataset.audit import Audit, decode_fully
from trainer_core.dataset.findings import Finding
from trainer_core.dataset.index import DatasetIndex
from trainer_core.dataset.plan import Plan
from trainer_core.dataset.subsets import MASK_FOLDER
from trainer_core.dataset.survey import Survey, SurveyRequest, failed_survey, take_survey
from trainer_core.errors import DatasetError
from trainer_core.settings.problems import Problem
from trainer_core.settings.rules.places import not_answering
from trainer_core.settings.schema import TRAIN
from trainer_core.texts import T

_REPORT_INTERVAL_S = 0.1


@dataclass(frozen=True, slots=True)
class Scan:
    """What one look at the pictures found: the survey, and a row for every picture of it."""

    survey: Survey
    rows: tuple[PictureRow, ...] = ()

    @property
    def request(self) -> SurveyRequest:
        """What was asked."""
        return self.survey.request

    @property
    def index(self) -> DatasetIndex:
        """The pictures; none if no place can be read."""
        return self.survey.index

    @property
    def audit(self) -> Audit | None:
        """What is wrong with them, their sizes and captions; None if no place can be read."""
        return self.survey.audit

    @property
    def plan(self) -> Plan | None:
        """What a run would do with the usable ones; None if nothing can be planned."""
        return self.survey.plan

    @property
    def failure(self) -> DatasetError | None:
        """Why nothing can be read."""
        return self.survey.failure


@dataclass(frozen=True, slots=True)
class Checked:
    """A picture that was decoded whole, as the file was then, and what came of it.

    ``stamp``: size, time of the last change, and whether its transparency was its mask.
    """

    path: Path
    stamp: tuple[int, int, bool]
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """How far the full check is, with what it did since the last report."""

    done: int
    total: int
    checked: tuple[Checked, ...]


class Pulse:
    """Tells from outside whether a look goes on: what is read, and since when."""

    def __init__(self) -> None:
        self._reading: tuple[Path, float] | None = None

    def __call__(self, path: Path) -> None:
        """Take note of what is read next; in the thread that reads."""
        self._reading = path, time.monotonic()

    def rest(self) -> None:
        """Take note that nothing is read any more."""
        self._reading = None

    def hanging(self, limit_s: float) -> Path | None:
        """Return what has been read for longer than that, None if nothing was."""
        reading = self._reading
        is_late = reading is not None and time.monotonic() - reading[1] > limit_s
        return reading[0] if reading is not None and is_late else None


def look(request: SurveyRequest, known: Scan | None = None, pulse: Pulse | None = None) -> Scan:
    """Scan the places; of ``known``, if it saw the same, only the plan is made anew."""
    pulse = pulse or Pulse()
    survey = take_survey(request, None if known is None else known.survey, pulse)
    pulse.rest()
    if known is not None and survey.audit is known.audit is not None:
        return replace(known, survey=survey, rows=with_moments(known.rows, survey.plan))
    if survey.audit is None:
        return Scan(survey)
    return Scan(survey, picture_rows(survey, survey.audit))


def broken_off(request: SurveyRequest) -> Scan:
    """Return what is known after a look that met with a defect of this program."""
    message = T("App", "The pictures could not be looked at: a defect in this program.")
    hint = T("App", "Please report it, with what the program wrote to the terminal.")
    return Scan(failed_survey(request, DatasetError(message, hint)))


def place_problems(scan: Scan | None) -> list[Problem]:
    """Return what is wrong with whole places, and with what is left out; the rest are findings."""
    return [] if scan is None else scan.survey.place_problems


def silence_problems(request: SurveyRequest, path: Path) -> list[Problem]:
    """Return the problem of a picture or folder whose reading hangs."""
    setting = request.setting_of(path)
    if any(path.is_relative_to(folder) for folder in mask_folders(request)):
        setting = MASK_FOLDER
    return [not_answering(TRAIN.params()[setting], path)]


def mask_folders(request: SurveyRequest) -> set[Path]:
    """Return the folders whose masks the pictures have."""
    folders = (settings.pictures.mask_folder for settings in request.settings.values())
    return {folder for folder in folders if folder is not None}


def check_fully(
    job: Job,
    paths: Iterable[Path],
    known: Mapping[Path, Checked],
    masked: Collection[Path] = frozenset(),
) -> None:
    """Decode every picture that was not checked as it is now, and report on the way.

    Args:
        job: Reports are given to it.
        paths: The pictures.
        known: Those that were checked before.
        masked: Those whose transparency is their mask.
    """
    stamps = {path: (*_stamp(path), path in masked) for path in paths}
    new = [path for path in stamps if path not in known or known[path].stamp != stamps[path]]
    reported_at = time.monotonic()
    checked: list[Checked] = []
    for done, path in enumerate(new, start=1):
        if job.is_cancelled:
            return
        finding = decode_fully(path, alpha_mask=path in masked)
        checked.append(Checked(path, stamps[path], finding))
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
