"""The open run file: raw settings with undo, and the frozen snapshot that they validate to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack
from typing_extensions import TypeVar  # pydantic brings it; Python has defaults from 3.13 on

from desktop_app.translation import place, shown
from trainer_core.errors import SettingsError
from trainer_core.files.reading import open_regular
from trainer_core.settings import document, files
from trainer_core.settings.document import Raw
from trainer_core.settings.param import ActsIf, Param
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.rules.effects import idle_values
from trainer_core.settings.schema import Facts, Schema, Settings, TrainSettings
from trainer_core.texts import T

S = TypeVar("S", bound=Settings, default=TrainSettings)

# Whose word counts where two name the same thing.
_SOURCES = ("places", "files", "pictures", "run", "space")
_CHANGE = 1  # the kind of step, for Qt, that can take in another one


class Document(QObject, Generic[S]):
    """One file of settings being edited: a run's, where nothing else is said.

    The truth is ``raw``, a tree that may hold mistakes. After every change ``settings`` is the
    snapshot that it validates to, None while something in it cannot be used; ``usable`` is the same
    with defaults in place of what cannot. ``stamp`` is the stamp of the file's content as it was
    last read or written. ``facts`` are what "auto" came to in the files that it names.
    """

    changed = Signal(object)  # frozenset of the paths whose values are new
    problems_changed = Signal()
    replaced = Signal()  # another file, or a new one: everything is new
    name_changed = Signal()  # path, or whether there is something to save
    settled = Signal()  # the file was written or read again just now

    def __init__(
        self,
        schema: Schema[S],
        check: Callable[[S, Facts], Sequence[Problem]] | None = None,
        parent: QObject | None = None,
    ) -> None:
        """Start an empty document.

        Args:
            schema: What may stand in it.
            check: Finds problems across settings; without one, only values without effect are.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self.schema = schema
        self._check = check
        self.facts: Facts = {}
        self.undo_stack = QUndoStack(self)
        self._file = self._new_file()
        self._is_to_start = False
        self._saved_raw: Raw | None = self._file.raw  # None: the file is another one
        self._is_missing = False
        self.path: Path | None = None
        self.stamp: str | None = None
        self.settings: S | None = None
        self.usable: S = schema.tree()
        self.problems: list[Problem] = []
        self._found: dict[str, Sequence[Problem]] = {}
        self._validate()

    @property
    def raw(self) -> Raw:
        """The settings as the file has them; not to be changed in place."""
        return self._file.raw

    @property
    def folder(self) -> Path:
        """The folder that relative paths are meant from."""
        return Path.home() if self.path is None else self.path.absolute().parent

    @property
    def is_dirty(self) -> bool:
        """True if there is something to save."""
        # Not the undo stack's word: edits of captions are on it too, and save themselves.
        # Compared as text, where True is not 1.
        if self._is_missing or self._saved_raw is None:
            return True
        return self.raw is not self._saved_raw and repr(self.raw) != repr(self._saved_raw)

    @property
    def as_file(self) -> files.RunFile:
        """A copy of what a save would write, which later changes leave as it is."""
        return replace(self._file)

    @property
    def errors(self) -> list[Problem]:
        """The problems that keep a run from starting."""
        return [problem for problem in self.problems if problem.severity is Severity.ERROR]

    def value(self, path: str) -> object:
        """Return the raw value at ``section.name``: the file's, else the default's."""
        section, _, name = path.partition(".")
        values = self.raw.get(section)
        if isinstance(values, Mapping) and name in values:
            return values[name]
        return self.default(path)

    def typed_value(self, path: str) -> object:
        """Return the value at ``section.name`` as settings would hold it, if it can be one."""
        return document.from_raw(self.schema.params()[path], self.value(path))

    def default(self, path: str) -> object:
        """Return the raw default of ``section.name``."""
        param = self.schema.params()[path]
        return document.to_raw(param, param.default)

    def is_default(self, path: str) -> bool:
        """Tell whether ``section.name`` has its default."""
        return self.typed_value(path) == self.schema.params()[path].default

    def would_change(self, path: str, value: object) -> bool:
        """Tell whether a raw value is another one than ``section.name`` has."""
        current = self.value(path)
        is_same_kind = isinstance(value, bool) is isinstance(current, bool)  # True is not 1
        return value != current or not is_same_kind

    def set_value(self, path: str, value: object, part_of: object | None = None) -> None:
        """Change one setting to a raw value, as one step of undo; see `apply`."""
        if self.would_change(path, value):
            label = place(path, self.schema)
            self.apply({path: value}, shown(T("App", "change of {label}"), label=label), part_of)

    def reset(self, path: str) -> None:
        """Set one setting to its default, as one step of undo."""
        title = shown(T("App", "reset of {label}"), label=place(path, self.schema))
        self.apply({path: self.default(path)}, title)

    def apply(
        self, changes: Mapping[str, object], title: str, part_of: object | None = None
    ) -> bool:
        """Change several raw values as one step of undo; None removes a key.

        Args:
            changes: The values, by their paths.
            title: What the step is called.
            part_of: What was asked for; the last step, if it is part of the same, takes this in.

        Returns:
            True if the last step took it in.
        """
        before = self.undo_stack.index()
        after = document.replaced(self.raw, changes)
        self.undo_stack.push(_Change(self, after, frozenset(changes), title, part_of))
        return self.undo_stack.index() == before

    def set_found(self, source: str, problems: Sequence[Problem]) -> None:
        """Take note of problems that only a look at the files shows, instead of those before.

        Args:
            source: Who looked: places, files, pictures, a run, or at the space on disks.
            problems: What was found.
        """
        if list(problems) != list(self._found.get(source, ())):
            self._found[source] = problems
            self.recheck()

    def set_facts(self, facts: Facts) -> None:
        """Take note of what "auto" comes to in the files that are named, instead of before."""
        if facts != self.facts:
            self.facts = facts
            self._validate()
            self.problems_changed.emit()  # what acts may have changed even if no problem did

    def idle(self, param: Param) -> ActsIf | None:
        """Return the condition that keeps a setting from acting here, None if it acts."""
        return self.schema.idle(param, self.typed_value, self.facts)

    def recheck(self) -> None:
        """Look again whether the settings can be used: what they name may have changed."""
        before = self.problems
        self._validate()
        if self.problems != before:
            self.problems_changed.emit()

    def expect_values(self) -> None:
        """Call what is missing an error from now on, no hint any more: a run is to start."""
        if not self._is_to_start:
            self._is_to_start = True
            self.recheck()

    def new(self) -> None:
        """Start an empty document."""
        self._replace(self._new_file(), None)

    def load_copy(self, path: Path) -> None:
        """Open what a run file says as a new document that has no file of its own.

        Raises:
            SettingsError: It is missing, no TOML, or no run file of ours.
        """
        self._replace(self._new_file(files.load(path).raw), None)

    def load(self, path: Path) -> None:
        """Open a run file.

        Raises:
            SettingsError: It is missing, no TOML, or no run file of ours.
        """
        stamp = content_stamp(path)
        self._replace(files.load(path), path, stamp)

    def reload(self) -> None:
        """Read the file again, as one step of undo.

        Raises:
            SettingsError: It is missing, no TOML, or no run file of ours.
        """
        if self.path is not None:
            stamp = content_stamp(self.path)
            file = files.load(self.path)
            self._saved_raw, self.stamp, self._is_missing = file.raw, stamp, False
            self._take(file, shown(T("App", "reloading")))
            self.settled.emit()

    def recover(self, file: files.RunFile, path: Path | None, stamp: str | None) -> None:
        """Take over unsaved changes of a session that was cut off, as one step of undo.

        Args:
            file: What was not saved.
            path: The run file that it belongs to, None if it never had one.
            stamp: The stamp of that run file when it was edited.
        """
        try:
            before = self._new_file() if path is None else files.load(path)
        except SettingsError:  # gone or broken since: there is nothing to go back to
            self._replace(file, path, stamp)
            self.disown_file(stamp)
        else:
            self._replace(before, path, stamp)
            self._take(file, shown(T("App", "recovered changes")))

    def disown_file(self, stamp: str | None) -> None:
        """Stand by the document though the file has become another one, with this stamp."""
        self._saved_raw, self.stamp = None, stamp
        self.name_changed.emit()

    def mark_missing(self, is_missing: bool) -> None:
        """Say that the file is no longer there, or there again: without it all is unsaved."""
        if is_missing is not self._is_missing:
            self._is_missing = is_missing
            self.name_changed.emit()

    def save(self, path: Path) -> None:
        """Write the document to ``path``; relative paths keep naming the same files.

        Raises:
            OutputError: It cannot be written.
        """
        if path.absolute().parent != self.folder:
            self._make_paths_absolute()
        files.save(path, self._file, replace=True, schema=self.schema)
        self.path = path
        self.stamp = content_stamp(path)
        self._saved_raw = self.raw
        self._is_missing = False
        self.name_changed.emit()
        self.settled.emit()

    def write_snapshot(self, path: Path) -> None:
        """Write what a run is started with: every path absolute, nothing of an earlier run.

        Raises:
            OutputError: It cannot be written, or ``path`` exists.
        """
        raw = self.schema.with_absolute_paths(self.raw, self.folder)
        files.save(path, files.RunFile(raw), replace=False, schema=self.schema)

    def _new_file(self, raw: Mapping[str, Any] | None = None) -> files.RunFile:
        """Return a file without a name: all its sections are there, so all values are written."""
        return files.RunFile({section: {} for section in self.schema.sections} | dict(raw or {}))

    def _make_paths_absolute(self) -> None:
        absolute = self.schema.with_absolute_paths(self.raw, self.folder)
        changes = {
            path: absolute[param.section][param.name]
            for path, param in self.schema.params().items()
            if param.name in absolute.get(param.section, {})
            and absolute[param.section][param.name] != self.value(path)
        }
        if changes:
            self.apply(changes, shown(T("App", "absolute paths")))

    def _take(self, file: files.RunFile, title: str) -> None:
        """Go over to the values and comments of another version of the same file."""
        before, after = self.raw, file.raw
        self._file = replace(file, raw=before)
        known = self.schema.params()
        paths = frozenset(path for path in known if _at(before, path) != _at(after, path))
        if repr(before) != repr(after):
            self.undo_stack.push(_Change(self, after, paths, title))
        self.name_changed.emit()

    def _replace(self, file: files.RunFile, path: Path | None, stamp: str | None = None) -> None:
        self._file = file
        self._saved_raw = file.raw
        self._is_missing = self._is_to_start = False
        self.path = path
        self.stamp = stamp
        self.undo_stack.clear()
        self._validate()
        self.replaced.emit()
        self.problems_changed.emit()
        self.name_changed.emit()

    def set_raw(self, raw: Raw, paths: frozenset[str]) -> None:
        """Put ``raw`` in place; for the steps of the undo stack only."""
        was_dirty = self.is_dirty
        self._file.raw = raw
        if self.is_dirty is not was_dirty:
            self.name_changed.emit()
        self._validate()
        self.changed.emit(paths)
        self.problems_changed.emit()

    def _validate(self) -> None:
        absolute = self.schema.with_absolute_paths(self.raw, self.folder)
        self.settings, self.problems = self.schema.parse(absolute)
        self.usable = self.settings or self._usable(absolute)
        self.problems.extend(self._across())
        for source in sorted(self._found, key=_SOURCES.index):
            named = {_subject(problem) for problem in self.problems}
            found = (each for each in self._found[source] if _subject(each) not in named)
            self.problems.extend([each for each in found if each not in self.problems])
        if not self._is_to_start:
            self.problems = [_as_hint(each) if each.is_missing else each for each in self.problems]

    def _across(self) -> Sequence[Problem]:
        """Return the problems across settings."""
        if self._check is None:
            return list(idle_values(self.schema, self.usable, self.facts))
        return self._check(self.usable, self.facts)

    def _usable(self, raw: Raw) -> S:
        """Return the settings with defaults for what cannot be used, to check the others by."""
        without = document.replaced(raw, {problem.path: None for problem in self.problems})
        settings, _ = self.schema.parse(without)
        return settings or self.schema.tree()


def content_stamp(path: Path) -> str | None:
    """Return what tells the content of a file from any other, None if it cannot be read."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _as_hint(problem: Problem) -> Problem:
    """Return what is missing as something to do, before anybody has asked for a start."""
    return replace(problem, severity=Severity.NOTICE)


def _subject(problem: Problem) -> tuple[str, Severity, str]:
    """Return what a problem is about: who looks twice says it in two ways."""
    values = problem.message.values
    return problem.path, problem.severity, str(values.get("path", problem.message))


def _at(raw: Raw, path: str) -> str:
    """Return the value at ``section.name`` as text, where True is not 1."""
    section, _, name = path.partition(".")
    values = raw.get(section)
    return repr(values.get(name)) if isinstance(values, Mapping) else ""


class _Change(QUndoCommand):
    """One step of undo: the whole tree before and after, which are small and never changed."""

    def __init__(
        self,
        target: Document[S],
        after: Raw,
        paths: frozenset[str],
        title: str,
        part_of: object | None = None,
    ) -> None:
        super().__init__(title)
        self._target = target
        self._before = target.raw
        self._after = after
        self._paths = paths
        self._part_of = part_of

    def id(self) -> int:
        return _CHANGE

    def mergeWith(self, other: QUndoCommand) -> bool:  # noqa: N802 - Qt's name
        if not isinstance(other, _Change) or self._part_of is None:
            return False
        if self._part_of is not other._part_of:
            return False
        self._after = other._after
        self._paths |= other._paths
        both = T("App", "{first}, {second}")
        self.setText(shown(both, first=self.text(), second=other.text()))
        return True

    def redo(self) -> None:
        self._target.set_raw(self._after, self._paths)

    def undo(self) -> None:
        self._target.set_raw(self._before, self._paths)
