"""The trainer as a child process: one signal per event, one per log line, one at its end."""

from __future__ import annotations

import json
import re
from collections import deque

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal

from desktop_app.process.environment import TrainerCommand, give_own_session, kill_session
from desktop_app.process.lines import LineSplitter
from desktop_app.process.outcome import TRAINER_PAGE, ProcessEnd
from desktop_app.process.patience import SAVE_PATIENCE_S, STOP_PATIENCE_S, Patience
from trainer_core.environment.launch import EVENTS_VARIABLE
from trainer_core.errors import ProtocolError
from trainer_core.protocol.codec import MAX_LINE_BYTES, decode_event, encode
from trainer_core.protocol.messages import PROTOCOL_VERSION, Command, Event, Failed, Hello, Stop
from trainer_core.texts import T, Text, text

_LACKING = re.compile(r"No module named '?([\w.]+)'?")
_LAST_WORDS = 20  # lines of the log that may tell why it did not even begin


class TrainerProcess(QObject):
    """One run of the trainer.

    The first event must be `Hello` in our protocol version, or `Failed` if it could not start;
    anything else is refused in words. Lines that are not events are reported and survived.

    Destroying this object kills the trainer, so leave the app only after `ended`, or by
    ``os._exit`` once the trainer has answered `Detach`.
    """

    event_received = Signal(object)  # a protocol Event
    stream_disturbed = Signal(object)  # a Text: something on the stream is no event
    log_received = Signal(list)  # lines that the trainer wrote for people
    ended = Signal(object)  # a ProcessEnd, always the last signal

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._events = LineSplitter(MAX_LINE_BYTES)
        self._log = LineSplitter(MAX_LINE_BYTES)
        self._is_introduced = False
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._refusal: tuple[Text, Text] | None = None
        self._was_killed = False
        self._process = QProcess(self)
        self._patience = Patience(self)
        self._patience.lost.connect(self._process.terminate)
        self._patience.lost_again.connect(self.kill)
        self._process.readyReadStandardOutput.connect(self._on_output)
        self._process.readyReadStandardError.connect(self._on_log)
        self._process.errorOccurred.connect(self._on_error)
        self._process.finished.connect(self._on_finished)

    def start(self, command: TrainerCommand, environment: QProcessEnvironment) -> None:
        """Start the trainer in a session of its own, out of reach of a terminal's Ctrl-C."""
        environment.insert(EVENTS_VARIABLE, "1")
        self._process.setProcessEnvironment(environment)
        give_own_session(self._process)
        self._process.start(command.program, list(command.arguments))

    def send(self, command: Command) -> None:
        """Send one command, if there is anyone to read it."""
        if self._process.state() is not QProcess.ProcessState.NotRunning:
            self._process.write(encode(command))

    def stop(
        self,
        *,
        save: bool,
        folder: str = "",
        save_patience_s: float = SAVE_PATIENCE_S,
        stop_patience_s: float = STOP_PATIENCE_S,
    ) -> None:
        """Ask the trainer to stop; when it stays silent for too long, terminate, then kill it.

        While it saves, every event counts as a sign of life.
        """
        self.send(Stop(save=save, folder=folder))
        self._patience.start(
            save=save, save_patience_s=save_patience_s, stop_patience_s=stop_patience_s
        )

    def kill(self) -> None:
        """End the trainer and whatever it started, without any saving."""
        self._was_killed = True
        kill_session(self._process)

    def close(self) -> None:
        """End the trainer without a word, and wait until it is gone."""
        self.blockSignals(True)
        if self._process.state() is not QProcess.ProcessState.NotRunning:
            self.kill()
            self._process.waitForFinished(2000)

    # ---------------------------------------------------------------- reading

    def _on_output(self) -> None:
        for line in self._events.feed(bytes(self._process.readAllStandardOutput().data())):
            self._on_line(line)

    def _on_log(self) -> None:
        self._tell_log(self._log.feed(bytes(self._process.readAllStandardError().data())))

    def _tell_log(self, lines: list[bytes]) -> None:
        if lines:
            words = [line.decode(errors="replace") for line in lines]
            self._last_words.extend(words)
            self.log_received.emit(words)

    def _on_line(self, line: bytes) -> None:
        if self._refusal is not None:
            return
        try:
            event = decode_event(line)
        except ProtocolError as error:
            protocol = None if self._is_introduced else _announced_protocol(line)
            if protocol is None:
                self.stream_disturbed.emit(error.message)
            else:
                self._refuse_protocol(protocol)
            return
        if event is None:
            kind = json.loads(line)["event"]
            self.stream_disturbed.emit(text(T("App", "Unknown event “{kind}”."), kind=kind))
        else:
            self._on_event(event)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Hello) and event.protocol != PROTOCOL_VERSION:
            self._refuse_protocol(event.protocol)
            return
        if not self._is_introduced and not isinstance(event, Hello | Failed):
            self._refuse(text(T("App", "What was started as the trainer is not LoRA Loom's.")))
            return
        self._is_introduced = True
        self._patience.take_sign_of_life()
        self.event_received.emit(event)

    def _refuse_protocol(self, protocol: int) -> None:
        self._refuse(other_protocol(protocol))

    def _refuse(self, reason: Text) -> None:
        hint = T("App", "The preferences put the same version into the trainer's Python.")
        self._refusal = (reason, text(hint))
        self.kill()

    # ---------------------------------------------------------------- the end

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is not QProcess.ProcessError.FailedToStart:
            return  # every other error is followed by finished
        reason = text(
            T("App", "{program} cannot be started: {reason}"),
            program=self._process.program(),
            reason=self._process.errorString(),
        )
        hint = text(T("App", "Choose the Python that trains in the preferences."))
        page = TRAINER_PAGE
        self.ended.emit(ProcessEnd(-1, refusal=reason, refusal_hint=hint, preferences_page=page))

    def _on_finished(self, exit_code: int, status: QProcess.ExitStatus) -> None:
        self._patience.end()
        self._on_output()
        self._on_log()
        for line in self._events.close():
            self._on_line(line)
        self._tell_log(self._log.close())
        refusal = self._refusal or self._lacking()
        reason, hint = refusal or (None, None)
        has_crashed = status is QProcess.ExitStatus.CrashExit
        page = TRAINER_PAGE if refusal else ""
        self.ended.emit(ProcessEnd(exit_code, has_crashed, reason, hint, self._was_killed, page))

    def _lacking(self) -> tuple[Text, Text] | None:
        """Return what its Python lacks, if that kept the trainer from beginning."""
        found = [_LACKING.search(line) for line in self._last_words]
        names = [match[1] for match in found if match]
        if self._is_introduced or self._was_killed or not names:
            return None
        hint = text(T("App", "The preferences install what is missing."))
        if names[-1].partition(".")[0] == "trainer_core":
            return text(T("App", "The chosen Python has no LoRA Loom trainer.")), hint
        return text(T("App", "The trainer's Python lacks {name}."), name=names[-1]), hint


def other_protocol(version: int) -> Text:
    """Return the words for a trainer of another protocol version."""
    template = T("App", "The trainer speaks version {theirs} of the protocol, the app {ours}.")
    return text(template, theirs=version, ours=PROTOCOL_VERSION)


def _announced_protocol(line: bytes) -> int | None:
    """Return the protocol of a hello that we cannot read otherwise."""
    try:
        hello = json.loads(line)
        is_hello = hello["event"] == "hello" and isinstance(hello["protocol"], int)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return hello["protocol"] if is_hello else None
