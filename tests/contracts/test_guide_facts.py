"""Every statement of the guides on data has a place where it holds, and that place exists."""

import ast
import tomllib
from functools import cache

import pytest
from helpers.source_tree import ROOT

from trainer_core.settings.document import to_raw
from trainer_core.settings.schema import TRAIN

LISTED = tomllib.loads((ROOT / "tests/data/guide_facts.toml").read_text(encoding="utf-8"))
FACTS = LISTED["fact"]
LAST = 213  # of the list of facts
STATED = ("defaults", "minimum", "maximum", "choices", "help", "acts_with")
PLACES = ("tests", "code", "absent", *STATED)
OTHER_KEYS = {"number", "says", "differs", "later"}


def every_fact_with(key):
    """Run a test for every fact that has ``key``."""
    found = [fact for fact in FACTS if key in fact]
    return pytest.mark.parametrize("fact", found, ids=lambda fact: str(fact["number"]))


@cache
def names_in(path):
    """Return the names of the functions, classes and constants of a file's first level."""
    names = set()
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else ()
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def lacking(folder, places):
    """Return those of the places ``file::name`` that there are not."""
    parts = [place.partition("::") for place in places]
    return [
        f"{path}::{name}"
        for path, _, name in parts
        if not (ROOT / folder / path).is_file() or name not in names_in(f"{folder}/{path}")
    ]


def param_at(path):
    assert path in TRAIN.params(), f"there is no setting {path}"
    return TRAIN.params()[path]


def test_every_statement_is_listed_once():
    later = [number for numbers in LISTED["later"].values() for number in numbers]
    listed = [fact["number"] for fact in FACTS] + later + LISTED["unchecked"]["numbers"]
    assert sorted(listed) == list(range(1, LAST + 1))


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: str(fact["number"]))
def test_every_statement_has_a_place(fact):
    assert fact["says"]
    assert fact.keys() <= {*PLACES, *OTHER_KEYS}
    assert fact.keys() & set(PLACES)
    if "later" in fact:
        assert fact["later"].partition(":")[0] in LISTED["later"]


@every_fact_with("tests")
def test_its_tests_exist(fact):
    assert all(place.partition("::")[2].startswith("test_") for place in fact["tests"])
    assert not lacking("tests", fact["tests"])


@every_fact_with("code")
def test_its_code_exists(fact):
    assert not lacking("trainer_core", fact["code"])


@every_fact_with("absent")
def test_what_should_not_be_a_setting_is_none(fact):
    assert [name for name in fact["absent"] if TRAIN.path_of(name)] == []


@every_fact_with("defaults")
def test_its_settings_have_the_default(fact):
    for path, value in fact["defaults"].items():
        param = param_at(path)
        assert to_raw(param, param.default) == value, path


@pytest.mark.parametrize("bound", ["minimum", "maximum"])
def test_settings_have_the_bounds(bound):
    for fact in FACTS:
        for path, value in fact.get(bound, {}).items():
            assert getattr(param_at(path).spec, bound) == value, path


@every_fact_with("choices")
def test_its_settings_have_the_choices(fact):
    for path, values in fact["choices"].items():
        assert list(param_at(path).spec.choices) == values, path


@every_fact_with("help")
def test_its_help_says_so(fact):
    for path, words in fact["help"].items():
        assert words in param_at(path).spec.help, path


@every_fact_with("acts_with")
def test_its_settings_act_with_others(fact):
    for path, names in fact["acts_with"].items():
        conditions = param_at(path).spec.when
        found = [name for each in conditions for name in (each.name, *each.or_set)]
        assert sorted(found) == sorted(names), path
