"""The lists of what was recorded and of what deviates, and the check that reads the latter."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from helpers import vectors
from helpers.source_tree import ROOT

TESTS = ROOT / "tests"
FILES: list[dict[str, Any]] = tomllib.loads(
    (vectors.DATA / "recorded_files.toml").read_text(encoding="utf-8")
)["file"]
READ = [each for each in FILES if "read_by" in each]
NOT_RECORDED = {"parameters.json", "demo_text_features.json"}
# Parts that describe the others.
DESCRIBING = {"base_model", "defaults", "module_names", "special_ids"}

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


# ------------------------------------------------------------- what was recorded


def named(entry: dict[str, str]) -> str:
    return entry["name"]


def test_every_recorded_file_is_listed_once() -> None:
    names = [each["name"] for each in FILES]
    assert len(names) == len(set(names))
    copied = {path.name for path in vectors.DATA.glob("*.json")} - NOT_RECORDED
    assert {each["name"] for each in READ} == copied
    assert all(list(each["left"]) == ["all"] for each in FILES if each not in READ)


@pytest.mark.parametrize("entry", READ, ids=named)
def test_its_readers_are_listed(entry: dict[str, Any]) -> None:
    texts = {
        path.relative_to(TESTS).as_posix(): path.read_text(encoding="utf-8")
        for path in TESTS.rglob("test_*.py")
    }
    readers = {path for path, text in texts.items() if f'"{entry["name"]}"' in text}
    assert readers == set(entry["read_by"])


@pytest.mark.parametrize("entry", READ, ids=named)
def test_each_part_of_it_is_read_or_left(entry: dict[str, Any]) -> None:
    left = {part.partition(":")[0] for part in entry.get("left", {})}
    texts = [(TESTS / path).read_text(encoding="utf-8") for path in entry["read_by"]]
    parts = set(vectors.load(entry["name"])) - DESCRIBING
    unread = {part for part in parts if not any(f'"{part}"' in text for text in texts)}
    assert unread <= left
