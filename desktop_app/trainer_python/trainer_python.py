"""The Python that trains, as the preferences say: which it is, what it has, what is installed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop_app.background import Job, LatestJob
from desktop_app.preferences import Preferences
from desktop_app.process.environment import TrainerCommand, own_python
from desktop_app.trainer_python.discovery import find_pythons
from desktop_app.trainer_python.facts import PackageState, PythonFacts
from desktop_app.trainer_python.installation import Installation, InstallEnd
from desktop_app.trainer_python.own_wheel import write_wheel
from desktop_app.trainer_python.plan import (
    Plan,
    needs_trainer,
    plan_for,
    plan_for_environment,
    with_wheel,
)
from desktop_app.trainer_python.probe import Probe, PythonError, python_at
from desktop_app.trainer_python.requirements import Fit, Requirement, wanted_packages
from trainer_core.environment.torch_choice import TorchBuild, choose_build
from trainer_core.errors import TrainerError
from trainer_core.texts import Text


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was found out about the machine."""

    pythons: tuple[Path, ...]
    build: TorchBuild


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something asked for is not done, and what to do; ``path`` is what was refused."""

    sentence: Text
    hint: Text | None = None
    path: Path | None = None


class TrainerPython(QObject):
    """The Python that trains.

    A Python is taken only once it has answered that it can train; until then, and if it cannot,
    the one before stays.

    Attributes:
        wanted: The packages that it needs.
        facts: What is known of the Python in use; None before the first `look`.
        candidate: The one that is being looked at instead; None if there is none.
        refusal: Why the last candidate was not taken, or an installation could not begin.
        surroundings: Pythons on this machine and the build of torch for it; None until known.
        installation: The one under way; None if there is none.
        last_end: How the last installation ended, and `output` what it wrote.
    """

    chosen = Signal()  # another Python trains from now on
    changed = Signal()  # anything else that is shown
    install_ready = Signal(object)  # a Plan, to be agreed to
    installing = Signal(object)  # an Installation has begun
    installed = Signal(object)  # an InstallEnd

    def __init__(
        self, preferences: Preferences, data_dir: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._data_dir = data_dir
        self._path = self._preferred()
        self._probe: Probe | None = None
        self._machine = LatestJob(self, only_reads=True)
        self._packing = LatestJob(self)
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self.wanted: tuple[Requirement, ...] = wanted_packages()
        self.facts: PythonFacts | None = None
        self.candidate: Path | None = None
        self.refusal: Refusal | None = None
        self.surroundings: Surroundings | None = None
        self.installation: Installation | None = None
        self.last_end: InstallEnd | None = None
        self.output: list[str] = []
        preferences.changed.connect(self._on_preferences_changed)
        self._machine.finished.connect(self._on_machine_known)
        self._packing.finished.connect(self._on_packed)

    @property
    def path(self) -> Path | None:
        """The Python that trains; None in a frozen app as long as none is chosen."""
        return self._path

    @property
    def is_own(self) -> bool:
        """True while the app's own Python trains."""
        return self._preferences.settings.trainer_python is None

    @property
    def command(self) -> TrainerCommand | None:
        """How the trainer is started."""
        return None if self._path is None else TrainerCommand.of_python(self._path)

    @property
    def is_looking(self) -> bool:
        """True while a Python is being asked."""
        return self._probe is not None

    @property
    def is_being_changed(self) -> bool:
        """True while packages are put into the Python that trains."""
        return self.installation is not None and self.installation.plan.target == self._path

    @property
    def states(self) -> list[PackageState]:
        """Every wanted package of the Python in use, and the trainer itself."""
        return [] if self.facts is None else self.facts.states(self.wanted)

    @property
    def lacks_something(self) -> bool:
        """True if something must be installed before it can train."""
        has_broken_torch = self.facts is not None and self.facts.torch_error is not None
        return has_broken_torch or any(state.fit is not Fit.OK for state in self.states)

    @property
    def misses_card(self) -> bool:
        """True if there is a card for which this torch is the wrong build."""
        torch = self.facts.torch if self.facts else None
        build = self.surroundings.build if self.surroundings else None
        return bool(torch and build and torch.backend == "cpu" and build.backend != "cpu")

    # ---------------------------------------------------------------- looking

    def look(self) -> None:
        """Look at the Python in use and around on the machine, anew."""
        self._machine.start(partial(_look_around, self._data_dir))
        if self._path is not None and self.installation is None:
            self._ask(self._path)
        self.changed.emit()

    def choose(self, path: Path) -> None:
        """Look at another Python (or an environment's folder), and take it if it can train."""
        self.refusal = None
        try:
            program = python_at(path)
        except PythonError as error:
            self._refuse(error.message, error.hint, path)
            return
        self.candidate = program
        self._ask(program)
        self.changed.emit()

    def use_own(self) -> None:
        """Go back to the app's own Python."""
        self.refusal = None
        self._preferences.change(trainer_python=None)

    def _ask(self, path: Path) -> None:
        self._stop_asking()
        self._probe = probe = Probe(path, self)
        probe.updated.connect(self._on_updated)
        probe.finished.connect(self._on_finished)
        probe.start()

    def _stop_asking(self) -> None:
        if self._probe is not None:
            self._probe.close()
            self._probe.deleteLater()
            self._probe = None

    def _on_updated(self, facts: PythonFacts) -> None:
        if facts.path == self._path:
            self.facts = facts
        elif facts.path == self.candidate:
            self._take(facts)
        self.changed.emit()

    def _on_finished(self, facts: PythonFacts) -> None:
        probe, self._probe = self._probe, None
        if probe is not None:
            probe.deleteLater()
        if facts.path == self._path:
            self.facts = facts
        self.candidate = None
        if facts.path != self._path and facts.problem is not None:
            self._refuse(facts.problem, facts.hint, facts.path)
        self.changed.emit()

    def _take(self, facts: PythonFacts) -> None:
        self.candidate = self.last_end = None
        self.facts = facts
        self._path = facts.path  # so that the probe, which goes on, is about the one in use
        own = facts.path == own_python()
        self._preferences.change(trainer_python=None if own else facts.path)
        self.chosen.emit()

    def _refuse(self, sentence: Text, hint: Text | None, path: Path | None = None) -> None:
        self.refusal = Refusal(sentence, hint, path)
        self.changed.emit()

    def _preferred(self) -> Path | None:
        return self._preferences.settings.trainer_python or own_python()

    def _on_preferences_changed(self) -> None:
        if self._preferred() != self._path:
            self._path, self.facts, self.candidate = self._preferred(), None, None
            self.last_end = None
            self._stop_asking()
            self.chosen.emit()
            self.look()

    def _on_machine_known(self, found: Surroundings | None) -> None:
        self.surroundings = found
        self.changed.emit()

    # ---------------------------------------------------------------- installing

    def prepare_install(self, *, replaces_torch: bool = False) -> None:
        """Work out what would be installed; `install_ready` tells, and nothing is done yet."""
        facts = self.facts
        if facts is not None and facts.packages is not None:
            pack = needs_trainer(facts)
            wanted = self.wanted
            self._prepare(
                lambda build: plan_for(facts, wanted, build, replaces_torch=replaces_torch), pack
            )

    def prepare_environment(self, python: Path, folder: Path) -> None:
        """Work out what an environment made by ``python`` in ``folder`` would get."""
        wanted = self.wanted
        self._prepare(lambda build: plan_for_environment(python, folder, wanted, build), True)

    def install(self, plan: Plan) -> None:
        """Install what was agreed to."""
        if self.installation is not None:
            return
        self.refusal = self.last_end = None
        self.output = []
        self._stop_asking()
        self.installation = installation = Installation(plan, self)
        installation.environment_made.connect(self._on_environment_made)
        installation.ended.connect(self._on_install_ended)
        self.installing.emit(installation)
        installation.start()
        self.changed.emit()

    def cancel(self) -> None:
        """End the installation under way; what is done stays."""
        if self.installation is not None:
            self.installation.cancel()

    def close(self) -> None:
        """Leave no process and no thread at work."""
        self._stop_asking()
        if self.installation is not None:
            self.installation.close()
            self.installation = None
        self._machine.close()
        self._packing.close()
        self._forget_wheel()

    def _prepare(self, make: Callable[[TorchBuild], Plan], packs_trainer: bool) -> None:
        if self.installation is not None:
            return
        self._forget_wheel()
        self._scratch = tempfile.TemporaryDirectory(prefix="lora-loom-", ignore_cleanup_errors=True)
        folder = Path(self._scratch.name) if packs_trainer else None
        self._packing.start(partial(_pack, make, folder))

    def _on_packed(self, result: Plan | TrainerError | None) -> None:
        if isinstance(result, Plan):
            self.install_ready.emit(result)
        elif isinstance(result, TrainerError):
            self._refuse(result.message, result.hint)

    def _on_environment_made(self, python: Path) -> None:
        self._preferences.change(trainer_python=python)

    def _on_install_ended(self, end: InstallEnd) -> None:
        installation, self.installation = self.installation, None
        if installation is not None:
            self.output = installation.output
            installation.deleteLater()
        self._forget_wheel()
        self.last_end = end
        self.installed.emit(end)
        self.look()

    def _forget_wheel(self) -> None:
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None


def free_gb(folder: Path) -> float | None:
    """Return how much room the disk of a folder, there or not yet, has; None if unknown."""
    for place in (folder, *folder.parents):
        if place.is_dir():
            try:
                return shutil.disk_usage(place).free / 1e9
            except OSError:
                return None
    return None


def _look_around(data_dir: Path, job: Job) -> Surroundings:
    return Surroundings(tuple(find_pythons(data_dir)), choose_build())


def _pack(make: Callable[[TorchBuild], Plan], folder: Path | None, job: Job) -> Plan | TrainerError:
    plan = make(choose_build())
    try:
        return with_wheel(plan, None if folder is None else write_wheel(folder))
    except TrainerError as error:
        return error
