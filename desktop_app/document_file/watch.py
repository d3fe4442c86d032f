"""Notices when another program changes, removes or brings back the document's file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from desktop_app.background import Job, LatestJob
from desktop_app.document import Document, content_stamp
from trainer_core.files.presence import is_there

_PAUSE_MS = 300  # several events belong to one save
_PATIENCE_MS = 1000  # editors move a file away for a moment while they save


class Standing(Enum):
    """How the file stands to the document that was read from it."""

    SAME = auto()
    CHANGED = auto()
    GONE = auto()


@dataclass(frozen=True, slots=True)
class _Look:
    """What was found at the document's path, and what was expected there."""

    expected: str | None
    found: str | None
    exists: bool

    @property
    def standing(self) -> Standing:
        if self.found == self.expected:
            return Standing.SAME
        if self.found is not None:
            return Standing.CHANGED
        return Standing.SAME if self.exists else Standing.GONE  # unreadable: being written


class FileWatch(QObject):
    """Compares the file's content with what the document knows of it; its own saves are known."""

    found = Signal(object)  # a Standing that is new

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._last = _Look(None, None, False)
        self._is_missing = False
        self._watcher = QFileSystemWatcher(self)
        self._watcher.fileChanged.connect(self._on_event)
        self._watcher.directoryChanged.connect(self._on_event)
        self._pause = QTimer(self, singleShot=True)
        self._pause.timeout.connect(self.check)
        self._job = LatestJob(self, only_reads=True)
        self._job.finished.connect(self._on_looked)
        document.replaced.connect(self._follow)
        document.settled.connect(self._follow)
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication), "a window system, though none may be seen"
        app.applicationStateChanged.connect(self._on_state_changed)

    @property
    def standing(self) -> Standing:
        """How the file stood when it was last looked at."""
        return self._last.standing

    def check(self) -> None:
        """Look at the file, in a thread; an answer that is new comes as a signal."""
        path = self._document.path
        if path is not None:
            # The thread must not hold this object, nor ask the document.
            self._job.start(partial(_look, path, self._document.stamp))

    def keep_document(self) -> None:
        """Let the document stand as it is: it is to be saved over what the file has become."""
        found = self._last.found
        self._document.disown_file(found)
        self._note(_Look(found, found, True))

    def close(self) -> None:
        """Look no more."""
        self._pause.stop()
        self._unwatch()
        self._job.close()

    def _follow(self) -> None:
        """Begin again: the document is another one, or has just been written."""
        self._job.cancel()
        self._pause.stop()
        self._unwatch()
        self._is_missing = False
        stamp = self._document.stamp
        self._note(_Look(stamp, stamp, True))
        self._watch()
        self.check()  # what was recovered may belong to an older file

    def _unwatch(self) -> None:
        watched = [*self._watcher.files(), *self._watcher.directories()]
        if watched:
            self._watcher.removePaths(watched)

    def _watch(self) -> None:
        # The folder too: a file that was replaced by a rename is another file to the system.
        path = self._document.path
        if path is None:
            return
        watched = {*self._watcher.files(), *self._watcher.directories()}
        wanted = {str(path.absolute()), str(path.absolute().parent)}
        missing = [each for each in wanted - watched if is_there(Path(each))]
        if missing:
            self._watcher.addPaths(missing)

    def _on_event(self) -> None:
        if not self._pause.isActive():
            self._pause.start(_PAUSE_MS)

    def _on_state_changed(self, state: Qt.ApplicationState) -> None:
        if state is Qt.ApplicationState.ApplicationActive:
            self.check()

    def _on_looked(self, look: _Look) -> None:
        if look.expected != self._document.stamp:
            return  # saved or read again meanwhile, which looks by itself
        self._watch()
        was_missing, self._is_missing = self._is_missing, look.standing is Standing.GONE
        if self._is_missing and not was_missing:
            self._pause.start(_PATIENCE_MS)
        else:
            self._note(look)

    def _note(self, look: _Look) -> None:
        before, self._last = self._last, look
        if look.standing is not before.standing or look.found != before.found:
            self._document.mark_missing(look.standing is Standing.GONE)
            self.found.emit(look.standing)


def _look(path: Path, expected: str | None, _job: Job) -> _Look:
    found = content_stamp(path)
    return _Look(expected, found, found is not None or is_there(path))
