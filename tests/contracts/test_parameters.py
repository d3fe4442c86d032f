"""What every declared parameter must carry."""

import ast
import json
import typing
from functools import cache

import pytest
from helpers.source_tree import ROOT, sources
from pydantic import ValidationError

from trainer_core.catalogue.tools import TOOLS
from trainer_core.settings.param import Param, Section
from trainer_core.settings.schema import TRAIN
from trainer_core.settings.tools.schema import tool_schema

OF_A_RUN = list(TRAIN.params().values())
SCHEMAS = [TRAIN, *map(tool_schema, TOOLS)]
SECTIONS: dict[str, type[Section]] = {}
for schema in SCHEMAS:
    SECTIONS |= schema.sections
PARAMETERS = [param for schema in SCHEMAS for param in schema.params().values()]
# Names of our own: the reference decides these by other means.
OWN_NAMES = {
    "save_state_every_n_minutes",  # not offered there
    "more_pictures",  # a dataset there has one folder, or a file of its own that lists them
    "sample_max_side",  # no limit there
    "subsets",  # of [[datasets]] in a file of its own
    "folder_repeats",  # there folders are renamed, or a file lists them with num_repeats
    "skip_image_resolution",  # there since pull request 2273, later than the list
    "left_out",  # there a picture is moved away, or its file renamed
    "prompt_list",  # a file there
    "validation_data_dir",  # there a share of the pictures, or a subset of a dataset's own file
    "autocast",  # always on there
    "allow_tf32",  # not offered there
    "memory_format",  # not offered there
    "training_method",  # a script for each there
    "family",  # three switches there: v2, v_parameterization and sdxl
}
# Words that keep their capital inside a label.
PROPER_NOUNS = {"Huber", "TensorBoard"}


def every_parameter(function):
    """Run a test for every parameter; its message begins with the place of the declaration."""
    return pytest.mark.parametrize("param", PARAMETERS, ids=lambda param: param.path)(function)


def place(param: Param) -> str:
    """Return path, line and name of a parameter's declaration."""
    section = SECTIONS[param.section]
    [source] = [source for source in sources() if source.name == section.__module__]
    declared = (node for node in ast.walk(source.tree) if isinstance(node, ast.AnnAssign))
    lines = [n.lineno for n in declared if getattr(n.target, "id", None) == param.name]
    return f"{source.at(lines[0])} {param.path}"


@cache
def reference_names() -> frozenset[str]:
    """Return the reference's argument names; those inside ``network_args`` without it."""
    entries = json.loads((ROOT / "tests/data/parameters.json").read_text(encoding="utf-8"))
    return frozenset(entry["key"].removeprefix("network_args.") for entry in entries)


@cache
def reference_labels() -> dict[str, set[str]]:
    """Return what the reference's form calls each setting that stands in it."""
    entries = json.loads((ROOT / "tests/data/parameters.json").read_text(encoding="utf-8"))
    return {entry["key"]: {entry["label"]} for entry in entries if entry["label"]}


def is_sentence_case(label: str) -> bool:
    first, *others = label.split()
    # A second capital marks an abbreviation or a name, and one alone a number: VAE, U-Net, N.
    shouted = [w for w in others if w[1:].islower() and not w[0].islower()]
    return not first[0].islower() and all(word in PROPER_NOUNS for word in shouted)


@every_parameter
def test_the_label_is_one_to_three_words_in_sentence_case(param):
    label = param.spec.label
    assert 1 <= len(label.split()) <= 3, f"{place(param)}: {label}"
    assert is_sentence_case(label), f"{place(param)}: {label}"


@every_parameter
def test_the_help_is_made_of_sentences(param):
    assert param.spec.help.endswith("."), f"{place(param)}: {param.spec.help}"


@every_parameter
def test_the_default_is_accepted_by_its_section(param):
    section = SECTIONS[param.section]
    try:
        accepted = section.model_validate({param.name: param.default})
    except ValidationError as error:
        pytest.fail(f"{place(param)} refuses its own default: {error}")
    assert getattr(accepted, param.name) == param.default, place(param)


@every_parameter
def test_the_default_lies_within_the_bounds(param):
    spec = param.spec
    numbers = param.default if isinstance(param.default, tuple) else (param.default,)
    for number in numbers:
        if isinstance(number, int | float):
            assert spec.minimum is None or number >= spec.minimum, place(param)
            assert spec.maximum is None or number <= spec.maximum, place(param)


@every_parameter
def test_numbers_have_a_bound_and_a_way_to_step(param):
    if param.base_type in (int, float) and not param.spec.choices:
        spec = param.spec
        assert spec.minimum is not None or spec.maximum is not None, place(param)
        assert spec.scale == "log" or (spec.step or 0) > 0, place(param)


@every_parameter
def test_a_choice_is_text_or_a_number_that_is_listed_once(param):
    assert typing.get_origin(param.base_type) is not typing.Literal, place(param)
    assert not param.spec.choices or param.base_type in (str, int), place(param)
    for choice in param.spec.choices:
        assert str(param.value_of(choice)) == choice, place(param)


@every_parameter
def test_a_path_says_what_it_points_at(param):
    holds_paths = param.is_path or param.is_path_list
    assert holds_paths == (param.spec.path_kind is not None), place(param)


@pytest.mark.parametrize("param", OF_A_RUN, ids=lambda param: param.path)
def test_the_name_is_the_reference_s(param):
    assert (param.name in reference_names()) != (param.name in OWN_NAMES), (
        f"{place(param)}: not a name of tests/data/parameters.json, or needlessly listed as our own"
    )


@pytest.mark.parametrize("param", OF_A_RUN, ids=lambda param: param.path)
def test_what_kohya_ss_calls_it_is_found(param):
    [label] = reference_labels().get(param.name, {param.spec.label})
    known = {param.spec.label.casefold(), *(each.casefold() for each in param.spec.old_labels)}
    assert label.casefold() in known, f"{place(param)}: {label} is none of its old_labels"


@pytest.mark.parametrize("param", OF_A_RUN, ids=lambda param: param.path)
def test_a_setting_is_shown_before_one_of_another_section(param):
    if param.spec.shown_before:
        host = TRAIN.path_of(param.spec.shown_before)
        assert host is not None, place(param)
        assert host.partition(".")[0] != param.section, place(param)


@every_parameter
def test_conditions_name_other_parameters_and_values_they_take(param):
    [schema] = [schema for schema in SCHEMAS if param.section in schema.sections]
    by_name = {other.name: other for other in schema.params().values()}
    for condition in param.spec.when:
        assert {condition.name, *condition.or_set} <= by_name.keys(), place(param)
        other = by_name[condition.name]
        for value in condition.values:
            section = SECTIONS[other.section]
            try:
                section.model_validate({other.name: value})
            except ValidationError as error:
                pytest.fail(f"{place(param)}: {condition} cannot hold: {error}")


def test_errors_lead_to_settings_that_there_are():
    paths = {param.path for param in PARAMETERS}
    wrong = [
        f"{source.at(keyword.value.lineno)}: {keyword.value.value}"
        for source in sources()
        for call in ast.walk(source.tree)
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "setting"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value not in paths
    ]
    assert not wrong, "\n".join(wrong)


def test_names_are_unique_across_sections():
    names = [param.name for param in OF_A_RUN]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice
