"""The recorded numbers of ``tests/data`` and the cases in which we decided otherwise."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "data"
DEVIATIONS = DATA / "deviations.toml"


def load(file: str) -> Any:
    """Return the content of ``tests/data/<file>``."""
    return json.loads((DATA / file).read_text(encoding="utf-8"))


def entries() -> list[dict[str, str]]:
    """Return every listed deviation: ``file``, ``case``, ``decided_by``, ``reason``."""
    return tomllib.loads(DEVIATIONS.read_text(encoding="utf-8"))["deviation"]


def listed(file: str) -> frozenset[str]:
    """Return the cases of a file that are listed as deviating."""
    return frozenset(entry["case"] for entry in entries() if entry["file"] == file)


def check(file: str, case: str, *, actual: object, recorded: object) -> None:
    """Fail if ``actual`` is not what was recorded, or is although the case is listed.

    ``recorded`` may be a `pytest.approx`.
    """
    deviates = actual != recorded
    if case in listed(file):
        assert deviates, f"{file}, {case}: listed in {DEVIATIONS.name}, but does not deviate"
    else:
        assert actual == recorded, f"{file}, {case}"


def check_listing(file: str, cases: Collection[str]) -> None:
    """Fail if a deviation is listed for a case that is not among those that are checked."""
    stale = listed(file) - set(cases)
    assert not stale, f"{file}: listed in {DEVIATIONS.name}, but no case is called {sorted(stale)}"
