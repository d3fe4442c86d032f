"""The sections together."""

from __future__ import annotations

import argparse
from typing import Any

import pytest
from pydantic import ValidationError

from trainer_core.catalogue.entry import Entry
from trainer_core.settings.cli import add_setting_flags, changes_from_flags
from trainer_core.settings.param import ActsIf, Param, Section, acts_if, param
from trainer_core.settings.reference import describe_lines
from trainer_core.settings.rules.effects import idle_values
from trainer_core.settings.schema import TRAIN, Facts, Schema, TrainSettings

EVERY = pytest.mark.parametrize("param", TRAIN.params().values(), ids=lambda param: param.path)


@EVERY
def test_a_name_alone_leads_to_its_setting(param: Param) -> None:
    # Two settings of one name would hide one another here.
    assert TRAIN.path_of(param.name) == param.path


def test_an_unknown_name_leads_nowhere() -> None:
    assert TRAIN.path_of("network_dimm") is None


@EVERY
def test_settings_without_values_have_the_declared_defaults(param: Param) -> None:
    assert TrainSettings().get(param.path) == param.default


def test_every_section_has_a_title_in_the_order_of_the_form() -> None:
    assert list(TRAIN.titles) == list(TRAIN.sections)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        TrainSettings().model.clip_skip = 2


# ------------------------------------------------------------------ other trees, and facts


class MergeSettings(Section):
    """What a tool might ask for."""

    kind: str = param(
        "auto",
        "Kind",
        "How it merges.",
        choices={
            "auto": Entry(label="Detect"),
            "plain": Entry(label="Plain"),
            "svd": Entry(label="SVD"),
        },
    )
    rank: int = param(
        8, "Rank", "Of the result.", minimum=1, step=1, when=(acts_if("kind", "svd"),)
    )
    clamp: float = param(
        1.0, "Clamp", "Largest norm.", minimum=0.0, step=0.1, when=(acts_if("device", "gpu"),)
    )


MERGE = Schema.of_section("merge", "Merge", MergeSettings)


def test_a_single_section_makes_a_schema() -> None:
    settings, problems = MERGE.parse({"merge": {"kind": "svd", "rank": 4}})

    assert problems == []
    assert settings is not None
    assert MERGE.as_raw(settings) == {"merge": {"kind": "svd", "rank": 4, "clamp": 1.0}}
    assert list(MERGE.params()) == ["merge.kind", "merge.rank", "merge.clamp"]
    assert MERGE.path_of("rank") == "merge.rank"
    assert MERGE.path_of("network_dim") is None


@pytest.mark.parametrize(
    ("raw", "message", "hint"),
    [
        ({"merge": {"rnk": 4}}, "There is no setting rnk in [merge].", "rank in [merge]"),
        ({"mrege": {"rank": 4}}, "There is no section [mrege].", "[merge]"),
        ({"rank": 4}, "rank stands above all sections.", "[merge]"),
        ({"merge": {"rank": 0}}, "rank is 0, but must be at least 1.", "8"),
    ],
)
def test_mistakes_are_explained_by_the_names_of_the_schema(
    raw: dict[str, Any], message: str, hint: str
) -> None:
    settings, (problem,) = MERGE.parse(raw)

    assert settings is None
    assert str(problem.message) == message
    assert problem.suggestion is not None
    assert hint in str(problem.suggestion.message)


def test_flags_and_description_come_from_the_schema() -> None:
    parser = argparse.ArgumentParser()
    add_setting_flags(parser, MERGE)
    words = ["--rank", "4", "--set", "kind=plain"]

    changes = changes_from_flags(parser.parse_args(words), MERGE)

    assert changes == {"merge.kind": "plain", "merge.rank": 4}
    assert "[merge]  Merge" in describe_lines(MERGE)
    assert "  rank  (int, default 8, at least 1)" in describe_lines(MERGE)


def hindrance(name: str, kind: str, facts: Facts) -> ActsIf | None:
    settings, _ = MERGE.parse({"merge": {"kind": kind}})
    assert settings is not None
    return MERGE.idle(MERGE.params()[f"merge.{name}"], settings.get, facts)


@pytest.mark.parametrize(
    ("kind", "facts", "acts"),
    [
        ("svd", {}, True),
        ("plain", {}, False),
        ("auto", {"kind": "svd"}, True),
        ("auto", {"kind": "plain"}, False),
        ("auto", {}, True),  # not known yet: better nothing than something wrong
        ("plain", {"kind": "svd"}, False),  # what was chosen counts
    ],
)
def test_a_condition_on_auto_looks_at_what_it_came_to(kind: str, facts: Facts, acts: bool) -> None:
    assert (hindrance("rank", kind, facts) is None) is acts


@pytest.mark.parametrize(
    ("facts", "acts"), [({"device": "gpu"}, True), ({"device": "cpu"}, False), ({}, True)]
)
def test_a_condition_may_be_on_a_fact_alone(facts: Facts, acts: bool) -> None:
    assert (hindrance("clamp", "auto", facts) is None) is acts


def test_a_value_without_effect_is_told_by_the_facts() -> None:
    settings, _ = MERGE.parse({"merge": {"rank": 4}})
    assert settings is not None

    (problem,) = idle_values(MERGE, settings, {"kind": "plain"})
    assert str(problem.message) == "rank has no effect: it acts only if kind is svd."
    assert list(idle_values(MERGE, settings, {"kind": "svd"})) == []
