"""A run from its file to its end, with every way it can end told as an event.

What is wrong with a run is found, and its folder made, before torch is imported, which takes
seconds.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer_core.catalogue.methods import USUAL_METHOD
from trainer_core.environment.launch import is_first_process, process_count
from trainer_core.errors import (
    InternalError,
    OutputError,
    StateError,
    StopRequested,
    TrainerError,
    about,
)
from trainer_core.events.border import serve
from trainer_core.events.emitter import Emitter
from trainer_core.events.tensorboard import TensorBoardLog
from trainer_core.files.replaced_run import ReplacedRun
from trainer_core.files.run_folder import STATE_SUFFIX, RunFolder
from trainer_core.files.run_lock import RunLock
from trainer_core.model_files.base_hash import hash_of_file
from trainer_core.preflight import examine
from trainer_core.protocol.messages import (
    Detached,
    Failed,
    Finished,
    Hello,
    Phase,
    Stop,
)
from trainer_core.runtime.libraries import quick_imports
from trainer_core.runtime.streams import GuardedStreams
from trainer_core.settings.schema import TRAIN
from trainer_core.texts import T, Text, text
from trainer_core.train.ahead.problems import tell_problems
from trainer_core.train.control import Control
from trainer_core.train.earlier.going_on import (
    finished_files,
    newest_sound_state,
    newest_state,
    ways_on,
)
from trainer_core.train.earlier.own_files import OwnFiles
from trainer_core.train.inputs import RunInputs, run_inputs, save_schedule
from trainer_core.train.run_start import RunStart, decide_start, remove_leftovers_of, run_id_of
from trainer_core.version import __version__

if TYPE_CHECKING:  # these bring torch along
    from trainer_core.checkpoints.state import SavedState
    from trainer_core.train.loop import Loop

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for: a raw document with absolute paths, and how to start."""

    raw: Mapping[str, Any]
    overwrite: bool = False
    go_on: bool = False


class Run:
    """One run of the trainer process."""

    def __init__(self, request: Request, streams: GuardedStreams, emitter: Emitter) -> None:
        self._request = request
        self._streams = streams
        self._emitter = emitter
        self._control = Control(
            warn=emitter.warn,
            detached=lambda: emitter.emit(Detached(time=time.time())),
            has_terminal=streams.has_terminal,
        )
        self._start: RunStart | None = None
        self._loop: Loop | None = None
        self._method = USUAL_METHOD
        self._ended_before: Finished | None = None
        self._sound_state: Path | None = None
        self._is_completed = False
        self._hold = ExitStack()  # has the run's lock until everything is put right
        self._held: RunFolder | None = None
        self._started = time.monotonic()

    def __call__(self, *, takes_commands: bool) -> int:
        """Train; return the process's exit code.

        Args:
            takes_commands: Whether stdin carries commands of an app.
        """
        self._control.watch_signals()
        if takes_commands:
            self._control.watch_stdin()
        try:
            with ExitStack() as resources:
                stop = self._train(resources)
                self._tell_end(stop)
        except StopRequested:
            self._tell_end(Stop(save=False))
        except TrainerError as error:
            return self._tell_failure(error)
        except Exception as error:
            if self._control.is_impatient:  # numpy's import makes another error of the interrupt
                raise KeyboardInterrupt from None
            if self._loop is None:
                raise
            _log.exception("unexpected error")
            return self._tell_failure(InternalError.of(error))
        signal = self._control.signal
        return 128 + signal if signal is not None else 0

    def _train(self, resources: ExitStack) -> Stop | None:
        inputs = self._check()
        self._method = inputs.settings.model.training_method
        start = self._begin(inputs, resources) if is_first_process() else None
        if self._ended_before is not None:
            return None
        base = hash_of_file(inputs.settings.model.pretrained_model_name_or_path)
        # Imported only now: whatever can be refused without torch has been refused.
        with quick_imports():
            from trainer_core.runtime.device import out_of_memory_in_words
            from trainer_core.train.session import meet, open_loop

        self._control.stop_if_asked()
        with out_of_memory_in_words():
            team, agreed = meet(inputs, start)
            resources.callback(team.close)
            self._loop = open_loop(inputs, agreed, team, self._emitter, self._control, base)
            if start is not None and start.replaces:
                self._open_records(start, inputs, resources)
            return self._loop.run()

    def _check(self) -> RunInputs:
        found = examine(self._request.raw, goes_on=self._request.go_on)
        tell_problems(found, self._emitter.warn)
        return run_inputs(found)

    def _begin(self, inputs: RunInputs, resources: ExitStack) -> RunStart | None:
        """Decide where the run begins, and take possession of its folder; None if all is done."""
        output = inputs.settings.output
        assert output.output_dir is not None
        folder = RunFolder(output.output_dir, output.output_name)
        with about(setting="output.output_name"):
            folder.refuse_obstacles()
        lock = RunLock(folder.lock_file)
        if ReplacedRun(folder).is_any():
            with contextlib.suppress(OSError):  # told below, where the lock is taken
                folder.path.mkdir(exist_ok=True)
        if folder.path.is_dir():  # another trainer may be at work in it
            self._hold.enter_context(lock)
            remove_leftovers_of(folder)
            self._recover(folder)
        if self._request.go_on and process_count() == 1:
            finished = finished_files(folder, save_schedule(inputs))
            if finished is not None:
                self._held = folder
                self._tell_all_was_done(folder, finished, inputs.plan.total_steps)
                return None
        start = decide_start(
            folder,
            seed=inputs.settings.hardware.seed,
            state=self._state(folder, output.resume),
            overwrite=self._request.overwrite,
        )
        start.make_folders()
        if not lock.is_held:
            self._hold.enter_context(lock)
        self._start, self._held = start, folder
        if not lock.has_locks:
            self._warn_of_no_locks(folder)
        if not start.replaces:
            if start.state is None:
                start.clear()
            self._open_records(start, inputs, resources)
        return start

    def _recover(self, folder: RunFolder) -> None:
        """Put back what a run set aside that was killed before its first save."""
        if ReplacedRun(folder).recover():
            message = T(
                "Events", "The run that was to replace {name} was never saved: {name} is put back."
            )
            self._emitter.warn(text(message, name=folder.name))

    def _warn_of_no_locks(self, folder: RunFolder) -> None:
        message = T("Events", "The file system of {folder} has no locks.")
        hint = T("Events", "Do not start a second run of this name before this one has ended.")
        self._emitter.warn(text(message, folder=folder.path), text(hint))

    def _state(self, folder: RunFolder, resume: Path | None) -> SavedState | None:
        path = resume
        if self._request.go_on:
            path = newest_state(folder, may_begin_anew=self._request.overwrite)
        if path is None:
            return None
        # Imported only where there is a state: it brings torch along.
        with quick_imports():
            from trainer_core.checkpoints.state import read_state

        with about(setting="output.resume"):
            try:
                return read_state(path)
            except StateError as error:
                self._sound_state = newest_sound_state(folder, damaged=path)
                error.hint = ways_on(self._sound_state)
                raise

    def _tell_all_was_done(self, folder: RunFolder, own: OwnFiles, total_steps: int) -> None:
        """Say that nothing is left to do, in the run's own records too."""
        self._open_events(folder, run_id_of(folder) or "")
        own.tell_untold(folder.output_dir, self._emitter.emit)
        message = T(
            "Events",
            "[steps:The only step|All {steps} steps] of {name} [steps:is|are] done, and its files "
            "are there.",
        )
        hint = T("Events", "To train it longer, raise its length; to train it anew, overwrite it.")
        self._emitter.warn(text(message, steps=total_steps, name=folder.name), text(hint))
        weights, state = own.newest_weights(until=total_steps), folder.newest_state()
        self._ended_before = Finished(
            reason="completed",
            step=total_steps,
            total_steps=total_steps,
            seconds=0.0,
            weights=None if weights is None else str(folder.output_dir / weights),
            state=None if state is None else str(state),
            method=self._method,
        )

    def _open_events(self, folder: RunFolder, run_id: str) -> None:
        self._streams.open_log(folder.log_file)
        self._emitter.emit(
            Hello(version=__version__, pid=os.getpid(), run_id=run_id, run_folder=str(folder.path))
        )
        self._emitter.open_file(folder.event_file)

    def _open_records(self, start: RunStart, inputs: RunInputs, resources: ExitStack) -> None:
        """Open log, event file, control folder and TensorBoard files."""
        folder = start.folder
        self._open_events(folder, start.run_id)
        self._control.watch_folder(folder.control)
        start.record(TRAIN.as_raw(inputs.settings))
        logging_dir = inputs.settings.output.logging_dir
        if logging_dir is not None:
            name = f"{folder.name}-{start.run_id}"
            with about(setting="output.logging_dir"):
                board = TensorBoardLog(logging_dir / name, from_step=self._first_step())
            self._emitter.listeners.append(board)
            resources.callback(board.close)

    # ------------------------------------------------------------- the end

    def leave(self) -> None:
        """Put right what was set aside for this run, and let its folder go.

        For the time after the last event: the records are closed then.
        """
        with self._hold:
            if self._held is None:
                return
            before, start = ReplacedRun(self._held), self._start
            try:
                if self._is_completed:
                    before.let_go()
                elif start is not None and start.replaces:
                    before.put_back()
            except TrainerError as error:
                _log.error("%s", error.sentences)

    def _warn_of_putting_back(self) -> None:
        """Say that what was to be replaced comes back, if it was set aside for nothing."""
        start = self._start
        if start is not None and start.replaces and ReplacedRun(start.folder).comes_back():
            message = T("Events", "{name} was not saved: what it was to replace is put back.")
            self._emitter.warn(text(message, name=start.folder.name))

    def _tell_end(self, stop: Stop | None) -> None:
        loop = self._loop
        self._is_completed = stop is None
        if stop is not None:
            self._warn_of_putting_back()
        self._emitter.emit(Phase(phase="ended"))
        self._emitter.require_room()
        self._emitter.emit(
            self._ended_before
            or Finished(
                reason="completed" if stop is None else "stopped",
                step=loop.position.step if loop else self._first_step(),
                total_steps=loop.total_steps if loop else 0,
                seconds=time.monotonic() - self._started,
                weights=self._newest_weights(),
                state=self._newest_state(),
                method=self._method,
                data_wait_s=loop.data_wait_s if loop else 0.0,
            )
        )

    def _first_step(self) -> int:
        state = self._start.state if self._start is not None else None
        return state.facts.position.step if state is not None else 0

    def _newest_state(self) -> str | None:
        """Return the state to go on from; what is about to be replaced is none."""
        start = self._start
        if self._sound_state is not None:
            return str(self._sound_state)
        if start is None or (start.replaces and self._loop is None):
            return None
        newest = start.folder.newest_state()
        return str(newest) if newest else None

    def _newest_weights(self) -> str | None:
        if self._start is None or self._loop is None:
            return None
        name = self._loop.saver.own.newest_weights(until=self._loop.position.step)
        return None if name is None else str(self._start.folder.output_dir / name)

    def _tell_failure(self, error: TrainerError) -> int:
        loop = self._loop
        rescued = None if loop is None else loop.rescued
        if loop is not None and rescued is not None:
            error.hint = _way_on(rescued, loop.position.step)
        _log.error("%s", error.sentences)
        with contextlib.suppress(OutputError):
            self._warn_of_putting_back()
        known = {
            "log_file": self._streams.log_file,
            "state": self._newest_state() if rescued is None else _state_in(rescued),
            "step": loop.position.step if loop else None,
        }
        failed = Failed.of(error).model_copy(update=known)
        try:
            self._emitter.emit(failed)
        except OutputError:  # the event file is on the same full disk: the app is told all the same
            self._emitter.emit(failed)
        return 2 if loop is None else 1


def _way_on(rescued: Path, step: int) -> Text:
    if _state_in(rescued) is None:
        hint = T("Errors", "The weights after step {step} are saved in {folder}.")
    else:
        hint = T(
            "Errors",
            "Everything up to step {step} is saved in {folder}. To go on, set {param} to the state "
            "in it, and an output folder that has room.",
        )
    return text(hint, step=step, folder=rescued, param="resume")


def _state_in(rescued: Path) -> str | None:
    states = (str(path) for path in rescued.iterdir() if path.name.endswith(STATE_SUFFIX))
    return next(states, None)


def train(ask: Callable[[], Request]) -> int:
    """Do the work of a trainer process: train what ``ask`` returns; return the exit code."""
    runs: list[Run] = []

    def work(streams: GuardedStreams, emitter: Emitter, takes_commands: bool) -> int:
        runs.append(Run(ask(), streams, emitter))
        return runs[0](takes_commands=takes_commands)

    try:
        return serve(work)
    finally:
        for run in runs:
            run.leave()
