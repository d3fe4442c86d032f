"""One tool from its settings to its end, with every way it can end told as an event."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trainer_core.catalogue.entry import implementation, missing_packages
from trainer_core.catalogue.tools import TOOLS, ToolEntry
from trainer_core.errors import SettingsError, TrainerError
from trainer_core.events.border import serve
from trainer_core.events.emitter import Emitter
from trainer_core.protocol.messages import Failed, Phase, TextData, ToolDone
from trainer_core.runtime.streams import GuardedStreams
from trainer_core.settings.param import Section
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.rules.tools import check_places, check_values
from trainer_core.settings.tools.schema import tool_schema
from trainer_core.texts import T, Text
from trainer_core.tools.base import Reporter, Stopped, Tool, ToolResult
from trainer_core.tools.stop import StopRequest

_log = logging.getLogger(__name__)
_PHASE = "working"


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for: a tool and a raw document with absolute paths."""

    name: str
    raw: Mapping[str, Any]


def use_tool(ask: Callable[[], Request]) -> int:
    """Do what ``ask`` returns, and return the process's exit code."""

    def work(streams: GuardedStreams, emitter: Emitter, takes_commands: bool) -> int:
        stop = StopRequest()
        stop.watch_signals()
        if takes_commands:
            stop.watch_stdin()
        return run_tool(ask(), emitter, stop)

    return serve(work)


def run_tool(request: Request, emitter: Emitter, stop: StopRequest) -> int:
    """Check the settings, do the work, and tell its end.

    Returns:
        0 for a tool that did its work or stopped as it was told, 1 for one that failed, 128 and
        the number of a signal that stopped it.

    Raises:
        TrainerError: The settings cannot be used: nothing was begun.
    """
    entry = TOOLS[request.name]
    tool, settings = prepared(request, emitter.warn)
    reporter = _EventReporter(emitter, stop)
    try:
        reporter.stop_if_asked()
        emitter.emit(Phase(phase=_PHASE))
        result = tool.run(settings, reporter)
    except Stopped:
        _tell_end(emitter, ToolDone(reason="stopped"))
        return 0 if stop.signal is None else 128 + stop.signal
    except TrainerError as error:
        _log.error("%s: %s", entry.label, error.sentences)
        emitter.emit(Failed.of(error))
        return 1
    _tell_end(emitter, _done(result))
    return 0


def prepared(
    request: Request, warn: Callable[[Text, Text | None], object]
) -> tuple[Tool[Section], Section]:
    """Return the tool and its settings, once nothing speaks against them.

    Args:
        request: What was asked for.
        warn: Told what is doubtful about the settings and does not keep the tool from its work.

    Raises:
        TrainerError: The first of what does.
    """
    schema = tool_schema(request.name)
    _require_packages(TOOLS[request.name])
    settings, problems = schema.parse(request.raw)
    tool: Tool[Section] = implementation(TOOLS[request.name].implementation)()
    section: Section | None = None
    if settings is not None:
        section = getattr(settings, request.name)
        problems += check_values(schema, settings, {})
        problems += check_places(schema, settings, {})
    if section is not None and not _errors(problems):
        problems += tool.check(section)
    if section is None or _errors(problems):
        raise _errors(problems)[0].as_error()
    for problem in problems:
        warn(problem.message, problem.suggestion.message if problem.suggestion else None)
    return tool, section


def _errors(problems: list[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def _require_packages(entry: ToolEntry) -> None:
    missing = missing_packages(entry)
    if missing:
        raise SettingsError(
            T("Errors", "{tool} needs {package}, which is not installed."),
            T("Errors", 'Install it into the trainer\'s environment: pip install "{package}"'),
            tool=entry.label,
            package=missing[0],
        )


def _done(result: ToolResult) -> ToolDone:
    lines = tuple(map(TextData.of, result.lines))
    return ToolDone(files=tuple(map(str, result.files)), text=lines)


def _tell_end(emitter: Emitter, done: ToolDone) -> None:
    emitter.emit(Phase(phase="ended"))
    emitter.emit(done)


class _EventReporter(Reporter):
    """Passes on as events what a tool says."""

    def __init__(self, emitter: Emitter, stop: StopRequest) -> None:
        self._emitter = emitter
        self._stop = stop

    def progress(self, done: int, total: int, work: Text) -> None:
        self._emitter.progress(_PHASE, done, total, work)

    def warn(self, message: Text, hint: Text | None = None) -> None:
        self._emitter.warn(message, hint)

    def stop_if_asked(self) -> None:
        self._stop.stop_if_asked()
