"""What is named and is not there, or cannot be written."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from helpers.setting_values import after_suggestion

from trainer_core.settings.param import Param
from trainer_core.settings.problems import Severity
from trainer_core.settings.rules.places import NOT_ANSWERING, check_places, existing_paths
from trainer_core.settings.schema import TRAIN, TrainSettings
from trainer_core.texts import Text, text

SettingsOf = Callable[[Mapping[str, object]], TrainSettings]
READ_PATHS = [
    param
    for param in TRAIN.params().values()
    if param.is_path and param.path not in ("output.output_dir", "output.logging_dir")
]


def test_each_further_picture_that_is_not_there_is_named_and_can_be_removed(
    settings_of: SettingsOf, complete: dict[str, object], tmp_path: Path
) -> None:
    there, gone = str(tmp_path), [str(tmp_path / "gone"), str(tmp_path / "gone.png")]
    settings = settings_of({**complete, "dataset.more_pictures": [gone[0], there, gone[1]]})

    problems = check_places(settings)
    assert [str(problem.message) for problem in problems] == [f"{g} does not exist." for g in gone]
    assert {problem.path for problem in problems} == {"dataset.more_pictures"}
    mended = after_suggestion(settings, problems[0])
    assert mended.dataset.more_pictures == (tmp_path, tmp_path / "gone.png")


def test_a_drive_that_is_gone_makes_one_problem(
    settings_of: SettingsOf, complete: dict[str, object], tmp_path: Path
) -> None:
    gone = [str(tmp_path / "gone" / f"{number}.png") for number in range(40)]
    settings = settings_of({**complete, "dataset.more_pictures": [str(tmp_path), *gone]})

    (problem,) = check_places(settings)
    assert "40 of these cannot be read" in str(problem.message)
    assert after_suggestion(settings, problem).dataset.more_pictures == (tmp_path,)


def test_what_does_not_answer_is_named_once_beside_what_is_gone(
    settings_of: SettingsOf, tmp_path: Path
) -> None:
    def look(param: Param, path: Path) -> Text | None:
        template = "{path} does not exist." if path.name == "gone" else NOT_ANSWERING
        return None if path == tmp_path else text(template, path=path)

    names = [str(tmp_path), "/net/a", "/net/b", str(tmp_path / "gone")]
    settings = settings_of({"dataset.more_pictures": names, "output.resume": "/net/c"})
    problems = check_places(settings, look)
    told = [(problem.path, str(problem.message)) for problem in problems]
    assert told == [
        ("output.resume", f"{Path('/net/c')} is not answering."),
        ("dataset.more_pictures", f"{Path('/net/a')} is not answering."),
        ("dataset.more_pictures", f"{tmp_path / 'gone'} does not exist."),
    ]
    hints = [str(problem.suggestion.message) for problem in problems if problem.suggestion]
    assert [hint.startswith("Check the network or the drive") for hint in hints] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("param", READ_PATHS, ids=lambda param: param.path)
def test_a_path_that_is_not_there_is_named(
    settings_of: SettingsOf, param: Param, tmp_path: Path
) -> None:
    settings = settings_of({param.path: str(tmp_path / "gone")})

    (problem,) = existing_paths(settings)
    assert (problem.path, problem.severity) == (param.path, Severity.ERROR)
    assert str(problem.message) == f"{tmp_path / 'gone'} does not exist."
    assert problem.suggestion is not None


@pytest.mark.parametrize("param", READ_PATHS, ids=lambda param: param.path)
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_path_must_be_of_its_kind(
    settings_of: SettingsOf, param: Param, kind: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    settings = settings_of({param.path: str(tmp_path if kind == "folder" else file)})

    messages = [str(problem.message) for problem in existing_paths(settings)]
    if param.spec.path_kind in (kind, "file_or_folder"):
        assert messages == []
    else:
        assert [message.split(" is no ")[1] for message in messages] == [f"{param.spec.path_kind}."]


@pytest.mark.parametrize("param", READ_PATHS, ids=lambda param: param.path)
@pytest.mark.skipif("os.name == 'nt'")
def test_a_pipe_is_refused_wherever_something_is_read(
    settings_of: SettingsOf, param: Param, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    settings = settings_of({param.path: str(tmp_path / "pipe")})

    (problem,) = existing_paths(settings)
    assert problem.severity is Severity.ERROR
    assert str(tmp_path / "pipe") in str(problem.message)


def test_a_path_below_a_file_is_not_there(settings_of: SettingsOf, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = settings_of({"dataset.train_data_dir": str(tmp_path / "file" / "cat")})

    (problem,) = existing_paths(settings)
    assert "does not exist" in str(problem.message)


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_a_path_that_no_system_takes_is_a_problem_not_a_crash(
    settings_of: SettingsOf, name: str
) -> None:
    settings = settings_of({"dataset.train_data_dir": name})

    (problem,) = existing_paths(settings)
    assert "cannot be read" in str(problem.message)


def test_output_folders_need_not_exist(settings_of: SettingsOf, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    settings = settings_of({"output.output_dir": gone, "output.logging_dir": gone})

    assert list(existing_paths(settings)) == []


@pytest.mark.parametrize("path", ["output.output_dir", "output.logging_dir"])
def test_an_output_folder_below_a_file_is_named(
    settings_of: SettingsOf, path: str, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").touch()
    settings = settings_of({path: str(tmp_path / "notes.txt" / "a" / "b")})

    (problem,) = existing_paths(settings)
    assert (problem.path, problem.severity) == (path, Severity.ERROR)
    assert str(problem.message) == f"{tmp_path / 'notes.txt'} is a file, not a folder."


def test_an_output_folder_without_permission_is_named(
    settings_of: SettingsOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda place, mode: place != tmp_path)
    settings = settings_of({"output.output_dir": str(tmp_path / "new")})

    (problem,) = existing_paths(settings)
    assert str(problem.message) == f"There is no permission to write to {tmp_path}."
