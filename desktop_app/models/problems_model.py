"""Everything that is wrong with settings and pictures, as one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path

from PySide6.QtCore import QObject, Qt

from desktop_app.models.row_table import Index, RowTable
from desktop_app.theme import tokens
from desktop_app.theme.icons import icon
from desktop_app.translation import place, shown, shown_offer, shown_problem
from desktop_app.words.findings import finding_words, offer, way_out
from trainer_core.dataset.findings import Finding
from trainer_core.dataset.listing import is_picture_name
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.schema import AnySchema
from trainer_core.texts import T, visible

_ORDER = (Severity.ERROR, Severity.WARNING, Severity.NOTICE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One problem as people read it, and where it leads.

    Attributes:
        path: The setting, section or "" that it belongs to; None for a finding.
        picture: The picture or folder that it belongs to; None if there is none.
        changes: Raw values that mend it; empty where only a person can.
        can_be_converted: It is a caption of the picture that is not UTF-8.
        other_changes: What mends it as well, by the words of its button.

    What mends it has a ``button``; what only people can do is a ``hint``.
    """

    severity: Severity
    message: str
    place: str
    way_out: str = ""
    path: str | None = None
    picture: Path | None = None
    changes: Mapping[str, object] = field(default_factory=dict)
    can_be_converted: bool = False
    other_changes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    @property
    def can_be_left_out(self) -> bool:
        """True if a run without the picture has the problem no more."""
        return self.picture is not None and is_picture_name(self.picture.name)

    @property
    def button(self) -> str:
        """What the button says that mends it; "" if there is none."""
        if self.changes:
            return self.way_out
        if self.can_be_converted:
            return shown(T("App", "Convert it to UTF-8…"))
        return _leave_out_words() if self.can_be_left_out else ""

    @property
    def ways(self) -> tuple[Entry, ...]:
        """The entry for each of its buttons, the best first, as if there was no other."""
        alone = replace(self, other_changes={})
        ways = [alone] if self.button else []
        for words, changes in self.other_changes.items():
            ways.append(replace(alone, way_out=words, changes=changes))
        if self.can_be_left_out and (self.changes or self.can_be_converted):
            ways.append(replace(alone, way_out="", changes={}, can_be_converted=False))
        return tuple(ways)

    @property
    def hint(self) -> str:
        """What a person can do about it; "" if the button says it."""
        return "" if self.changes or self.can_be_converted else self.way_out

    @classmethod
    def of_problem(cls, problem: Problem, schema: AnySchema) -> Entry:
        """Return the entry of a problem with the settings."""
        suggestion = problem.suggestion
        is_offer = suggestion is not None and bool(suggestion.changes)
        words = shown_offer if is_offer else shown
        return cls(
            problem.severity,
            shown_problem(problem, schema),
            place(problem.path, schema),
            "" if suggestion is None else words(suggestion.message),
            path=problem.path,
            picture=Path(problem.picture) if problem.picture else None,
            changes={} if suggestion is None else suggestion.changes,
            other_changes={
                shown_offer(other.message): other.changes
                for other in problem.other_ways
                if other.changes
            },
        )

    @classmethod
    def of_finding(cls, finding: Finding, *folders: Path) -> Entry:
        """Return the entry of a finding; its path is named from one of ``folders`` on."""
        return cls(
            finding.severity,
            finding_words(finding, *folders),
            visible(finding.path.name),
            offer(finding) if finding.changes else way_out(finding),
            picture=finding.path,
            changes=finding.changes,
            can_be_converted=finding.is_of_encoding,
        )


class Column(IntEnum):
    """The columns of the table."""

    MESSAGE = 0
    PLACE = 1
    WAY_OUT = 2


_HEADINGS: Mapping[int, str] = {
    Column.MESSAGE: T("App", "Problem"),
    Column.PLACE: T("App", "Where"),
    Column.WAY_OUT: T("App", "What to do"),
}


class ProblemsModel(RowTable):
    """A row for every problem, the worst first; words are made for the rows that are looked at."""

    def __init__(self, schema: AnySchema, parent: QObject | None = None) -> None:
        super().__init__(_HEADINGS, parent)
        self.schema = schema  # of the settings that problems are about
        self._problems: Sequence[Problem] = ()
        self._findings: Sequence[Finding] = ()
        self._folders: tuple[Path, ...] = ()
        self._rows: list[Problem | Finding] = []
        self._unusable: tuple[Path, ...] | None = None  # None: to be found

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Show these problems with the settings instead."""
        self._problems = tuple(problems)
        self._refresh(self._folders)

    def set_findings(self, findings: Sequence[Finding], *folders: Path) -> None:
        """Show these findings instead; paths below one of the folders are named from it on."""
        self._findings = findings
        self._refresh(folders)

    def entry(self, row: int) -> Entry:
        """Return the problem in a row."""
        found = self._rows[row]
        if isinstance(found, Problem):
            return Entry.of_problem(found, self.schema)
        return Entry.of_finding(found, *self._folders)

    @property
    def unusable(self) -> tuple[Path, ...]:
        """The pictures with errors, which a run could leave out; each once."""
        if self._unusable is None:
            self._unusable = tuple(self._find_unusable())
        return self._unusable

    def _find_unusable(self) -> Iterator[Path]:
        errors = (found for found in self._rows if found.severity is Severity.ERROR)
        paths = dict.fromkeys(_picture_of(found) for found in errors)
        yield from (path for path in paths if path is not None and is_picture_name(path.name))

    def count(self, severity: Severity) -> int:
        """Return how many problems of this severity there are."""
        return sum(found.severity is severity for found in self._rows)

    @property
    def missing(self) -> list[str]:
        """What every run needs and nobody chose yet, as the form calls it."""
        return [
            place(problem.path, self.schema) for problem in self._problems if problem.is_missing
        ]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell shows."""
        entry, column = self.entry(index.row()), Column(index.column())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return {
                Column.MESSAGE: entry.message,
                Column.PLACE: entry.place,
                Column.WAY_OUT: entry.way_out,
            }[column]
        if role == Qt.ItemDataRole.DecorationRole and column is Column.MESSAGE:
            severity = str(entry.severity)
            return icon(severity, str(getattr(tokens.current(), severity)))
        return None

    def _refresh(self, folders: tuple[Path, ...]) -> None:
        # Of a folder, both may tell it; those are errors, and there may be ten thousand others.
        messages = [problem.message for problem in self._problems]
        findings = (
            finding
            for finding in self._findings
            if finding.severity is not Severity.ERROR or finding.message not in messages
        )
        rows: list[Problem | Finding] = [*self._problems, *findings]
        rows.sort(key=lambda found: _ORDER.index(found.severity))
        if rows != self._rows or folders != self._folders:
            self.beginResetModel()
            self._rows, self._folders, self._unusable = rows, folders, None
            self.endResetModel()


def _leave_out_words() -> str:
    return shown(T("App", "Leave out of this run"))


def _picture_of(found: Problem | Finding) -> Path | None:
    if isinstance(found, Finding):
        return found.path
    return Path(found.picture) if found.picture else None
