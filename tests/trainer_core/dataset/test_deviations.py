"""The list of deviations itself, and the check that reads it."""

from __future__ import annotations

import re

import pytest
from helpers import vectors

KNOWN = {"file": "f.json", "case": "odd", "decided_by": "behaviours 4", "reason": "Because."}


@pytest.fixture
def one_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "entries", lambda: [KNOWN])


@pytest.mark.parametrize("entry", vectors.entries(), ids=lambda e: f"{e['file']}: {e['case']}")
def test_every_deviation_names_a_file_and_the_line_that_decides(entry: dict[str, str]) -> None:
    assert set(entry) == {"file", "case", "decided_by", "reason"}
    assert (vectors.DATA / entry["file"]).is_file()
    decisions = r"((behaviours|guide-facts|issue) \d+|vectors README)"
    assert re.fullmatch(rf"{decisions}(, {decisions})*", entry["decided_by"])
    assert entry["reason"]


def test_no_deviation_is_listed_twice() -> None:
    cases = [(entry["file"], entry["case"]) for entry in vectors.entries()]
    assert len(cases) == len(set(cases))


@pytest.mark.usefixtures("one_listed")
def test_unlisted_deviation_fails() -> None:
    with pytest.raises(AssertionError, match="plain"):
        vectors.check("f.json", "plain", actual=1, recorded=2)


@pytest.mark.usefixtures("one_listed")
def test_listed_deviation_passes() -> None:
    vectors.check("f.json", "odd", actual=1, recorded=2)


@pytest.mark.usefixtures("one_listed")
def test_listed_case_that_does_not_deviate_fails() -> None:
    with pytest.raises(AssertionError, match="does not deviate"):
        vectors.check("f.json", "odd", actual=2, recorded=2)


@pytest.mark.usefixtures("one_listed")
def test_listed_case_that_does_not_exist_fails() -> None:
    with pytest.raises(AssertionError, match="no case is called"):
        vectors.check_listing("f.json", ["plain"])
