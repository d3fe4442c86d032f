"""What holds for every tool of the catalogue; a new one is tested by its example."""

from __future__ import annotations

import argparse
import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from helpers.folder_content import content_of
from helpers.setting_values import accepted, as_text
from helpers.tool_examples import EXAMPLES
from helpers.trainer_process import run_trainer

from trainer_core.catalogue.tools import TOOLS
from trainer_core.errors import OutputError, TrainerError
from trainer_core.protocol.messages import ToolDone
from trainer_core.settings import files
from trainer_core.settings.cli import add_setting_flags, changes_from_flags
from trainer_core.settings.document import replaced
from trainer_core.settings.param import Param
from trainer_core.settings.tools.schema import tool_schema
from trainer_core.tools.base import Stopped, ToolResult
from trainer_core.tools.run import Request, prepared

EVERY_TOOL = pytest.mark.parametrize("name", TOOLS)
PARAMS = [(name, param) for name in TOOLS for param in tool_schema(name).params().values()]
EVERY_SETTING = pytest.mark.parametrize(
    ("name", "param"), PARAMS, ids=[param.path for _, param in PARAMS]
)
WITHOUT_TORCH = "import sys; sys.modules['torch'] = None"


def request_of(name: str, values: Mapping[str, object]) -> Request:
    return Request(name, {name: dict(values)})


def new_files(name: str, values: Mapping[str, object]) -> list[Path]:
    """Return the paths in ``values`` that the tool writes."""
    params = tool_schema(name).params()
    is_new = {key: params[f"{name}.{key}"].spec.path_kind == "new_file" for key in values}
    return [Path(str(value)) for key, value in values.items() if is_new[key]]


def used(name: str, values: Mapping[str, object], reporter: Any) -> ToolResult:
    tool, settings = prepared(request_of(name, values), reporter.warn)
    return tool.run(settings, reporter)


# ------------------------------------------------------------------ the declaration


def test_every_tool_has_an_example() -> None:
    assert list(EXAMPLES) == list(TOOLS)


@EVERY_TOOL
def test_it_says_what_it_is_for_and_its_defaults_are_settings(name: str) -> None:
    schema = tool_schema(name)
    assert TOOLS[name].help.endswith(".")
    assert schema.titles == {name: TOOLS[name].label}
    assert schema.parse({}) == (schema.defaults(), [])


@EVERY_SETTING
def test_a_setting_survives_file_and_flag(name: str, param: Param) -> None:
    schema = tool_schema(name)
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_setting_flags(parser, schema)
    for raw in accepted(param):
        changes = {param.path: raw}
        written = files.dumps(files.RunFile(replaced({}, changes)), schema)
        assert files.loads(written, "it").raw[name][param.name] == raw
        words = [f"--{param.name}={as_text(param, raw)}"]
        assert changes_from_flags(parser.parse_args(words), schema) == changes
        assert schema.parse(replaced({}, changes))[1] == []


@EVERY_SETTING
def test_what_is_needed_has_no_value_yet(name: str, param: Param) -> None:
    if param.spec.required:
        assert param.default is None


# ------------------------------------------------------------------ what it refuses


@EVERY_TOOL
def test_missing_input_is_named(name: str, listener: Any) -> None:
    needed = [p.path for n, p in PARAMS if n == name and p.spec.required]
    with pytest.raises(TrainerError) as caught:
        prepared(Request(name, {}), listener.warn)
    assert caught.value.setting == needed[0]
    assert str(caught.value)


@EVERY_TOOL
def test_input_that_is_not_there_is_named_without_torch(name: str, tmp_path: Path) -> None:
    values = EXAMPLES[name](tmp_path)
    for path in tmp_path.iterdir():
        path.rename(path.with_name(f"moved {path.name}"))
    flags = [f"--{key}={value}" for key, value in values.items()]

    ended = run_trainer("tool", name, *flags, before=WITHOUT_TORCH)

    assert ended.code == 2
    assert "does not exist" in str(ended.failed.message)
    assert ended.failed.setting.startswith(f"{name}.")


# ------------------------------------------------------------------ what it does


@EVERY_TOOL
def test_the_example_works_and_says_so(name: str, tmp_path: Path, listener: Any) -> None:
    values = EXAMPLES[name](tmp_path)
    before = content_of(tmp_path)

    result = used(name, values, listener)

    assert all(str(line) for line in result.lines)
    assert sorted(result.files) == sorted(new_files(name, values))
    after = content_of(tmp_path)
    assert after.keys() - before.keys() == {path.name for path in result.files}
    assert before.items() <= after.items(), "what is read stays as it is"
    assert listener.said[-1][0] == listener.said[-1][1], "it gets to its end"
    assert listener.said == sorted(listener.said)


@EVERY_TOOL
def test_it_is_a_command_of_its_own(name: str, tmp_path: Path) -> None:
    values = EXAMPLES[name](tmp_path)
    settings = tmp_path / "settings.toml"
    file = files.RunFile({name: dict(values)})
    files.save(settings, file, replace=False, schema=tool_schema(name))

    ended = run_trainer("tool", name, settings)

    assert ended.code == 0, ended.log
    done = ended.events[-1]
    assert isinstance(done, ToolDone)
    assert sorted(map(Path, done.files)) == sorted(new_files(name, values))


@EVERY_TOOL
def test_it_can_be_stopped_and_leaves_nothing(name: str, tmp_path: Path, listener: Any) -> None:
    values = EXAMPLES[name](tmp_path)
    before = content_of(tmp_path)
    at = 0
    while True:  # at each time that it asks, until it is through
        at += 1
        listener.asked, listener.stop_at = 0, at
        try:
            used(name, values, listener)
        except Stopped:
            assert content_of(tmp_path) == before
        else:
            break
    assert at > 1, "it never asks"


@EVERY_TOOL
def test_nothing_is_overwritten(name: str, tmp_path: Path, listener: Any) -> None:
    values = EXAMPLES[name](tmp_path)
    for path in new_files(name, values):
        path.write_text("mine", encoding="utf-8")
        before = content_of(tmp_path)

        with pytest.raises(TrainerError, match="exists already") as caught:
            prepared(request_of(name, values), listener.warn)

        assert caught.value.setting.startswith(f"{name}.")
        assert content_of(tmp_path) == before
        path.unlink()


@EVERY_TOOL
def test_a_file_that_comes_meanwhile_stays(name: str, tmp_path: Path, listener: Any) -> None:
    values = EXAMPLES[name](tmp_path)
    if not new_files(name, values):
        pytest.skip("it writes nothing")
    tool, settings = prepared(request_of(name, values), listener.warn)
    path = new_files(name, values)[0]
    path.write_text("mine", encoding="utf-8")

    with pytest.raises(OutputError, match="exists already"):
        tool.run(settings, listener)

    assert path.read_text(encoding="utf-8") == "mine"


@EVERY_TOOL
def test_a_full_disk_leaves_no_half_file(
    name: str, tmp_path: Path, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = EXAMPLES[name](tmp_path)
    if not new_files(name, values):
        pytest.skip("it writes nothing")
    before = content_of(tmp_path)

    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OutputError, match="The disk is full"):
        used(name, values, listener)

    assert content_of(tmp_path) == before
