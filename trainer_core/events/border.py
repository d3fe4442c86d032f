"""The border of the trainer process: streams, logging, and the last catch for the unexpected."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable

from trainer_core.environment.launch import is_first_process, process_rank
from trainer_core.errors import InternalError, TrainerError
from trainer_core.events.emitter import Emitter
from trainer_core.protocol.messages import Failed, Hello, Phase, TextData
from trainer_core.protocol.words import EventLog
from trainer_core.runtime.libraries import quiet_libraries
from trainer_core.runtime.streams import GuardedStreams
from trainer_core.texts import T, text
from trainer_core.version import __version__

_log = logging.getLogger(__name__)
_LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"

#: Does the process's work and returns its exit code. The last argument says whether stdin
#: carries commands of an app.
Work = Callable[[GuardedStreams, Emitter, bool], int]


def serve(work: Work) -> int:
    """Do what the process is for, and return the exit code.

    With stdout in a terminal a progress bar is shown; otherwise stdout carries events and stdin
    commands.
    """
    with GuardedStreams() as streams:
        # Of several processes the first alone speaks; the others log what goes wrong.
        is_first = is_first_process()
        is_terminal = is_first and os.isatty(streams.events)
        emitter = Emitter(streams.events if is_first and not is_terminal else None, keeps=is_first)
        if is_first:
            _log_to_stderr("%(levelname)s: %(message)s" if is_terminal else _LOG_FORMAT)
        else:
            _log_to_stderr(f"[process {process_rank()}] {_LOG_FORMAT}", logging.WARNING)
        with contextlib.ExitStack() as resources:
            resources.callback(emitter.close)
            if is_terminal:
                # Imported only where there is a person to look at it.
                from trainer_core.events.terminal import TerminalProgress

                bar = TerminalProgress(streams.write_terminal)
                emitter.listeners.append(bar)
                resources.callback(bar.close)
            if is_first:
                # The bar has told the terminal already what the log is told here.
                write_log = streams.write_log if is_terminal else sys.stderr.write
                emitter.listeners.append(EventLog(write_log))
            emitter.emit(Hello(version=__version__, pid=os.getpid()))
            emitter.emit(Phase(phase="starting"))
            return _guarded(work, streams, emitter)


def _guarded(work: Work, streams: GuardedStreams, emitter: Emitter) -> int:
    """Turn whatever escapes the work into a `Failed` event and an exit code."""
    # Reading from a terminal would halt a process in its background.
    is_piped = not os.isatty(streams.events) and not os.isatty(0)
    takes_commands = is_first_process() and is_piped
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
