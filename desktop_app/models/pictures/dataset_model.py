"""The pictures that the settings name: what is there, what is wrong with it, what it will give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from desktop_app import drives
from desktop_app.background import LatestJob
from desktop_app.models.pictures.dataset_scan import (
    Checked,
    CheckProgress,
    Pulse,
    Scan,
    broken_off,
    check_fully,
    look,
    mask_folders,
    place_problems,
    silence_problems,
)
from desktop_app.models.pictures.picture_row import PictureRow, with_captions, with_findings
from trainer_core.dataset.caption_files import CaptionFile
from trainer_core.dataset.findings import Finding
from trainer_core.dataset.listing import is_picture_name
from trainer_core.dataset.survey import SurveyRequest
from trainer_core.settings.document import Raw, replaced
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.schema import TRAIN, TrainSettings

_PAUSE_MS = 150  # typing, or a folder being copied, changes things many times
_CLOCK_MS = 100


class DatasetModel(QObject):
    """The pictures of the document, scanned in a thread as settings and files change.

    Attributes:
        scan: The newest look at them; None if none are named, and before the first look.
        bases: What need not be said of a path: the one folder, or where several of them lie.
        progress: How far the full check is; None while there is none.
    """

    changed = Signal()  # scan is another one
    busy_changed = Signal()
    findings_changed = Signal()  # the full check found something
    progress_changed = Signal()
    picture_changed = Signal(object)  # Path of a file that is not what it was

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.scan: Scan | None = None
        self.bases: tuple[Path, ...] = ()
        self.progress: CheckProgress | None = None
        self._request: SurveyRequest | None = None
        self._is_stale = False  # what the scan saw is no longer what is there
        self._is_held = False  # a place has not answered yet whether it is there
        self._waits = False  # for that
        self._checked: dict[Path, Checked] = {}
        self._silent: Path | None = None  # what hangs while it is read
        self._pulse = Pulse()
        self._clock = QTimer(self, interval=_CLOCK_MS)
        self._clock.timeout.connect(self._find_silent)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._look)
        self._looking = LatestJob(self, only_reads=True)
        self._looking.finished.connect(self._on_looked)
        self._checking = LatestJob(self, only_reads=True)
        self._checking.reported.connect(self._on_checked)
        self._checking.finished.connect(self._on_check_finished)
        self._watcher = QFileSystemWatcher(self)
        self._watcher.directoryChanged.connect(self._on_folder_changed)

    @property
    def places(self) -> tuple[Path, ...]:
        """The folders and pictures that the settings name, whether looked at yet or not."""
        return () if self._request is None else self._request.places

    @property
    def is_busy(self) -> bool:
        """True until the newest look is finished, or hangs for too long."""
        is_looking = self._looking.is_running and self._silent is None
        return self._pause.isActive() or self._waits or is_looking

    @property
    def place_problems(self) -> list[Problem]:
        """What is wrong with whole places, and with what is left out; the rest are findings."""
        if self._silent is not None and self._request is not None:
            return silence_problems(self._request, self._silent)
        return place_problems(self.scan)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that is wrong, from the quick audit and from the full check so far."""
        audit = None if self.scan is None else self.scan.audit
        if self.scan is None or audit is None:
            return ()
        held_out = self.scan.survey.held_out
        of_held_out = () if held_out is None else held_out.audit.findings
        known = {(each.path, str(each.message)) for each in audit.findings if of_held_out}
        more = [each for each in of_held_out if (each.path, str(each.message)) not in known]
        return (*audit.findings, *more, *self._found_by_check())

    @property
    def rows(self) -> tuple[PictureRow, ...]:
        """Every picture with everything that is known of it."""
        return () if self.scan is None else with_findings(self.scan.rows, self._found_by_check())

    def follow(self, raw: Mapping[str, Any], folder: Path) -> None:
        """Show the pictures that a raw document names; ``folder`` is where its paths begin."""
        request = SurveyRequest.of(_usable(TRAIN.with_absolute_paths(raw, folder)))
        if request == self._request:
            return
        places = () if request is None else request.places
        is_other_folder = set(places) != set(self.places)
        is_all_new = not set(places) & set(self.places)
        self._request = request
        self.bases = _bases(places)
        if is_all_new:
            self._show(None)
        if request is None:
            self._pause.stop()
            self._waits = False
            self._drop_look()
        else:
            self._pause.start(0 if is_other_folder else _PAUSE_MS)
        self.busy_changed.emit()

    def hold(self, is_held: bool) -> None:
        """Look at nothing for now: a place has not answered; or look at what came meanwhile."""
        self._is_held = is_held
        if self._waits and not is_held:
            self._look()

    def rescan(self) -> None:
        """Look at the pictures again, whatever is known of it."""
        self._is_stale = True
        if self._request is not None:
            self._look()

    def show_caption(self, picture: Path, file: CaptionFile) -> None:
        """Show a caption that was just written; soon the whole folder is looked at again."""
        self.show_captions({picture: file})

    def show_captions(self, files: Mapping[Path, CaptionFile]) -> None:
        """Show captions that were just written."""
        if self.scan is not None:
            self.scan = replace(self.scan, rows=with_captions(self.scan.rows, files))
            self.findings_changed.emit()
        self._on_folder_changed()

    def close(self) -> None:
        """Drop all work."""
        self._pause.stop()
        self._clock.stop()
        self._looking.close()
        self._checking.close()

    def _look(self) -> None:
        if self._request is None:
            return
        self._waits = self._is_held
        if self._is_held:
            self._drop_look()  # it may be waiting for the same drive
            return
        known = None if self._is_stale else self.scan
        self._is_stale = False
        request, pulse = self._request, Pulse()
        self._drop_look()
        self._pulse = pulse
        self._looking.start(lambda job: look(request, known, pulse))
        self._clock.start()
        self.busy_changed.emit()

    def _drop_look(self) -> None:
        self._clock.stop()
        self._looking.cancel()
        if self._silent is not None:
            self._silent = None
            self.findings_changed.emit()

    def _find_silent(self) -> None:
        """Say so where something is read for too long; it is heard when it is read at last."""
        self._silent = self._pulse.hanging(drives.LIMIT_S)
        if self._silent is not None:
            self._clock.stop()
            self._looking.leave_thread()
            self.findings_changed.emit()
            self.busy_changed.emit()

    def _on_looked(self, scan: Scan | None) -> None:
        if scan is None and self._request is not None:
            scan = broken_off(self._request)
        self._clock.stop()
        self._silent = None
        self._show(scan)
        self.busy_changed.emit()

    def _show(self, scan: Scan | None) -> None:
        is_same = scan is not None and self.scan is not None and scan.index is self.scan.index
        self.scan = scan
        if not is_same:
            self._watch(scan)
            self._check(scan)
        self.changed.emit()

    def _check(self, scan: Scan | None) -> None:
        self._checking.cancel()
        self.progress = None
        if scan is None or scan.audit is None:
            return
        damaged = {finding.path for finding in scan.audit.errors}
        paths = [p.path for p in scan.index.pictures if p.path not in damaged]
        settings = scan.request.settings
        masked = {p.path for p in scan.index.pictures if settings[p.subset].pictures.alpha_mask}
        known = dict(self._checked)
        self._checking.start(lambda job: check_fully(job, paths, known, masked))

    def _watch(self, scan: Scan | None) -> None:
        wanted: set[str] = set()
        if scan is not None and scan.failure is None:
            roots = (root.path for root in scan.index.roots if root.failure is None)
            wanted = {str(folder) for folder in roots}
            wanted |= {str(concept.folder) for concept in scan.index.concepts}
            wanted |= {str(folder) for folder in mask_folders(scan.request)}
        watched = set(self._watcher.directories())
        if watched - wanted:
            self._watcher.removePaths(list(watched - wanted))
        if wanted - watched:
            self._watcher.addPaths(list(wanted - watched))

    def _on_folder_changed(self) -> None:
        self._is_stale = True
        self._pause.start(_PAUSE_MS)

    def _found_by_check(self) -> list[Finding]:
        found = [checked.finding for checked in self._checked.values() if checked.finding]
        if not found or self.scan is None or self.scan.audit is None:
            return []
        known = {finding.path for finding in self.scan.audit.errors}
        shown_paths = {row.path for row in self.scan.rows if not row.is_left_out} - known
        return [finding for finding in found if finding.path in shown_paths]

    def _on_checked(self, progress: CheckProgress) -> None:
        checked = progress.checked
        is_news = any(new.finding or self._checked.get(new.path, new).finding for new in checked)
        rechecked = [new.path for new in checked if self._checked.get(new.path, new) is not new]
        self._checked.update((new.path, new) for new in checked)
        self.progress = progress
        self.progress_changed.emit()
        if is_news:
            self.findings_changed.emit()
        for path in rechecked:
            self.picture_changed.emit(path)

    def _on_check_finished(self) -> None:
        self.progress = None
        self.progress_changed.emit()


def _bases(places: Iterable[Path]) -> tuple[Path, ...]:
    folders = {path.parent if is_picture_name(path.name) else path: None for path in places}
    if len(folders) > 1:
        folders = {folder.parent: None for folder in folders}
    return tuple(folder for folder in folders if folder.name)


def _usable(raw: Mapping[str, Any]) -> TrainSettings:
    """Return the settings of a document with defaults in place of what cannot be used."""
    known: Raw = {}
    for param in TRAIN.params().values():
        values = raw.get(param.section)
        if isinstance(values, Mapping) and param.name in values:
            known.setdefault(param.section, {})[param.name] = values[param.name]
    settings, problems = TRAIN.parse(known)
    if settings is None:
        broken = {p.path: None for p in problems if p.severity is Severity.ERROR}
        settings, _ = TRAIN.parse(replaced(known, broken))
    return settings or TrainSettings()
