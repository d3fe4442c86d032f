"""The app's own records and what it hears, damaged in many ways, count as missing, no more."""

from __future__ import annotations

from pathlib import Path

from helpers.app_parsers import app_parsers
from helpers.mutations import failures_of


def test_whatever_is_damaged_no_error_escapes(qapp: object, tmp_path: Path) -> None:
    failures = failures_of(app_parsers(tmp_path))

    assert not failures, f"{len(failures)} failures\n" + "\n".join(failures[:20])
