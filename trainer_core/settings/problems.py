"""What is wrong with a set of values, where, and the change that would mend it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from trainer_core.texts import Text


class Severity(StrEnum):
    """How much a problem matters."""

    ERROR = "error"  # the run cannot start
    WARNING = "warning"  # it will start, but probably not as wanted
    NOTICE = "notice"  # a value that has no effect here


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A way out: a sentence, and the raw values (by ``section.name``) that apply it, if any.

    A value of None in ``changes`` removes the key from the raw document.
    """

    message: Text
    changes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding, bound to a setting (``section.name``), a section, or "" for the whole file."""

    path: str
    severity: Severity
    message: Text
    suggestion: Suggestion | None = None
