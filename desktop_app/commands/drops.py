"""What becomes of what is dropped on the window: a run, a base model, or pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from desktop_app.background import Job, LatestJob
from desktop_app.commands.earlier_runs import EarlierRuns
from desktop_app.commands.files import FileCommands
from desktop_app.models.pictures.picture_offer import Offer, is_model
from desktop_app.translation import shown
from desktop_app.widgets.banner import Way
from desktop_app.workspace import Workspace
from trainer_core.catalogue.families import FAMILIES, TRAINABLE
from trainer_core.errors import TrainerError
from trainer_core.files.run_folder import is_run_folder
from trainer_core.model_files.other_kinds import OtherKind
from trainer_core.model_files.recognise import ModelReport, inspect_model, require_base_model
from trainer_core.texts import T, Text

_MODEL = "model.pretrained_model_name_or_path"
_WEIGHTS = "adapter.network_weights"
_VAE = "model.vae"


@dataclass(frozen=True, slots=True)
class _Models:
    """The models among what was dropped, and the rest.

    Attributes:
        reports: What they are; of one that cannot be trained on, with the reason.
        rest: What is no model.
    """

    reports: Sequence[tuple[Path, ModelReport | None, TrainerError | None]]
    rest: Sequence[Path]


@dataclass(frozen=True, slots=True, eq=False)
class _Drop:
    """A model that was taken and the pictures dropped with it, which are one step of undo.

    Attributes:
        words: What was said of the model.
    """

    words: str


class DropCommands(QObject):
    """Understands what is dropped, does what was meant as one step of undo, and says so."""

    understood = Signal(str)  # what was done, which can be undone
    refused = Signal(str, str, object)  # what cannot be used, why, and ways on
    noticed = Signal(str)

    def __init__(
        self, workspace: Workspace, files: FileCommands, runs: EarlierRuns, window: QWidget
    ) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._files = files
        self._runs = runs
        self._looking = LatestJob(self, only_reads=True)
        self._looking.finished.connect(self._on_looked)
        workspace.document.replaced.connect(self._looking.cancel)  # it was for the other one
        workspace.pictures.taken.connect(self._on_pictures_taken)

    def take(self, paths: Sequence[Path]) -> None:
        """Open the run file, show the run, or find out in a thread what the rest is."""
        offer = Offer.of(paths)
        if offer.is_run_file:
            self._files.open_path(offer.others[0])
        elif paths and is_run_folder(paths[0]):
            self._runs.show(paths[0])
        elif offer.has_too_many_run_files:
            words = T("App", "Only one run file can be open at a time. Drop a single one.")
            self.noticed.emit(shown(words))
        else:
            self._looking.start(partial(_find_models, tuple(paths)))

    def close(self) -> None:
        """Drop what is being looked at and wait until its thread has let go."""
        self._looking.close()

    def _on_looked(self, found: _Models | None) -> None:
        if found is None:
            return
        if len(found.reports) > 1:
            names = ", ".join(path.name for path, _, _ in found.reports)
            words = T("App", "These are several models: {names}.")
            hint = shown(T("App", "Drop the one to train on."))
            self.refused.emit(shown(words, names=names), hint, ())
        drop = None
        for path, report, error in found.reports[:1] if len(found.reports) == 1 else ():
            if error is None and report is not None:
                words = T("App", "“{name}” is the base model now ({kind}).")
                drop = self._set(_MODEL, path, words, report)
            elif error is not None:
                self._refuse(path, report, error)
        if found.rest:
            self._workspace.dock_wanted.emit("dataset")
            self._workspace.pictures.offer(Offer.of(found.rest), drop)

    def _set(self, setting: str, path: Path, words: str, report: ModelReport) -> _Drop | None:
        """Name a model in a setting; return what else dropped may join, None without a step."""
        document = self._workspace.document
        family = FAMILIES.get(report.kind)
        kind = shown(family.label) if family is not None else ""
        self._workspace.dock_wanted.emit("model")
        if not document.would_change(setting, path.as_posix()):
            self.noticed.emit(shown(T("App", "“{name}” is chosen already."), name=path.name))
            return None
        drop = _Drop(shown(words, name=path.name, kind=kind))
        document.set_value(setting, path.as_posix(), drop)
        self.understood.emit(drop.words)
        return drop

    def _refuse(self, path: Path, report: ModelReport | None, error: TrainerError) -> None:
        ways: tuple[Way, ...] = ()
        if report is not None and report.kind == OtherKind.LORA:
            use = partial(self._start_from, path, report)
            ways = ((shown(T("App", "Start from its weights")), use),)
        elif report is not None and report.kind == OtherKind.VAE:
            use = partial(self._encode_with, path, report)
            ways = ((shown(T("App", "Use it as VAE")), use),)
        hint = shown(error.hint) if isinstance(error.hint, Text) else ""
        self.refused.emit(shown(error.message), hint, ways)

    def _start_from(self, path: Path, report: ModelReport) -> None:
        self._set(_WEIGHTS, path, T("App", "“{name}” gives the starting weights now."), report)

    def _encode_with(self, path: Path, report: ModelReport) -> None:
        self._set(_VAE, path, T("App", "“{name}” encodes the pictures now."), report)

    def _on_pictures_taken(
        self, places: Sequence[Path], is_added: bool, drop: _Drop | None
    ) -> None:
        names = ", ".join(_names(places))
        words = T("App", "The pictures of this run: {names}.")
        if is_added:
            words = T("App", "Added to the pictures: {names}.")
        said = shown(words, names=names)
        if drop is not None:
            said = shown(T("App", "{first} {second}"), first=drop.words, second=said)
        self.understood.emit(said)


_NAMED = 3


def _names(places: Iterable[Path]) -> list[str]:
    names = [f"“{path.name}”" for path in places]
    return names if len(names) <= _NAMED else [*names[:_NAMED], "…"]


def _find_models(paths: Sequence[Path], _job: Job) -> _Models:
    """Tell models from the rest; looks at names, and into headers."""
    models = [path for path in paths if is_model(path)]
    reports = [_looked_at(path) for path in models]
    return _Models(reports, [path for path in paths if path not in models])


def _looked_at(path: Path) -> tuple[Path, ModelReport | None, TrainerError | None]:
    report = None
    try:
        report = inspect_model(path)
        require_base_model(report, TRAINABLE)
    except TrainerError as error:
        return path, report, error
    return path, report, None
