"""The report of a failed run: plain text to show to somebody who can help."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import qVersion

from desktop_app.models.runs.log_model import LogModel
from desktop_app.models.runs.run_record import RunRecord
from desktop_app.translation import shown
from desktop_app.words.failures import Failure
from trainer_core.files.reading import open_regular
from trainer_core.texts import T, Text
from trainer_core.version import __version__

_LOG_LINES = 40
_TAIL_BYTES = 64 * 1024


def report_text(failure: Failure, record: RunRecord, log: LogModel, log_file: Path | None) -> str:
    """Return versions, what happened, and the end of the log.

    Args:
        failure: What happened, in words.
        record: What is known of the run.
        log: What it said to people.
        log_file: Where to look if the app heard nothing of that.
    """
    facts = record.used.records.facts
    used = (str(facts.get(key, "")) for key in ("device", "precision", "torch", "optimizer"))
    lines = [
        shown(T("App", "LoRA Loom {version}, {system}"), version=__version__, system=_system()),
        shown(T("App", "Used: {facts}"), facts=", ".join(filter(None, used)) or "–"),
        "",
        failure.headline,
        failure.when,
        failure.reason,
        failure.advice,
        "",
        shown(T("App", "The end of the log:")),
        *(_log_lines(log) or _file_lines(log_file)),
    ]
    return "\n".join(lines) + "\n"


def _system() -> str:
    python = platform.python_version()
    return f"{platform.platform()}, Python {python}, Qt {qVersion()}"


def _log_lines(log: LogModel) -> Sequence[str]:
    newest = log.lines[-_LOG_LINES:]
    return [
        shown(line.message) if isinstance(line.message, Text) else line.message for line in newest
    ]


def _file_lines(log_file: Path | None) -> Sequence[str]:
    if log_file is None:
        return ()
    try:
        with open_regular(log_file) as file:
            file.seek(max(file.seek(0, os.SEEK_END) - _TAIL_BYTES, 0))
            return file.read().decode(errors="replace").splitlines()[-_LOG_LINES:]
    except OSError:
        return ()
