"""A finding of the audit in words, with paths as they are called inside their folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from desktop_app.translation import shown, shown_offer
from trainer_core.dataset.findings import Finding
from trainer_core.texts import Text


def finding_words(finding: Finding, *folders: Path) -> str:
    """Return what is wrong; paths below one of the folders begin there."""
    return shown(Text(finding.message.template, _shortened(finding.message, folders)))


def way_out(finding: Finding) -> str:
    """Return what to do about it, "" where nothing can be said."""
    return "" if finding.suggestion is None else shown(finding.suggestion)


def offer(finding: Finding) -> str:
    """Return the same as a button says it."""
    return "" if finding.suggestion is None else shown_offer(finding.suggestion)


def _shortened(
    message: Text, folders: Sequence[Path]
) -> dict[str, str | int | float | bool | None]:
    return {
        name: _below(value, folders) if isinstance(value, str) else value
        for name, value in message.values.items()
    }


def _below(value: str, folders: Sequence[Path]) -> str:
    path = Path(value)
    above = [f for f in folders if path.is_absolute() and path != f and path.is_relative_to(f)]
    return str(path.relative_to(max(above, key=lambda f: len(f.parts)))) if above else value
