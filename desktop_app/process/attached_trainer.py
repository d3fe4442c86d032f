"""A trainer that the app did not start, or an earlier run: known by its run folder alone."""

from __future__ import annotations

import os
import signal
import time

from PySide6.QtCore import QObject, Signal

from desktop_app.process.event_file import EventFollower
from desktop_app.process.log_file import LogFile
from desktop_app.process.outcome import ProcessEnd
from desktop_app.process.patience import SAVE_PATIENCE_S, STOP_PATIENCE_S, Patience
from desktop_app.process.trainer_process import other_protocol
from trainer_core.files.presence import is_file, is_folder
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.run_lock import lock_holder
from trainer_core.protocol.command_file import next_command_name, write_command
from trainer_core.protocol.messages import (
    PROTOCOL_VERSION,
    Command,
    Event,
    Failed,
    Finished,
    Hello,
    Phase,
    Progress,
    SampleReady,
    StepDone,
    Stop,
)
from trainer_core.texts import T, text

# A trainer that is interrupted lets go of its lock just before its last word.
_GRACE_S = 1.0
_GONE_S = 5.0  # a disk in the network may be away for a moment


class AttachedTrainer(QObject):
    """Follows a run's events and log from their beginning, and commands it by its control folder.

    The run's lock tells whether the trainer is still at work. Destroying this object does not
    touch the trainer.
    """

    event_received = Signal(object)  # a protocol Event
    began_anew = Signal()  # another run has taken the folder: what was told so far is gone
    stream_disturbed = Signal(object)  # a Text: a command could not be given
    log_received = Signal(list)  # lines that the trainer wrote for people
    ended = Signal(object)  # a ProcessEnd, always the last signal

    def __init__(self, folder: RunFolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._is_over = False
        self._has_last_word = False
        self._free_since: float | None = None
        self._gone_since: float | None = None
        self._stop: Stop | None = None
        self._was_killed = False
        self._patience = Patience(self)
        self._patience.lost.connect(self._terminate)
        self._patience.lost_again.connect(self.kill)
        self._log = LogFile(folder.log_file)
        self._follower = EventFollower(folder.event_file, parent=self)
        self._follower.event_received.connect(self._on_event)
        self._follower.began_anew.connect(self._on_began_anew)
        self._follower.caught_up.connect(self._on_caught_up)

    def send(self, command: Command) -> None:
        """Leave a command in the control folder."""
        try:
            write_command(self._folder.control, command, next_command_name())
        except OSError as error:
            message = T("App", "The trainer cannot be told: {folder} cannot be written: {reason}")
            facts = {"folder": str(self._folder.control), "reason": error.strerror or str(error)}
            self.stream_disturbed.emit(text(message, **facts))

    def stop(
        self,
        *,
        save: bool,
        folder: str = "",
        save_patience_s: float = SAVE_PATIENCE_S,
        stop_patience_s: float = STOP_PATIENCE_S,
    ) -> None:
        """Ask the trainer to stop; when it stays silent for too long, terminate, then kill it."""
        self._stop = Stop(save=save, folder=folder)
        self.send(self._stop)
        self._patience.start(
            save=save, save_patience_s=save_patience_s, stop_patience_s=stop_patience_s
        )

    def kill(self) -> None:
        """End the trainer without any saving, if it is at work on this machine."""
        self._was_killed = True
        # Windows has no SIGKILL; its SIGTERM ends a process as hard.
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))

    def close(self) -> None:
        """Tell nothing more; the trainer goes on."""
        self._is_over = True
        self._patience.end()
        self._follower.close()

    def _terminate(self) -> None:
        if os.name == "posix":
            self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        holder = lock_holder(self._folder.lock_file)  # while it is held, its process id is right
        if holder is None:
            return
        if holder.pid is None or not holder.is_here:
            message = T("App", "The trainer works on another machine and can only be ended there.")
            self.stream_disturbed.emit(text(message))
            return
        try:
            os.kill(holder.pid, number)
        except OSError as error:
            message = T("App", "The trainer cannot be ended from here: {reason}")
            self.stream_disturbed.emit(text(message, reason=error.strerror or str(error)))

    # ---------------------------------------------------------------- following

    def _on_event(self, event: Event) -> None:
        if self._is_over:
            return
        if isinstance(event, Hello) and event.protocol != PROTOCOL_VERSION:
            self._refuse(event)
            return
        self._has_last_word = isinstance(event, Finished | Failed)
        if not isinstance(event, StepDone | Progress):  # those are nowhere in the log
            self._tell_log(self._log.lines_until(event.time))
        self._patience.take_sign_of_life()
        self.event_received.emit(self._in_place(event))
        if self._stop is not None and isinstance(event, Phase) and event.phase == "loading":
            self.send(self._stop)  # at its start a trainer forgets commands given before

    def _on_began_anew(self) -> None:
        self._log = LogFile(self._folder.log_file)
        self._has_last_word = False
        self.began_anew.emit()

    def _on_caught_up(self) -> None:
        self._tell_log(self._log.all_lines())
        if self._is_gone():
            return
        if lock_holder(self._folder.lock_file) is not None:
            self._free_since = None
            return
        if self._free_since is None:
            self._free_since = time.monotonic()
            self._follower.poke()  # what it wrote between our look at the file and at the lock
        elif self._has_last_word or self._was_killed or self._is_late():
            self._end(ProcessEnd(None, not self._has_last_word, was_killed=self._was_killed))

    def _is_gone(self) -> bool:
        """Tell whether the folder is not there, without which nothing is known of the trainer."""
        is_there = is_folder(self._folder.path)
        if is_there or self._has_last_word or self._was_killed:
            self._gone_since = None
            return False
        if self._gone_since is None:
            self._gone_since = time.monotonic()
        elif time.monotonic() - self._gone_since > _GONE_S:
            self._end(ProcessEnd(None, gone_folder=self._folder.path))
        return True

    def _is_late(self) -> bool:
        return time.monotonic() - (self._free_since or 0.0) > _GRACE_S

    def _refuse(self, hello: Hello) -> None:
        hint = text(
            T("App", "The run goes on without this window. Version {version} can show it."),
            version=hello.version,
        )
        self._end(ProcessEnd(None, refusal=other_protocol(hello.protocol), refusal_hint=hint))

    def _end(self, end: ProcessEnd) -> None:
        self.close()
        self._tell_log(self._log.last_lines())
        self.ended.emit(end)

    def _tell_log(self, lines: list[str]) -> None:
        if lines:
            self.log_received.emit(lines)

    def _in_place(self, event: Event) -> Event:
        """Return the event with its picture where it is, should the folder have been moved."""
        if not isinstance(event, SampleReady):
            return event
        present_path = self._folder.samples / event.path.replace("\\", "/").rpartition("/")[2]
        if str(present_path) == event.path or not is_file(present_path):
            return event
        return event.model_copy(update={"path": str(present_path)})
