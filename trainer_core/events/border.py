"""The border of the trainer process: streams, logging, and the last catch for the unexpected."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

from trainer_core.environment.launch import (
    events_are_asked_for,
    is_first_process,
    process_rank,
)
from trainer_core.errors import InternalError, TrainerError
from trainer_core.events.emitter import Emitter
from trainer_core.events.plain import PlainProgress
from trainer_core.protocol.messages import Failed, Hello, Phase, TextData
from trainer_core.protocol.words import EventLog
from trainer_core.runtime.libraries import quiet_libraries
from trainer_core.runtime.streams import GuardedStreams
from trainer_core.texts import T, text
from trainer_core.version import __version__

if TYPE_CHECKING:
    from trainer_core.events.terminal import TerminalProgress

_log = logging.getLogger(__name__)
_LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"

#: Does the process's work and returns its exit code. The last argument says whether stdin
#: carries commands of an app.
Work = Callable[[GuardedStreams, Emitter, bool], int]


def serve(work: Work) -> int:
    """Do what the process is for, and return the exit code.

    A program that asks for events (`EVENTS_VARIABLE`) gets them on stdout, and its commands are
    read from stdin; people get a progress bar in a terminal, and plain lines elsewhere.
    """
    with GuardedStreams() as streams, contextlib.ExitStack() as resources:
        # Of several processes the first alone speaks; the others log what goes wrong.
        is_first = is_first_process()
        is_asked = is_first and events_are_asked_for()
        emitter = Emitter(streams.events if is_asked else None, keeps=is_first)
        resources.callback(emitter.close)
        if not is_first:
            _log_to_stderr(f"[process {process_rank()}] {_LOG_FORMAT}", logging.WARNING)
        elif is_asked:
            _log_to_stderr(_LOG_FORMAT)
            emitter.listeners.append(EventLog(sys.stderr.write))
        else:
            _log_to_stderr("%(levelname)s: %(message)s")
            people = _for_people(streams)
            resources.callback(people.close)
            # The log alone: people have been told already.
            emitter.listeners += [people, EventLog(streams.write_log)]
        emitter.emit(Hello(version=__version__, pid=os.getpid()))
        emitter.emit(Phase(phase="starting"))
        return _guarded(work, streams, emitter, takes_commands=is_asked and not os.isatty(0))


def _for_people(streams: GuardedStreams) -> TerminalProgress | PlainProgress:
    """Return what shows the events: a bar where one can be drawn, else lines on stdout."""
    if os.isatty(streams.events) and streams.has_terminal:
        # Imported only where there is a person to look at it.
        from trainer_core.events.terminal import TerminalProgress

        return TerminalProgress(streams.write_terminal)
    return PlainProgress(streams.events)


def _guarded(work: Work, streams: GuardedStreams, emitter: Emitter, *, takes_commands: bool) -> int:
    """Turn whatever escapes the work into a `Failed` event and an exit code.

    ``takes_commands`` must be False in a terminal: reading from it would halt a process in its
    background.
    """
    try:
        return work(streams, emitter, takes_commands)
    except TrainerError as error:
        _log.error("%s", error.sentences)
        _tell(emitter, Failed.of(error))
        return 2
    except KeyboardInterrupt:
        message = text(T("Errors", "Interrupted at once, on request; nothing more was saved."))
        _log.warning("%s", message)
        _tell(emitter, Failed(kind="interrupted", message=TextData.of(message)))
        return 128 + signal.SIGINT
    except Exception as error:  # noqa: BLE001 - the border of the process
        _log.error("%s", traceback.format_exc())
        log = {"log_file": streams.log_file}
        _tell(emitter, Failed.of(InternalError.of(error)).model_copy(update=log))
        return 1


def _tell(emitter: Emitter, failed: Failed) -> None:
    # The event file itself may be what failed; the app is told all the same.
    with contextlib.suppress(TrainerError):
        emitter.emit(failed)


def _log_to_stderr(form: str, level: int = logging.INFO) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(form))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    quiet_libraries()
