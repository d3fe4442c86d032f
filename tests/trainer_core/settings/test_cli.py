"""Settings on the command line: one flag each, and ``--set``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping

import pytest
from helpers.setting_values import accepted, as_text

from trainer_core.errors import SettingsError
from trainer_core.settings.cli import add_setting_flags, changes_from_flags, setting_names
from trainer_core.settings.param import Param
from trainer_core.settings.schema import TRAIN

EVERY = pytest.mark.parametrize("param", TRAIN.params().values(), ids=lambda param: param.path)


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="test", allow_abbrev=False)
    add_setting_flags(parser, TRAIN)
    return parser


def changes(parser: argparse.ArgumentParser, *words: str) -> Mapping[str, object]:
    return changes_from_flags(parser.parse_args(words), TRAIN)


@EVERY
def test_every_setting_has_a_flag_of_its_name(
    parser: argparse.ArgumentParser, param: Param
) -> None:
    for raw in accepted(param):
        assert changes(parser, f"--{param.name}={as_text(param, raw)}") == {param.path: raw}


@EVERY
def test_every_setting_can_be_set_by_its_name_or_path(
    parser: argparse.ArgumentParser, param: Param
) -> None:
    for raw in accepted(param):
        words = as_text(param, raw)
        expected = {param.path: raw}
        assert changes(parser, "--set", f"{param.name}={words}") == expected
        assert changes(parser, "--set", f"{param.path}={words}") == expected


def test_nothing_given_changes_nothing(parser: argparse.ArgumentParser) -> None:
    assert changes(parser) == {}


def test_a_switch_needs_no_value(parser: argparse.ArgumentParser) -> None:
    assert changes(parser, "--save_state", "--flip_aug", "false") == {
        "output.save_state": True,
        "augmentation.flip_aug": False,
    }


def test_prompts_are_given_one_at_a_time(parser):
    words = ["--prompt_list", "a cat, red --d 1", "--prompt_list", "a dog"]
    assert changes(parser, *words) == {"sampling.prompt_list": ["a cat, red --d 1", "a dog"]}


def test_a_list_of_paths_grows_with_every_flag_and_every_set(
    parser: argparse.ArgumentParser,
) -> None:
    words = ["--more_pictures", "10_a cat", "--more_pictures", f"b.png{os.pathsep}c"]
    assert changes(parser, *words) == {"dataset.more_pictures": ["10_a cat", "b.png", "c"]}
    sets = ["--set", "more_pictures=10_a cat", "--set", "more_pictures=b.png"]
    assert changes(parser, *sets) == {"dataset.more_pictures": ["10_a cat", "b.png"]}


def test_set_may_be_given_several_times(parser: argparse.ArgumentParser) -> None:
    assert changes(parser, "--set", "clip_skip=2", "--set", "network_dim=4") == {
        "model.clip_skip": 2,
        "adapter.network_dim": 4,
    }


def test_only_the_first_equals_sign_separates(parser: argparse.ArgumentParser) -> None:
    assert changes(parser, "--set", "optimizer_args=weight_decay=0.1") == {
        "optimizer.optimizer_args": ["weight_decay=0.1"]
    }


def test_blanks_around_the_equals_sign_do_not_matter(parser: argparse.ArgumentParser) -> None:
    assert changes(parser, "--set", "clip_skip = 2") == {"model.clip_skip": 2}


@pytest.mark.parametrize(
    ("assignment", "message", "hint"),
    [
        ("clip_skip", "--set clip_skip has no value.", "--set key=value"),
        ("clip_skp=2", "There is no setting clip_skp.", "Did you mean clip_skip?"),
        (
            "optimizer.clip_skip=2",
            "There is no setting optimizer.clip_skip.",
            "Did you mean clip_skip?",
        ),
        ("modl.clip_skip=2", "There is no setting modl.clip_skip.", "Did you mean clip_skip?"),
        ("qwertyuiop=2", "There is no setting qwertyuiop.", "describe lists them all"),
        ("=2", "There is no setting .", "describe lists them all"),
    ],
)
def test_what_cannot_be_set_is_named_with_a_way_out(
    parser: argparse.ArgumentParser, assignment: str, message: str, hint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        changes(parser, "--set", assignment)

    assert str(caught.value) == message
    assert hint in str(caught.value.hint)


def test_the_help_shows_every_section_setting_and_default(
    parser: argparse.ArgumentParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "500")
    shown = parser.format_help()

    assert all(f"{title}:\n" in shown for title in TRAIN.titles.values())
    assert all(f"--{name} " in shown for name in setting_names(TRAIN))
    assert "[0 to 100, %] (default: 10.0)" in shown
    assert "(default: unset)" in shown
