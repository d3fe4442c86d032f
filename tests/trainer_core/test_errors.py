"""Errors say what happened, and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer_core import errors
from trainer_core.errors import DatasetError, OutputError, SettingsError, TrainerError, about
from trainer_core.settings.problems import Problem
from trainer_core.texts import T

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, TrainerError)
]


def test_an_error_reads_as_its_message() -> None:
    error = OutputError(T("Errors", "{path} is full."), path=Path("disk"))

    assert str(error) == "disk is full."
    assert error.message.values == {"path": "disk"}


def test_message_and_hint_share_their_values() -> None:
    error = SettingsError("{name} is odd.", "Remove {name}.", name="clip_skp")

    assert (str(error.message), str(error.hint)) == ("clip_skp is odd.", "Remove clip_skp.")


def test_there_need_not_be_a_hint() -> None:
    assert TrainerError("It broke.").hint is None


@pytest.mark.parametrize(
    ("message", "hint", "sentences"),
    [
        ("It broke.", "", "It broke."),
        ("It broke.", "Mend it.", "It broke. Mend it."),
        ("It broke: no space", "Make some.", "It broke: no space. Make some."),
    ],
)
def test_message_and_hint_read_as_sentences(message: str, hint: str, sentences: str) -> None:
    assert TrainerError(message, hint).sentences == sentences


@pytest.mark.parametrize(("own", "seen"), [("model.family", "model.family"), ("", "output.resume")])
def test_what_knows_the_place_gives_it_to_errors_that_have_none(own: str, seen: str) -> None:
    with pytest.raises(TrainerError) as caught, about(setting="output.resume"):
        raise TrainerError("It broke.", setting=own)

    assert caught.value.setting == seen


def test_an_error_and_its_problem_say_the_same_and_lead_to_the_same_place() -> None:
    error = DatasetError(
        "{path} is odd.", "Remove it.", setting="dataset.more_pictures", picture="a.png", path="a"
    )

    problem = Problem.of(error, setting="dataset.train_data_dir")
    again = problem.as_error()

    assert (problem.path, problem.picture) == ("dataset.more_pictures", "a.png")
    assert vars(again) == vars(error)
    assert (type(again), str(again)) == (DatasetError, "a is odd.")


def test_kinds_are_unique_names() -> None:
    # What is told apart within a kind has no name of its own.
    names = [vars(kind)["kind"] for kind in KINDS if "kind" in vars(kind)]

    assert len(set(names)) == len(names)
