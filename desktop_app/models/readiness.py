"""Whether a run can start now, and if not, why."""

from __future__ import annotations

from enum import Enum

from desktop_app.models.problems_model import ProblemsModel
from trainer_core.settings.problems import Severity
from trainer_core.texts import T


class Readiness(Enum):
    """The answers, with what is said beside a Start that cannot be pressed."""

    READY = ""
    LOOKING = T("App", "Still looking at the pictures and files…")
    ERRORS = T("App", "Start is possible once the errors are fixed.")
    INCOMPLETE = T("App", "Something is still to choose.")

    @property
    def words(self) -> str:
        """Why it cannot start, as a template; empty if it can."""
        return self.value

    @property
    def role(self) -> str:
        """How the words are drawn."""
        return "error" if self is Readiness.ERRORS else "dim"


def readiness(problems: ProblemsModel, *, is_looking: bool) -> Readiness:
    """Tell whether a run can start; errors that are known come before what is still looked at."""
    if problems.count(Severity.ERROR):
        return Readiness.ERRORS
    if problems.missing:
        return Readiness.INCOMPLETE
    return Readiness.LOOKING if is_looking else Readiness.READY
