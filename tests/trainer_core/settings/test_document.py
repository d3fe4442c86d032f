"""A raw document is validated, mended and converted without ever losing what is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from helpers.setting_values import accepted, as_text, refused

from trainer_core.settings.document import (
    UNSET,
    Raw,
    closest,
    from_raw,
    from_text,
    replaced,
    to_raw,
)
from trainer_core.settings.param import Param
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.schema import TRAIN

PARAMS = list(TRAIN.params().values())
OPTIONAL = [param for param in PARAMS if param.is_optional]
ACCEPTED = [(param, raw) for param in PARAMS for raw in accepted(param)]
REFUSED = [(param, raw) for param in PARAMS for raw in refused(param)]


def case_name(value: object) -> str:
    return value.path if isinstance(value, Param) else json.dumps(value)


every_accepted = pytest.mark.parametrize(("param", "raw"), ACCEPTED, ids=case_name)
every_refused = pytest.mark.parametrize(("param", "raw"), REFUSED, ids=case_name)


def one_problem(raw: Raw) -> Problem:
    settings, problems = TRAIN.parse(raw)
    assert settings is None
    (problem,) = problems
    assert problem.severity is Severity.ERROR
    return problem


def mended(raw: Raw, problem: Problem) -> Raw:
    assert problem.suggestion is not None
    return replaced(raw, problem.suggestion.changes)


# ------------------------------------------------------------------ values


@every_accepted
def test_an_accepted_value_comes_back_as_it_was(param: Param, raw: object) -> None:
    settings, problems = TRAIN.parse({param.section: {param.name: raw}})

    assert (problems, settings is None) == ([], False)
    assert settings is not None
    assert to_raw(param, settings.get(param.path)) == raw


@every_accepted
def test_an_accepted_value_survives_a_toml_file(param: Param, raw: object) -> None:
    content = tomlkit.dumps({param.section: {param.name: raw}})

    assert TRAIN.parse(tomlkit.parse(content).unwrap()) == TRAIN.parse(
        {param.section: {param.name: raw}}
    )


@every_accepted
def test_an_accepted_value_survives_a_flag(param: Param, raw: object) -> None:
    typed = from_text(param, as_text(param, raw))

    assert (typed, type(typed)) == (raw, type(raw))


@every_accepted
def test_an_accepted_value_survives_json(param: Param, raw: object) -> None:
    assert json.loads(json.dumps(raw)) == raw


@every_refused
def test_a_refused_value_is_named_with_its_place(param: Param, raw: object) -> None:
    problem = one_problem({param.section: {param.name: raw}})

    assert problem.path == param.path
    # Of a list of tables the table is named too.
    assert str(problem.message).startswith((f"{param.name} ", f"{param.name}[1]"))


@every_refused
def test_the_suggestion_for_a_refused_value_mends_the_document(param: Param, raw: object) -> None:
    document = {param.section: {param.name: raw}}

    settings, problems = TRAIN.parse(mended(document, one_problem(document)))
    assert (settings is None, problems) == (False, [])


@pytest.mark.parametrize(
    ("path", "raw", "message"),
    [
        ("output.save_state", 1, "save_state is 1, but must be true or false."),
        ("model.clip_skip", 4.0, "clip_skip is 4.0, but must be a whole number."),
        ("model.clip_skip", True, "clip_skip is true, but must be a whole number."),
        ("model.clip_skip", "4", 'clip_skip is "4", but must be a whole number.'),
        ("model.clip_skip", UNSET, 'clip_skip is "unset", but must be a whole number.'),
        ("model.clip_skip", 13, "clip_skip is 13, but must be at most 12."),
        ("model.clip_skip", 0, "clip_skip is 0, but must be at least 1."),
        ("optimizer.unet_lr", "1e-4", 'unet_lr is "1e-4", but must be a number.'),
        ("optimizer.unet_lr", float("nan"), "unet_lr is NaN, but must be a number."),
        ("output.output_name", 7, "output_name is 7, but must be text in quotes."),
        ("output.output_dir", 7, "output_dir is 7, but must be a path in quotes."),
        (
            "output.save_precision",
            "fp8",
            'save_precision is "fp8", but must be one of float, fp16, bf16.',
        ),
        ("buckets.resolution", [512], "resolution is [512], but must be a list of 2 values."),
        (
            "buckets.resolution",
            [512, 51.2],
            "resolution holds 51.2, where a whole number is needed.",
        ),
        ("buckets.resolution", [512, 32], "resolution holds 32, but each must be at least 64."),
        (
            "buckets.resolution",
            [512, 9000],
            "resolution holds 9000, but each must be at most 8192.",
        ),
        ("adapter.network_alpha", 2000.0, "network_alpha is 2000, but must be at most 1024."),
        ("adapter.network_alpha", 2000, "network_alpha is 2000, but must be at most 1024."),
        (
            "optimizer.optimizer_args",
            "a=1",
            'optimizer_args is "a=1", but must be a list of texts.',
        ),
        (
            "optimizer.optimizer_args",
            [1],
            "optimizer_args holds 1, where text in quotes is needed.",
        ),
    ],
)
def test_a_problem_says_what_is_there_and_what_is_needed(
    path: str, raw: object, message: str
) -> None:
    assert str(one_problem(replaced({}, {path: raw})).message) == message


def test_a_misspelt_choice_is_guessed() -> None:
    problem = one_problem({"optimizer": {"optimizer_type": "adamW"}})

    assert problem.suggestion is not None
    assert str(problem.suggestion.message) == "Did you mean AdamW?"
    assert problem.suggestion.changes == {"optimizer.optimizer_type": "AdamW"}


def test_a_suggested_default_is_worded_as_in_a_run_file() -> None:
    problem = one_problem({"buckets": {"enable_bucket": 3}})

    assert problem.suggestion is not None
    assert str(problem.suggestion.message) == "Use the default, true."


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("buckets.resolution", "Use the default, 512 × 512."),
        ("optimizer.optimizer_args", "Leave it empty."),
    ],
)
def test_a_default_of_several_values_is_suggested_without_brackets(path: str, words: str) -> None:
    problem = one_problem(replaced({}, {path: "x"}))

    assert problem.suggestion is not None
    assert str(problem.suggestion.message) == words


def test_where_the_default_is_nothing_the_suggestion_says_so() -> None:
    problem = one_problem({"model": {"pretrained_model_name_or_path": 3}})

    assert problem.suggestion is not None
    assert str(problem.suggestion.message) == "Leave it unset."
    assert problem.suggestion.changes == {"model.pretrained_model_name_or_path": "unset"}


def test_a_very_long_value_is_cut() -> None:
    problem = one_problem({"model": {"clip_skip": "x" * 10_000}})

    assert len(str(problem.message)) < 200


def test_a_whole_number_does_for_a_number() -> None:
    settings, problems = TRAIN.parse({"optimizer": {"learning_rate": 1}})

    assert settings is not None
    assert (settings.optimizer.learning_rate, problems) == (1.0, [])


def test_every_mistake_is_named_at_once() -> None:
    raw = {"model": {"clip_skip": 0, "clip": 1}, "modl": {}, "optimizer": {"unet_lr": "fast"}}

    _, problems = TRAIN.parse(raw)

    assert {problem.path for problem in problems} == {
        "model.clip_skip",
        "model.clip",
        "modl",
        "optimizer.unet_lr",
    }


# ------------------------------------------------------------------ unset


@pytest.mark.parametrize("param", OPTIONAL, ids=lambda param: param.path)
def test_unset_stands_for_none_whatever_the_default(param: Param) -> None:
    settings, _ = TRAIN.parse({param.section: {param.name: UNSET}})

    assert settings is not None
    assert settings.get(param.path) is None


@pytest.mark.parametrize("empty", ["", "  "])
@pytest.mark.parametrize(
    "param", [param for param in OPTIONAL if param.is_path], ids=lambda param: param.path
)
def test_an_empty_path_is_unset(param: Param, empty: str) -> None:
    settings, problems = TRAIN.parse({param.section: {param.name: empty}})

    assert settings is not None
    assert (settings.get(param.path), problems) == (None, [])


def test_a_text_that_cannot_be_unset_may_be_that_word() -> None:
    settings, problems = TRAIN.parse({"output": {"output_name": UNSET}})

    assert settings is not None
    assert (settings.output.output_name, problems) == (UNSET, [])


def test_no_default_is_the_word_unset_itself() -> None:
    assert UNSET not in [param.default for param in PARAMS]


# ------------------------------------------------------------------ flags


def test_lists_may_be_typed_with_commas() -> None:
    assert from_text(TRAIN.params()["buckets.resolution"], "512,768") == [512, 768]


def test_one_side_is_a_square_on_the_command_line() -> None:
    assert from_text(TRAIN.params()["buckets.resolution"], "512") == [512, 512]


def test_a_text_of_a_list_may_hold_spaces_in_quotes() -> None:
    param = TRAIN.params()["dataset.folder_repeats"]
    assert from_text(param, '"10_zxq cat=5" 3_dog=2') == ["10_zxq cat=5", "3_dog=2"]


@pytest.mark.parametrize("sides", [768, "768", "768,768", "768 768", [768, 768]])
def test_a_square_may_be_given_by_one_side_or_as_text(sides: object) -> None:
    settings, problems = TRAIN.parse({"buckets": {"resolution": sides}})

    assert settings is not None, problems
    assert settings.buckets.resolution == (768, 768)


def test_a_comma_inside_a_text_stays() -> None:
    words = "weight_decay=0.1 betas=0.9,0.99"

    assert from_text(TRAIN.params()["optimizer.optimizer_args"], words) == [
        "weight_decay=0.1",
        "betas=0.9,0.99",
    ]


@pytest.mark.parametrize(
    ("words", "value"),
    [("true", True), ("False", False), ("1", True), ("0", False), (" TRUE", True)],
)
def test_switches_may_be_typed_in_any_case_or_as_numbers(words: str, value: bool) -> None:
    assert from_text(TRAIN.params()["output.save_state"], words) is value


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("output.save_state", "yes"),
        ("model.clip_skip", "two"),
        ("model.clip_skip", "2.0"),
        ("model.clip_skip", ""),
        ("optimizer.learning_rate", "1e-4 1e-5"),
        ("optimizer.learning_rate", "nan"),
        ("optimizer.learning_rate", "inf"),
        ("buckets.resolution", "512x512"),
        ("model.clip_skip", UNSET),
    ],
)
def test_words_that_do_not_fit_are_refused_by_validation(path: str, words: str) -> None:
    raw = replaced({}, {path: from_text(TRAIN.params()[path], words)})

    assert one_problem(raw).path == path


# ------------------------------------------------------------------ unknown keys


@pytest.mark.parametrize(
    ("raw", "path", "hint"),
    [
        ({"model": {"clip_skp": 2}}, "model.clip_skp", "Did you mean clip_skip in [model]?"),
        ({"model": {"learning_rates": 1.0}}, "model.learning_rates", "in [optimizer]?"),
        ({"model": {"learning_rate": 1.0}}, "model.learning_rate", "It belongs to [optimizer]."),
        ({"model": {"qwertyuiop": 1}}, "model.qwertyuiop", "Remove it."),
        ({"modell": {"clip_skip": 2}}, "modell", "Did you mean [model]?"),
        ({"qwertyuiop": {"clip_skip": 2}}, "qwertyuiop", "Remove it."),
        ({"clip_skip": 2}, "clip_skip", "It belongs to [model]."),
        ({"qwertyuiop": 2}, "qwertyuiop", "Remove it."),
        ({"model": 2}, "model", "Remove it."),
        ({"model": [{"clip_skip": 2}]}, "model", "Remove it."),
    ],
)
def test_what_is_unknown_is_named_with_a_way_out_that_mends_it(
    raw: Raw, path: str, hint: str
) -> None:
    problem = one_problem(raw)

    assert problem.path == path
    assert problem.suggestion is not None
    assert str(problem.suggestion.message).endswith(hint)
    settings, problems = TRAIN.parse(mended(raw, problem))
    assert (settings is None, problems) == (False, [])


@pytest.mark.parametrize(
    "raw",
    [
        {"model": {"clip_skp": 2}},
        {"modell": {"clip_skip": 2}},
        {"output": {"clip_skip": 2}},
        {"clip_skip": 2},
    ],
)
def test_mending_a_misplaced_setting_keeps_its_value(raw: Raw) -> None:
    assert mended(raw, one_problem(raw))["model"]["clip_skip"] == 2


def test_a_name_that_only_resembles_one_of_ours_is_not_guessed() -> None:
    problem = one_problem({"dataset": {"control_data_dir": "pictures"}})

    assert problem.suggestion is not None
    assert str(problem.suggestion.message) == "Remove it."


def test_swapped_letters_and_case_do_not_hide_what_was_meant() -> None:
    assert closest("netwrok_dim", ["network_dim", "network_alpha"]) == "network_dim"
    assert closest("adamw", ["AdamW", "AdamW8bit"]) == "AdamW"


def test_closest_is_near_or_nothing() -> None:
    assert closest("lerning_rate", ["learning_rate", "unet_lr"]) == "learning_rate"
    assert closest("qwertyuiop", ["learning_rate", "unet_lr"]) is None


# ------------------------------------------------------------------ trees


def test_settings_as_raw_validate_to_the_same_settings() -> None:
    changes = {param.path: list(accepted(param))[-1] for param in PARAMS}
    settings, _ = TRAIN.parse(replaced({}, changes))

    assert settings is not None
    assert TRAIN.parse(TRAIN.as_raw(settings)) == (settings, [])


def test_completed_writes_every_setting_of_the_sections_that_are_there() -> None:
    raw = TRAIN.completed({"model": {"clip_skip": 2}, "output": {}})

    assert list(raw) == ["model", "output"]
    assert set(raw["output"]) == set(TRAIN.sections["output"].model_fields)
    assert raw["model"]["clip_skip"] == 2
    assert raw["output"]["output_dir"] == UNSET


def test_completed_keeps_what_is_unknown_or_broken() -> None:
    raw = TRAIN.completed({"modl": {"a": 1}, "model": {"clip": 1}, "dataset": 3})

    assert (raw["modl"], raw["model"]["clip"], raw["dataset"]) == ({"a": 1}, 1, 3)


def test_completed_leaves_its_argument_alone() -> None:
    raw: Raw = {"model": {}}
    TRAIN.completed(raw)

    assert raw == {"model": {}}


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        ({}, {"model.clip_skip": 2}, {"model": {"clip_skip": 2}}),
        ({"model": {"a": 1}}, {"model.a": None}, {"model": {}}),
        ({"model": {"a": 1}}, {"model": None}, {}),
        ({"model": {"a": 1}}, {"model.b": None}, {"model": {"a": 1}}),
        ({}, {"model.b": None, "model": None}, {}),
        ({"model": 3}, {"model.clip_skip": 2}, {"model": {"clip_skip": 2}}),
        ({"model": 3}, {"model.clip_skip": None}, {"model": 3}),
        ({"model": {"a": 1}}, {"model": None, "model.b": 2}, {"model": {"b": 2}}),
    ],
)
def test_replaced_sets_and_removes_by_path(
    before: Raw, changes: dict[str, Any], after: Raw
) -> None:
    untouched = json.dumps(before)

    assert replaced(before, changes) == after
    assert json.dumps(before) == untouched


def test_values_that_are_no_value_are_left_to_validation() -> None:
    assert from_raw(TRAIN.params()["model.clip_skip"], "two") == "two"


# ------------------------------------------------------------------ paths


def absolute(value: object, folder: Path) -> object:
    raw = TRAIN.with_absolute_paths({"dataset": {"train_data_dir": value}}, folder)
    return raw["dataset"]["train_data_dir"]


def test_relative_paths_are_meant_from_the_folder_of_the_file(tmp_path: Path) -> None:
    assert absolute("pictures/cat", tmp_path) == str(tmp_path / "pictures" / "cat")


def test_absolute_paths_stay(tmp_path: Path) -> None:
    assert absolute(str(tmp_path), Path("/elsewhere")) == str(tmp_path)


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

    assert absolute("~/pictures", Path("/elsewhere")) == str(tmp_path / "pictures")


def test_a_tilde_of_nobody_is_a_plain_name(tmp_path: Path) -> None:
    assert absolute("~nobody-of-this-name/x", tmp_path) == str(tmp_path / "~nobody-of-this-name/x")


@pytest.mark.parametrize("value", ["", "  ", UNSET, 3, ["a"]])
def test_what_is_no_path_stays_as_it_is(value: object, tmp_path: Path) -> None:
    assert absolute(value, tmp_path) == value


def test_every_path_of_a_list_is_meant_from_the_folder_of_the_file(tmp_path: Path) -> None:
    given = ["pictures/10_cat", str(tmp_path / "b.png"), "", 3]
    raw = {"dataset": {"more_pictures": given}}

    absolute = TRAIN.with_absolute_paths(raw, tmp_path)["dataset"]["more_pictures"]
    assert absolute == [str(tmp_path / "pictures" / "10_cat"), str(tmp_path / "b.png"), "", 3]
    assert given[0] == "pictures/10_cat"


def test_a_list_of_paths_is_asked_for_in_words() -> None:
    problem = one_problem({"dataset": {"more_pictures": "a folder"}})
    assert str(problem.message) == 'more_pictures is "a folder", but must be a list of paths.'
    problem = one_problem({"dataset": {"more_pictures": ["a folder", 3]}})
    assert str(problem.message) == "more_pictures holds 3, where a path in quotes is needed."


def test_only_paths_are_made_absolute(tmp_path: Path) -> None:
    raw = {"output": {"output_name": "cat"}, "model": 3, "modl": {"train_data_dir": "a"}}

    assert TRAIN.with_absolute_paths(raw, tmp_path) == raw


@pytest.mark.parametrize(("raw", "value"), [(True, "on"), (False, "off"), ("auto", "auto")])
def test_true_and_false_are_on_and_off_where_a_switch_may_be_left_open(
    raw: object, value: str
) -> None:
    settings, problems = TRAIN.parse({"model": {"v_parameterization": raw}})

    assert problems == []
    assert settings is not None
    assert settings.model.v_parameterization == value
    assert from_text(TRAIN.params()["model.v_parameterization"], str(raw)) == value
