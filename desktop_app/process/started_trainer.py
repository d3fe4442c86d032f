"""A trainer that the app started: its stream of events, made whole from the event file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QProcessEnvironment, Signal

from desktop_app.process.environment import TrainerCommand
from desktop_app.process.event_file import EventFollower
from desktop_app.process.outcome import ProcessEnd
from desktop_app.process.trainer_process import TrainerProcess
from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.messages import (
    Command,
    Event,
    Failed,
    Finished,
    Hello,
    Overflowed,
    Resumed,
)


class StartedTrainer(QObject):
    """Events come from the trainer's stream.

    When the stream lost some, or breaks off before the end was told, as to an app that hung, or
    the run goes on from an earlier one, they are read from the event file instead, which has all.
    """

    event_received = Signal(object)  # a protocol Event of this run
    past_event_received = Signal(object)  # one of the earlier run that this one goes on from
    stream_disturbed = Signal(object)  # a Text
    log_received = Signal(list)  # lines that the trainer wrote for people
    ended = Signal(object)  # a ProcessEnd, always the last signal

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._hello: Hello | None = None
        self._follower: EventFollower | None = None
        self._awaited: list[Event] = []
        self._last: Event | None = None  # of those that were delivered
        self._end: ProcessEnd | None = None
        self._process = TrainerProcess(self)
        self._process.event_received.connect(self._on_stream_event)
        self._process.stream_disturbed.connect(self.stream_disturbed)
        self._process.log_received.connect(self.log_received)
        self._process.ended.connect(self._on_process_ended)

    def start(self, command: TrainerCommand, environment: QProcessEnvironment) -> None:
        """Start the trainer."""
        self._process.start(command, environment)

    def send(self, command: Command) -> None:
        """Send one command."""
        self._process.send(command)

    def stop(self, *, save: bool, folder: str = "") -> None:
        """Ask the trainer to stop; when it stays silent for too long, end it."""
        self._process.stop(save=save, folder=folder)

    def kill(self) -> None:
        """End the trainer at once, without any saving."""
        self._process.kill()

    def _on_stream_event(self, event: Event) -> None:
        if self._follower is not None:
            self._follower.poke()  # the file has this event too, in its place
        elif isinstance(event, Overflowed):
            self._follow(Path(event.path), event.offset)
        elif isinstance(event, Resumed) and self._hello is not None and self._hello.run_folder:
            # What the earlier run said stands before our hello; from hello to here it was heard.
            self._awaited = [self._hello, event]
            self._follow(RunFolder.at(Path(self._hello.run_folder)).event_file)
        else:
            self._deliver(event)

    def _follow(self, path: Path, offset: int = 0) -> None:
        self._follower = EventFollower(path, offset, self)
        self._follower.event_received.connect(self._on_file_event)
        self._follower.caught_up.connect(self._on_caught_up)

    def _on_file_event(self, event: Event) -> None:
        if not self._awaited:
            self._deliver(event)
        elif event == self._awaited[0]:
            del self._awaited[0]
            if not self._awaited and event != self._last:
                self._deliver(event)
        elif isinstance(self._awaited[0], Hello):
            self.past_event_received.emit(event)

    def _on_caught_up(self) -> None:
        if self._awaited:  # the file was damaged where the runs meet
            if self._awaited[-1] != self._last:
                self._deliver(self._awaited[-1])
            self._awaited = []
        if self._end is not None:
            self._close(self._end)

    def _deliver(self, event: Event) -> None:
        if isinstance(event, Hello):
            self._hello = event
        self._last = event
        self.event_received.emit(event)

    def _on_process_ended(self, end: ProcessEnd) -> None:
        self._end = end
        if self._follower is None and not self._follow_unfinished():
            self._close(end)
        elif self._follower is not None:
            self._follower.poke()  # once it has caught up, the run is over

    def _follow_unfinished(self) -> bool:
        """Read on from the last event that was heard, if it is not that of the end."""
        hello, last = self._hello, self._last
        if hello is None or not hello.run_folder or isinstance(last, Finished | Failed):
            return False
        self._awaited = [hello] if last is None or last is hello else [hello, last]
        self._follow(RunFolder.at(Path(hello.run_folder)).event_file)
        return True

    def _close(self, end: ProcessEnd) -> None:
        if self._follower is not None:
            self._follower.close()
        self.ended.emit(end)
