"""Runs that were started before: found when the window opens, watched, or shown again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QDateTime, QLocale, QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop_app.commands.files import FileCommands
from desktop_app.drives import answer_in_time
from desktop_app.outside import open_path
from desktop_app.process.outcome import Outcome
from desktop_app.process.run_register import FoundRun
from desktop_app.questions import Answer, Ask, Question, ask
from desktop_app.translation import shown
from desktop_app.widgets.banner import Way
from desktop_app.words.endings import has_run_file
from desktop_app.workspace import Workspace
from trainer_core.files.presence import is_file
from trainer_core.files.run_folder import RunFolder, is_run_folder
from trainer_core.files.run_lock import lock_holder
from trainer_core.texts import T

_WATCH = "watch"


class EarlierRuns(QObject):
    """Brings runs back into the window that it did not start itself, and says which they are."""

    announced = Signal(str, str, str, object)  # kind, message, details and ways on for a banner
    left = Signal()  # the run of the banner is not followed any more

    def __init__(
        self,
        workspace: Workspace,
        files: FileCommands,
        window: QWidget,
        *,
        ask: Ask = ask,
    ) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._files = files
        self._window = window
        self._ask = ask
        self._opens_settings = False
        self._details: list[str] = []  # what else there is to say of a run that was found
        workspace.known_runs.found.connect(self._on_found)
        # Queued: the banner forgets at the start of a run what it said before.
        workspace.run.started.connect(self._on_started, Qt.ConnectionType.QueuedConnection)
        workspace.run.recalled.connect(self._on_recalled)
        workspace.run_settings_wanted.connect(self._on_settings_wanted)

    def find(self, *, opens_settings: bool) -> None:
        """Look for runs that go on without a window, or have ended since there was one.

        Args:
            opens_settings: Whether the window may open the settings of one that goes on.
        """
        self._opens_settings = opens_settings
        self._workspace.known_runs.find()

    def choose(self) -> None:
        """Ask for the folder of a run and show it."""
        folder = self._workspace.run.folder
        beside = self._workspace.document.folder if folder is None else folder.output_dir
        path = QFileDialog.getExistingDirectory(
            self._window, shown(T("App", "Open the folder of a run (.run)")), str(beside)
        )
        if path:
            self.show(Path(path))

    def show(self, path: Path) -> None:
        """Show the run in a folder: from its beginning to its end, or to where it is."""
        run = self._workspace.run
        if not is_run_folder(path):
            self._refuse(
                shown(T("App", "{folder} is not the folder of a run."), folder=str(path)),
                shown(T("App", "It is called like the run, ends in .run, and holds its events.")),
            )
        elif run.is_running and not run.is_attached:
            self._refuse(
                shown(T("App", "A run is going on in this window.")),
                shown(T("App", "Another one can be shown when it has ended.")),
            )
        else:
            run.attach(RunFolder.at(path))
            self._show_charts()

    # ---------------------------------------------------------------- at the start

    def _on_found(self, found: Sequence[FoundRun]) -> None:
        at_work = [run for run in found if run.holder is not None]
        ended = [run for run in found if run.outcome is not None]
        if self._workspace.run.is_running:
            at_work = []  # started meanwhile: that one has the window
        at_work.sort(key=lambda run: run.holder.started if run.holder else 0.0, reverse=True)
        if at_work:
            newest = at_work[0]
            self._open_settings_of(newest)
            self._details = _others(at_work[1:]) + _ends(ended)
            self._workspace.run.attach(newest.folder)
        elif ended:
            self._tell_ends(ended)
        for run in ended:
            self._workspace.known_runs.mark_end_known(run.folder)

    def _open_settings_of(self, run: FoundRun) -> None:
        """Open what the run was started from, unless there is something open."""
        document, source = self._workspace.document, run.known.document
        if not self._opens_settings or document.path is not None or document.is_dirty:
            return
        if source is not None and is_file(source):
            self._files.open_path(source)
        elif has_run_file(run.folder):
            self._files.open_copy(run.folder.run_file)

    def _on_started(self) -> None:
        run = self._workspace.run
        if run.folder is not None and run.is_attached and run.is_running:
            words = T("App", "“{name}” was started earlier and is still training.")
            ways = (
                (shown(T("App", "Show charts")), self._show_charts),
                (shown(T("App", "Stop watching")), self._leave),
            )
            details, self._details = "\n".join(self._details), []
            self.announced.emit("notice", shown(words, name=run.folder.name), details, ways)

    def _leave(self) -> None:
        self._workspace.run.leave()
        self.left.emit()

    # ---------------------------------------------------------------- how runs ended

    def _tell_ends(self, ended: Sequence[FoundRun]) -> None:
        outcomes = [run.outcome for run in ended if run.outcome is not None]
        kind = "success" if all(outcome.ok for outcome in outcomes) else "error"
        newest = ended[0].folder
        label = shown(T("App", "Show “{name}”"), name=newest.name)
        ways = ((label, lambda: self.show(newest.path)), self._way_to_folder(newest))
        if len(ended) == 1:
            self.announced.emit(kind, _ends(ended)[0], _while_away(), ways)
        else:
            words = shown(
                T("App", "{count} [count:run|runs] ended while the window was closed."),
                count=len(ended),
            )
            self.announced.emit(kind, words, "\n".join(_ends(ended)), ways)

    def _on_recalled(self, outcome: Outcome) -> None:
        folder = self._workspace.run.folder
        if folder is None:
            return
        settings = (shown(T("App", "Open its settings")), lambda: self._open_copy(folder))
        ways = [settings] if has_run_file(folder) else []
        self.announced.emit(
            "success" if outcome.ok else "error",
            _end_words(folder, outcome),
            _ended_when(folder, self._workspace.run.heard_at),
            (*ways, self._way_to_folder(folder)),
        )

    def _open_copy(self, folder: RunFolder) -> None:
        self._files.open_copy(folder.run_file)

    def _way_to_folder(self, folder: RunFolder) -> Way:
        words = shown(T("App", "Open folder"))
        return words, lambda: open_path(folder.output_dir, self._window, ask=self._ask)

    def _on_settings_wanted(self) -> None:
        folder = self._workspace.run.folder
        if folder is not None:
            self._open_copy(folder)

    def _show_charts(self) -> None:
        self._workspace.dock_wanted.emit("charts")

    def _refuse(self, message: str, details: str) -> None:
        title, close = shown(T("App", "This did not work")), shown(T("App", "Close"))
        self._ask(self._window, Question(title, message, details, cancel_label=close))


def offer_to_watch(workspace: Workspace, window: QWidget, *, ask: Ask = ask) -> bool:
    """Ask whether to watch the trainer that is at work where a run would start; False if none is.

    Such a run cannot start: two trainers would write the same files.
    """
    settings = workspace.settings_in_reach
    if workspace.document.settings is None or settings.output.output_dir is None:
        return False
    folder = RunFolder(settings.output.output_dir, settings.output.output_name)
    is_at_work = answer_in_time(folder.path, lambda: lock_holder(folder.lock_file) is not None)
    if is_at_work is None:
        workspace.places.look_again()  # it has answered once, and no longer does
    if not is_at_work:
        return False
    details = T("App", "It works in {folder}. Another run can start there when it is done.")
    question = Question(
        shown(T("App", "A trainer is at work")),
        shown(T("App", "A trainer is at work on the run “{name}”."), name=folder.name),
        shown(details, folder=str(folder.path)),
        (Answer(_WATCH, shown(T("App", "Watch it"))),),
    )
    if ask(window, question) == _WATCH:
        workspace.run.attach(folder)
        workspace.dock_wanted.emit("charts")
    return True


def _others(runs: Sequence[FoundRun]) -> list[str]:
    if not runs:
        return []
    names = ", ".join(run.folder.name for run in runs)
    words = T("App", "Also training: {names}. File > Open run folder shows them.")
    return [shown(words, names=names)]


def _ends(runs: Sequence[FoundRun]) -> list[str]:
    return [_end_words(run.folder, run.outcome) for run in runs if run.outcome is not None]


def _end_words(folder: RunFolder, outcome: Outcome) -> str:
    words = T("App", "“{name}”: {outcome}")
    return shown(words, name=folder.name, outcome=shown(outcome.sentence))


def _while_away() -> str:
    return shown(T("App", "It ended while the window was closed."))


def _ended_when(folder: RunFolder, heard_at: float | None) -> str:
    place = shown(T("App", "Its files are in {folder}."), folder=str(folder.output_dir))
    if not heard_at:
        return place
    # By its own word: the files themselves may have been copied since.
    ended = QDateTime.fromSecsSinceEpoch(int(heard_at))
    time = QLocale().toString(ended, QLocale.FormatType.ShortFormat)
    words = T("App", "This run ended on {time}. Its files are in {folder}.")
    return shown(words, time=time, folder=str(folder.output_dir))
