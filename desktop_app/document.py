"""The open run file: raw settings with undo, and the frozen snapshot that they validate to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from desktop_app.translation import place, shown
from trainer_core.settings import document, files, rules
from trainer_core.settings.document import Raw
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.schema import TrainSettings, params
from trainer_core.texts import T


class Document(QObject):
    """One run file being edited.

    The truth is ``raw``, a tree that may hold mistakes. After every change ``settings`` is the
    snapshot that it validates to, None while something in it cannot be used; ``usable`` is the same
    with defaults in place of what cannot.
    """

    changed = Signal(object)  # frozenset of the paths whose values are new
    problems_changed = Signal()
    replaced = Signal()  # another file, or a new one: everything is new
    name_changed = Signal()  # path, or whether there is something to save

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self._file = files.RunFile()
        self._saved_raw = self._file.raw
        self.path: Path | None = None
        self.settings: TrainSettings | None = None
        self.usable = TrainSettings()
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
        return self.raw is not self._saved_raw and repr(self.raw) != repr(self._saved_raw)

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
        return document.from_raw(params()[path], self.value(path))

    def default(self, path: str) -> object:
        """Return the raw default of ``section.name``."""
        param = params()[path]
        return document.to_raw(param, param.default)

    def is_default(self, path: str) -> bool:
        """Tell whether ``section.name`` has its default."""
        return self.typed_value(path) == params()[path].default

    def set_value(self, path: str, value: object) -> None:
        """Change one setting to a raw value, as one step of undo."""
        current = self.value(path)
        is_same_kind = isinstance(value, bool) is isinstance(current, bool)  # True is not 1
        if value != current or not is_same_kind:
            self.apply({path: value}, shown(T("App", "change of {label}"), label=place(path)))

    def reset(self, path: str) -> None:
        """Set one setting to its default, as one step of undo."""
        title = shown(T("App", "reset of {label}"), label=place(path))
        self.apply({path: self.default(path)}, title)

    def apply(self, changes: Mapping[str, object], title: str) -> None:
        """Change several raw values as one step of undo; None removes a key."""
        after = document.replaced(self.raw, changes)
        self.undo_stack.push(_Change(self, after, frozenset(changes), title))

    def set_found(self, source: str, problems: Sequence[Problem]) -> None:
        """Take note of problems that only a look at the files shows, instead of those before.

        Args:
            source: Who looked.
            problems: What was found.
        """
        if list(problems) != list(self._found.get(source, ())):
            self._found[source] = problems
            self.recheck()

    def recheck(self) -> None:
        """Look again whether the settings can be used: what they name may have changed."""
        before = self.problems
        self._validate()
        if self.problems != before:
            self.problems_changed.emit()

    def new(self) -> None:
        """Start an empty document."""
        self._replace(files.RunFile(), None)

    def load_copy(self, path: Path) -> None:
        """Open what a run file says as a new document that has no file of its own.

        Raises:
            SettingsError: It is missing, no TOML, or no run file of ours.
        """
        self._replace(files.RunFile(files.load(path).raw), None)

    def load(self, path: Path) -> None:
        """Open a run file.

        Raises:
            SettingsError: It is missing, no TOML, or no run file of ours.
        """
        self._replace(files.load(path), path)

    def save(self, path: Path) -> None:
        """Write the document to ``path``; relative paths keep naming the same files.

        Raises:
            OutputError: It cannot be written.
        """
        if path.absolute().parent != self.folder:
            self._make_paths_absolute()
        files.save(path, self._file, replace=True)
        self.path = path
        self._saved_raw = self.raw
        self.name_changed.emit()

    def write_snapshot(self, path: Path) -> None:
        """Write what a run is started with: every path absolute, nothing of an earlier run.

        Raises:
            OutputError: It cannot be written, or ``path`` exists.
        """
        raw = document.with_absolute_paths(self.raw, self.folder)
        files.save(path, files.RunFile(raw), replace=False)

    def _make_paths_absolute(self) -> None:
        absolute = document.with_absolute_paths(self.raw, self.folder)
        changes = {
            path: absolute[param.section][param.name]
            for path, param in params().items()
            if param.name in absolute.get(param.section, {})
            and absolute[param.section][param.name] != self.value(path)
        }
        if changes:
            self.apply(changes, shown(T("App", "absolute paths")))

    def _replace(self, file: files.RunFile, path: Path | None) -> None:
        self._file = file
        self._saved_raw = file.raw
        self.path = path
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
        absolute = document.with_absolute_paths(self.raw, self.folder)
        self.settings, self.problems = document.parse(absolute)
        self.usable = self.settings or _usable(absolute, self.problems)
        self.problems.extend(rules.check(self.usable))
        for found in self._found.values():
            self.problems.extend(problem for problem in found if problem not in self.problems)


def _usable(raw: Raw, problems: list[Problem]) -> TrainSettings:
    """Return the settings with defaults for what cannot be used, to check the others by."""
    without = document.replaced(raw, {problem.path: None for problem in problems})
    settings, _ = document.parse(without)
    return settings or TrainSettings()


class _Change(QUndoCommand):
    """One step of undo: the whole tree before and after, which are small and never changed."""

    def __init__(self, target: Document, after: Raw, paths: frozenset[str], title: str) -> None:
        super().__init__(title)
        self._target = target
        self._before = target.raw
        self._after = after
        self._paths = paths

    def redo(self) -> None:
        self._target.set_raw(self._after, self._paths)

    def undo(self) -> None:
        self._target.set_raw(self._before, self._paths)
