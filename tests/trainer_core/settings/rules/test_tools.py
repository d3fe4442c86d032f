"""Rules that hold for the settings of every tool."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer_core.settings.document import replaced
from trainer_core.settings.param import Section, acts_if, param
from trainer_core.settings.problems import Problem, Severity
from trainer_core.settings.rules.tools import check_places, check_values
from trainer_core.settings.schema import Schema


class JoinSettings(Section):
    """What a tool might ask for."""

    sources: tuple[Path, ...] = param(
        (), "Sources", "What is joined.", path_kind="file", required=True
    )
    is_ranked: bool = param(False, "Ranked", "Whether a list decides.")
    ranks: Path | None = param(
        None,
        "Ranks",
        "A list.",
        path_kind="file",
        required=True,
        when=(acts_if("is_ranked", True),),
    )
    target: Path | None = param(None, "Target", "What is written.", path_kind="new_file")


SCHEMA = Schema.of_section("join", "Join", JoinSettings)


def problems(**values: object) -> tuple[list[Problem], list[Problem]]:
    """Return what the values alone tell, and what the disk tells."""
    changes = {f"join.{name}": value for name, value in values.items()}
    settings, mistakes = SCHEMA.parse(replaced({}, changes))
    assert settings is not None, mistakes
    return check_values(SCHEMA, settings, {}), check_places(SCHEMA, settings, {})


def paths(found: list[Problem]) -> list[str]:
    return [problem.path for problem in found if problem.severity is Severity.ERROR]


def test_what_is_needed_is_named_where_it_acts() -> None:
    assert paths(problems()[0]) == ["join.sources"]
    assert paths(problems(is_ranked=True)[0]) == ["join.sources", "join.ranks"]


def test_a_value_without_effect_is_a_notice_and_not_looked_for(tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.touch()
    by_values, by_disk = problems(sources=[str(source)], ranks=str(tmp_path / "gone"))
    assert [(p.path, p.severity) for p in by_values] == [("join.ranks", Severity.NOTICE)]
    assert by_disk == []


def test_every_path_of_a_list_must_be_there(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("gone", "lost")]
    _, found = problems(sources=names)
    assert [str(problem.message) for problem in found] == [f"{n} does not exist." for n in names]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_new_file_must_not_be_there(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "target"
    target.touch() if kind == "file" else target.mkdir()
    [problem] = problems(target=str(target))[1]
    assert (problem.path, str(problem.message)) == ("join.target", f"{target} exists already.")


def test_the_folder_of_a_new_file_may_be_made_but_not_inside_a_file(tmp_path: Path) -> None:
    assert problems(target=str(tmp_path / "new folder" / "a"))[1] == []
    (tmp_path / "file").touch()
    [problem] = problems(target=str(tmp_path / "file" / "a"))[1]
    assert "is a file, not a folder" in str(problem.message)
