"""What is wrong with a set of values, where, and the change that would mend it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from trainer_core.errors import SettingsError, TrainerError
from trainer_core.texts import T, Text, text


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
    """One finding, bound to a setting (``section.name``), a section, or "" for the whole file.

    Attributes:
        other_ways: Further ways out, each as good as the suggestion.
        is_missing: Whether something that every run needs is not chosen yet.
        picture: Path of the picture that it is about, empty if there is none.
        kind: What a run that starts nevertheless ends with.
    """

    path: str
    severity: Severity
    message: Text
    suggestion: Suggestion | None = None
    other_ways: tuple[Suggestion, ...] = field(default=(), kw_only=True)
    is_missing: bool = field(default=False, kw_only=True)
    picture: str = field(default="", kw_only=True)
    kind: type[TrainerError] = field(default=SettingsError, kw_only=True)

    @classmethod
    def of(cls, error: TrainerError, *, setting: str = "") -> Problem:
        """Return what an error says, as a problem.

        Args:
            error: What was raised.
            setting: The setting that it is about if the error does not name one itself.
        """
        hint = None if error.hint is None else Suggestion(error.hint)
        place = error.setting or setting
        return cls(
            place, Severity.ERROR, error.message, hint, picture=error.picture, kind=type(error)
        )

    @property
    def ways_out(self) -> tuple[Suggestion, ...]:
        """All ways out, the first one first."""
        return () if self.suggestion is None else (self.suggestion, *self.other_ways)

    def as_error(self) -> TrainerError:
        """Return the error that ends a run which cannot start because of this."""
        hint = None if self.suggestion is None else self.suggestion.message
        return self.kind.in_words(self.message, hint, setting=self.path, picture=self.picture)


def better_value(path: str, value: object, message: Text) -> Problem:
    """Return the problem of a setting that is mended by another value."""
    hint = Suggestion(text(T("Problems", "Use {value}."), value=value), {path: value})
    return Problem(path, Severity.ERROR, message, hint)
