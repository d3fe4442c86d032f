"""A finding of the audit in words, with paths as they are called inside the folder."""

from __future__ import annotations

from pathlib import Path

from desktop_app.translation import shown
from trainer_core.dataset.audit import Finding
from trainer_core.texts import Text


def what(finding: Finding, folder: Path) -> str:
    """Return what is wrong; paths below ``folder`` begin there."""
    return shown(Text(finding.message.template, _shortened(finding.message, folder)))


def way_out(finding: Finding) -> str:
    """Return what to do about it, "" where nothing can be said."""
    return "" if finding.suggestion is None else shown(finding.suggestion)


def _shortened(message: Text, folder: Path) -> dict[str, str | int | float | bool | None]:
    return {
        name: _below(value, folder) if isinstance(value, str) else value
        for name, value in message.values.items()
    }


def _below(value: str, folder: Path) -> str:
    path = Path(value)
    is_below = path.is_absolute() and path != folder and path.is_relative_to(folder)
    return str(path.relative_to(folder)) if is_below else value
